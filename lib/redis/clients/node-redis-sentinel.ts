import { nodeRedisFailureOf } from './node-redis.js';
import type { Client } from './client.js';

/** node-redis: a Sentinel client, which sends to the master of the moment. */
export interface SentinelClient {
  /** Tells a Sentinel client from any other. */
  getMasterNode(): unknown;
  /** Sends one command to the master. */
  sendCommand(isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
}

/** The parts of a node-redis Sentinel client that are used. */
export interface NodeRedisSentinel extends SentinelClient {
  readonly isOpen?: boolean;
}

export function nodeRedisSentinelClient(sentinel: NodeRedisSentinel): Client {
  const send = (args: readonly string[]): Promise<unknown> => sentinel.sendCommand(false, [...args]);
  return {
    send: (_key, args) => send(args),
    masters: async () => [{ name: '', send }],
    nodeOf: () => '',
    isCluster: false,
    hasNodes: false,
    // It uses a pool of connections.
    isOrdered: false,
    keyPrefix: '',
    isEnded: () => sentinel.isOpen === false,
    failureOf: nodeRedisFailureOf,
    // Its own subscriptions move to another server without notice, so that a near store could not know what it missed.
    messages: undefined,
  };
}
