import { anyOf, listen, textOf } from './client.js';
import { classify } from './failure.js';
import type { Client, Emitter, Node, Send, Subscriber, SubscriberHandlers } from './client.js';
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
    masters: async () => (isCluster ? client.nodes!('master').map(nodeFor) : [{ name: '', send }]),
    nodeOf: (slot) => (isCluster ? client.slots?.[slot]?.[0] : ''),
    isCluster,
    isOrdered: true,
    keyPrefix: textOf(client.options?.keyPrefix ?? ''),
    isEnded: () => client.status === 'end',
    onEnd: (listener) => listen(client, 'end', listener),
    failureOf: (error) => classify(error, errorKinds),
    canDuplicate: isCluster || typeof client.duplicate === 'function',
    openSubscriber: (handlers) => {
      // Every node of a cluster gets every message, so one connection to one node is enough.
      const source = isCluster ? anyOf(client.nodes!('master')) : client;
      const duplicate = source?.duplicate?.({
        enableOfflineQueue: true,
        lazyConnect: false,
        autoResubscribe: false,
        readOnly: false,
      });
      return duplicate && ioRedisSubscriber(duplicate, handlers, true);
    },
  };
}

/** @param isOwn Whether the connection was opened by this package: it never keeps the process alive, and is closed here. */
export function ioRedisSubscriber(client: IoRedis, handlers: SubscriberHandlers, isOwn: boolean): Subscriber {
  const up = (): void => {
    if (isOwn) client.stream?.unref?.();
    handlers.up();
  };
  const stops = [
    listen(client, 'message', (channel: string, text: string) => handlers.message(String(channel), String(text))),
    listen(client, 'ready', up),
    listen(client, 'close', () => handlers.down()),
    listen(client, 'end', () => handlers.ended()),
  ];
  // A failure also shows as `close`. Without a listener the `error` event would end the process.
  if (isOwn) listen(client, 'error', ignore);
  if (client.status === 'ready') queueMicrotask(up);
  return {
    subscribe: (channels) => client.subscribe(...channels),
    unsubscribe: (channels) => client.unsubscribe(...channels),
    ping: () => client.call('ping'),
    close: () => {
      for (const stop of stops) stop();
      // `disconnect` on a closed client would keep the process alive for two seconds.
      if (isOwn && client.status !== 'end') client.disconnect();
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

function ignore(): void {}
