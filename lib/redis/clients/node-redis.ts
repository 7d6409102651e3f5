import { listen } from './client.js';
import { classify } from './failure.js';
import type { Client, Emitter, Subscriber, SubscriberHandlers } from './client.js';
import type { ErrorKinds, Failure } from './failure.js';

/** node-redis: a client or a pool. */
export interface SendCommandClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** The parts of node-redis that are used. A pool counts its clients, and cannot be duplicated. */
export interface NodeRedis extends SendCommandClient, Emitter {
  readonly isOpen?: boolean;
  readonly isReady?: boolean;
  readonly totalClients?: number;
  duplicate?(): NodeRedis;
  connect(): Promise<unknown>;
  subscribe(channels: string[], listener: (text: string, channel: string) => void): Promise<unknown>;
  unsubscribe(channels: string[], listener: (text: string, channel: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  /** node-redis 5 and 6. */
  destroy?(): void;
  /** node-redis 4. */
  disconnect?(): Promise<unknown>;
  unref?(): void;
}

const errorKinds: ErrorKinds = {
  replies: new Set(['ErrorReply', 'SimpleError', 'BlobError', 'MultiErrorReply']),
  connections: new Set([
    'AbortError',
    'ClientClosedError',
    'ClientOfflineError',
    'CommandTimeoutDuringMaintenanceError',
    'ConnectionTimeoutError',
    'DisconnectsClientError',
    'ReconnectStrategyError',
    'RootNodesUnavailableError',
    'SocketClosedUnexpectedlyError',
    'SocketTimeoutDuringMaintenanceError',
    'SocketTimeoutError',
    'TimeoutError',
  ]),
};

export function nodeRedisClient(client: NodeRedis): Client {
  const send = (args: readonly string[]): Promise<unknown> => client.sendCommand([...args]);
  return {
    send: (_key, args) => send(args),
    masters: async () => [{ name: '', send }],
    nodeOf: () => '',
    isCluster: false,
    isOrdered: client.totalClients === undefined,
    keyPrefix: '',
    isEnded: () => client.isOpen === false,
    onEnd: (listener) => listen(client, 'end', listener),
    failureOf: nodeRedisFailureOf,
    canDuplicate: typeof client.duplicate === 'function',
    openSubscriber: (handlers) => openDuplicate(client, handlers),
  };
}

/** A second connection to the server of `client`, for messages. */
export function openDuplicate(client: NodeRedis, handlers: SubscriberHandlers): Subscriber | undefined {
  const duplicate = client.duplicate?.();
  return duplicate && nodeRedisSubscriber(duplicate, handlers, true);
}

/** @param isOwn Whether the connection was opened by this package: it never keeps the process alive, and is closed here. */
export function nodeRedisSubscriber(client: NodeRedis, handlers: SubscriberHandlers, isOwn: boolean): Subscriber {
  const onMessage = (text: string, channel: string): void => handlers.message(String(channel), String(text));
  const stops = [
    listen(client, 'ready', () => handlers.up()),
    listen(client, 'reconnecting', () => handlers.down()),
    listen(client, 'end', () => handlers.ended()),
  ];
  if (isOwn) {
    // A failure also shows as `reconnecting` or `end`. Without a listener the `error` event would end the process.
    listen(client, 'error', ignore);
    client.unref?.();
    client.connect().catch(() => handlers.ended());
  } else if (client.isReady === true) {
    queueMicrotask(() => handlers.up());
  }
  return {
    subscribe: (channels) => client.subscribe([...channels], onMessage),
    unsubscribe: (channels) => client.unsubscribe([...channels], onMessage),
    ping: () => client.ping(),
    close: () => {
      for (const stop of stops) stop();
      if (!isOwn) return;
      if (client.destroy !== undefined) client.destroy();
      else client.disconnect?.().catch(ignore);
    },
  };
}

export function nodeRedisFailureOf(error: unknown): Failure {
  return classify(error, errorKinds);
}

function ignore(): void {}
