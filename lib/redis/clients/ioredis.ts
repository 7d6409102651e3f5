import { anyOf, ignore, listen, textOf } from './client.js';
import { classify } from './failure.js';
import type { Client, Emitter, MessageSource, Node, Send, Subscriber, SubscriberHandlers } from './client.js';
import type { ErrorKinds } from './failure.js';

/** ioredis, iovalkey and their clusters. */
export interface CallClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** The parts of ioredis and iovalkey that are used. A cluster has `nodes`. */
export interface IoRedis extends CallClient, Emitter {
  readonly status?: string;
  readonly options?: { readonly keyPrefix?: unknown; readonly host?: unknown; readonly port?: unknown };
  readonly stream?: { unref?(): unknown };
  readonly isCluster?: boolean;
  nodes?(role: 'master'): IoRedis[];
  /** `host:port` of the nodes of each slot, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[];
  duplicate?(options: object): IoRedis;
  connect?(): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

const errorKinds: ErrorKinds = {
  replies: new Set(['ReplyError']),
  connections: new Set(['AbortError', 'InterruptError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']),
};

export function ioRedisClient(client: IoRedis): Client {
  const isCluster = client.isCluster === true && typeof client.nodes === 'function';
  const send = sendTo(client);
  return {
    send: (_key, args) => send(args),
    masters: async (key) => {
      if (!isCluster) return [{ name: '', send }];
      // A cluster that is not ready knows only some of its nodes, and holds commands back until it is.
      await client.call('get', key);
      return client.nodes!('master').map(nodeFor);
    },
    nodeOf: (slot) => (isCluster ? client.slots?.[slot]?.[0] : ''),
    isCluster,
    hasNodes: isCluster,
    isOrdered: true,
    keyPrefix: textOf(client.options?.keyPrefix ?? ''),
    isEnded: () => client.status === 'end',
    failureOf: (error) => classify(error, errorKinds),
    messages: isCluster || typeof client.duplicate === 'function' ? ioRedisMessages(client) : undefined,
  };
}

/** Connections of our own, to the server of `client` or to one node of the cluster: each node gets every message. */
export function ioRedisMessages(client: IoRedis): MessageSource {
  return {
    open: (handlers) => {
      // A cluster with `lazyConnect` that is not used for commands waits to be told, and knows no node before.
      if (client.isCluster === true && client.status === 'wait') client.connect?.().catch(ignore);
      const isReady = (node: IoRedis): boolean => node.status === 'ready';
      const source = client.isCluster === true ? anyOf(client.nodes?.('master') ?? [], isReady) : client;
      const duplicate = source?.duplicate?.({
        lazyConnect: true,
        retryStrategy: () => null,
        sentinelRetryStrategy: () => null,
        reconnectOnError: null,
        enableOfflineQueue: true,
        autoResubscribe: false,
        readOnly: false,
      });
      if (duplicate === undefined) return undefined;
      // A failure also shows as `end`. Without a listener the `error` event would end the process.
      listen(duplicate, 'error', ignore);
      const subscriber = subscriberOf(duplicate, {
        ...handlers,
        up: () => {
          duplicate.stream?.unref?.();
          handlers.up();
        },
      });
      listen(duplicate, 'connect', () => duplicate.stream?.unref?.());
      duplicate.connect?.().catch(ignore);
      return {
        ...subscriber,
        close: () => {
          subscriber.close();
          // `disconnect` on a closed client would keep the process alive for two seconds.
          if (duplicate.status !== 'end') duplicate.disconnect();
        },
      };
    },
    isEnded: () => client.status === 'end',
    onEnd: (listener) => listen(client, 'end', listener),
  };
}

/** A single connection that the user has set aside for messages. It connects again by its own rules. */
export function givenIoRedis(client: IoRedis): MessageSource {
  return {
    open: (handlers) => {
      const subscriber = subscriberOf(client, { ...handlers, ended: () => handlers.down() });
      // A client with `lazyConnect` waits to be told.
      if (client.status === 'wait') client.connect?.().catch(ignore);
      return subscriber;
    },
    isEnded: () => false,
    onEnd: () => ignore,
  };
}

function subscriberOf(client: IoRedis, handlers: SubscriberHandlers): Subscriber {
  const stops = [
    listen(client, 'message', (channel: string, text: string) => handlers.message(String(channel), String(text))),
    listen(client, 'ready', () => handlers.up()),
    listen(client, 'close', () => handlers.down()),
    listen(client, 'end', () => handlers.ended()),
  ];
  if (client.status === 'ready') queueMicrotask(() => handlers.up());
  return {
    subscribe: (channels) => client.subscribe(...channels),
    unsubscribe: (channels) => client.unsubscribe(...channels),
    ping: () => client.call('ping'),
    close: () => {
      for (const stop of stops) stop();
    },
  };
}

function sendTo(node: IoRedis): Send {
  return ([command, ...args]) => node.call(command!, ...args);
}

function nodeFor(node: IoRedis): Node {
  const { host, port } = node.options ?? {};
  return { name: `${String(host)}:${String(port)}`, send: sendTo(node) };
}
