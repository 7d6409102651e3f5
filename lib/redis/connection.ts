import { BatchedReads } from './batched-reads.js';
import { detectClient, detectMessages } from './clients/detect-client.js';
import { ServerClock } from './clock.js';
import { CommandRunner } from './command-runner.js';
import { PubSub } from './pub-sub.js';
import { Subscriptions } from './subscriptions.js';
import type { RedisClient } from './clients/detect-client.js';

/** What all stores of one client share: its deadlines and breakers, the server's clock, the connection for messages. */
interface Connection {
  readonly runner: CommandRunner;
  readonly reads: BatchedReads;
  readonly clock: ServerClock;
  readonly pubSub: PubSub | undefined;
}

/** By client, which the entry lives as long as. */
const connections = new WeakMap<object, Connection>();

/** By the connection that the user has given for messages. */
const givenPubSubs = new WeakMap<object, PubSub>();

/** @throws {TypeError} for anything that is no client, or that cannot subscribe. */
export function connectionOf(
  client: RedisClient,
  subscriber: object | undefined,
): Omit<Connection, 'pubSub'> & { readonly subscriptions: Subscriptions } {
  let connection = connections.get(client);
  if (connection === undefined) {
    const runner = new CommandRunner(detectClient(client));
    const { messages } = runner.client;
    const pubSub = messages && new PubSub(messages, (error) => runner.client.failureOf(error) === 'reply');
    connections.set(
      client,
      (connection = { runner, reads: new BatchedReads(runner), clock: new ServerClock(), pubSub }),
    );
  }
  const { runner, reads, clock } = connection;
  const pubSub = subscriber === undefined ? connection.pubSub : givenPubSub(client, subscriber, runner);
  return { runner, reads, clock, subscriptions: new Subscriptions(pubSub) };
}

function givenPubSub(client: object, subscriber: object, runner: CommandRunner): PubSub {
  if (subscriber === client) {
    throw new TypeError('Expected `subscriber` to be a connection of its own, got the client itself');
  }
  let pubSub = givenPubSubs.get(subscriber);
  if (pubSub === undefined) {
    pubSub = new PubSub(detectMessages(subscriber), (error) => runner.client.failureOf(error) === 'reply');
    givenPubSubs.set(subscriber, pubSub);
  }
  return pubSub;
}
