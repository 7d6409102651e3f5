import { listen } from './commands.js';
import type { Events } from './commands.js';

/** What a subscriber connection tells. */
export interface SubscriberHandlers {
  message(channel: string, text: string): void;
  /** The connection stands: subscribe now, also again. */
  up(): void;
  /** Messages may have been lost. */
  down(): void;
  /** The client has given up. */
  ended(): void;
}

/** A connection for subscriptions, of ioredis, iovalkey or node-redis. */
export interface Subscriber {
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channels: readonly string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Close a connection of ours; let go of one that was given. */
  close(): void;
}

export interface SubscriberOptions {
  /** Whether the connection is ours: to be opened, never to keep the process alive, and to be closed. */
  readonly isOwn: boolean;
  readonly handlers: SubscriberHandlers;
}

/** @throws {TypeError} for a client that cannot subscribe. */
export function createSubscriber(client: unknown, options: SubscriberOptions): Subscriber {
  if (typeof client === 'object' && client !== null && 'subscribe' in client) {
    if (typeof (client as Partial<IoRedis>).call === 'function') return ofIoRedis(client as IoRedis, options);
    if (typeof (client as Partial<NodeRedis>).sendCommand === 'function')
      return ofNodeRedis(client as NodeRedis, options);
  }
  throw new TypeError(
    `Expected \`subscriber\` to be a client of ioredis, iovalkey or node-redis, got ${typeof client}`,
  );
}

interface IoRedis extends Events {
  readonly status?: string;
  readonly stream?: { unref?(): unknown };
  call(command: string, ...args: string[]): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
}

function ofIoRedis(client: IoRedis, { isOwn, handlers }: SubscriberOptions): Subscriber {
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
  // What is wrong with the connection shows in `close`; without a listener the error would end the process.
  if (isOwn) listen(client, 'error', ignore);
  if (client.status === 'ready') queueMicrotask(up);
  return {
    subscribe: (channels) => client.subscribe(...channels),
    unsubscribe: (channels) => client.unsubscribe(...channels),
    ping: () => client.call('ping'),
    close: () => {
      for (const stop of stops) stop();
      // Where there is nothing left to close ioredis would keep the process for two seconds.
      if (isOwn && client.status !== 'end') client.disconnect();
    },
  };
}

interface NodeRedis extends Events {
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  sendCommand(args: string[]): Promise<unknown>;
  subscribe(channels: string[], listener: (text: string, channel: string) => void): Promise<unknown>;
  unsubscribe(channels: string[], listener: (text: string, channel: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  /** node-redis 5 and 6. */
  destroy?(): void;
  /** node-redis 4. */
  disconnect?(): Promise<unknown>;
  unref?(): void;
}

function ofNodeRedis(client: NodeRedis, { isOwn, handlers }: SubscriberOptions): Subscriber {
  const onMessage = (text: string, channel: string): void => handlers.message(String(channel), String(text));
  const stops = [
    listen(client, 'ready', () => handlers.up()),
    listen(client, 'reconnecting', () => handlers.down()),
    listen(client, 'end', () => handlers.ended()),
  ];
  if (isOwn) {
    // What is wrong with the connection shows in `reconnecting` and `end`.
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

function ignore(): void {}
