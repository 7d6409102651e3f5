import { ignore, listen } from './client.js';
import { classify } from './failure.js';
import type { Client, Emitter, MessageSource, Subscriber, SubscriberHandlers } from './client.js';
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
  readonly options?: { readonly socket?: object };
  duplicate?(overrides: object): NodeRedis;
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
    hasNodes: false,
    isOrdered: client.totalClients === undefined,
    keyPrefix: '',
    isEnded: () => client.isOpen === false,
    failureOf: nodeRedisFailureOf,
    messages: typeof client.duplicate === 'function' ? nodeRedisMessages(client) : undefined,
  };
}

/** Connections of our own to the server of `client`. */
function nodeRedisMessages(client: NodeRedis): MessageSource {
  return {
    open: (handlers) => openDuplicate(client, handlers),
    isEnded: () => client.isOpen === false,
    onEnd: (listener) => listen(client, 'end', listener),
  };
}

/** A single connection that the user has set aside for messages. It connects again by its own rules. */
export function givenNodeRedis(client: NodeRedis): MessageSource {
  return {
    open: (handlers) => {
      const subscriber = subscriberOf(client, { ...handlers, ended: () => handlers.down() });
      if (client.isOpen === false) client.connect().catch(ignore);
      return subscriber;
    },
    isEnded: () => false,
    onEnd: () => ignore,
  };
}

/** A second connection to the server of `client`, for messages. */
export function openDuplicate(client: NodeRedis, handlers: SubscriberHandlers): Subscriber | undefined {
  const duplicate = client.duplicate?.({
    socket: { ...client.options?.socket, reconnectStrategy: false },
    clientSideCache: undefined,
  });
  if (duplicate === undefined) return undefined;
  const subscriber = subscriberOf(duplicate, handlers);
  // Not every version reports the end of a connection that is not to connect again. Without a listener the `error` event
  // would end the process.
  listen(duplicate, 'error', () => {
    if (duplicate.isReady !== true) handlers.ended();
  });
  duplicate.unref?.();
  duplicate.connect().catch(() => handlers.ended());
  return {
    ...subscriber,
    close: () => {
      subscriber.close();
      // A closed client would throw.
      if (duplicate.isOpen !== true) return;
      if (duplicate.destroy !== undefined) duplicate.destroy();
      else duplicate.disconnect?.().catch(ignore);
    },
  };
}

function subscriberOf(client: NodeRedis, handlers: SubscriberHandlers): Subscriber {
  const onMessage = (text: string, channel: string): void => handlers.message(String(channel), String(text));
  const stops = [
    listen(client, 'ready', () => handlers.up()),
    listen(client, 'reconnecting', () => handlers.down()),
    listen(client, 'end', () => handlers.ended()),
  ];
  if (client.isReady === true) queueMicrotask(() => handlers.up());
  return {
    subscribe: (channels) => client.subscribe([...channels], onMessage),
    unsubscribe: (channels) => client.unsubscribe([...channels], onMessage),
    ping: () => client.ping(),
    close: () => {
      for (const stop of stops) stop();
    },
  };
}

export function nodeRedisFailureOf(error: unknown): Failure {
  return classify(error, errorKinds);
}
