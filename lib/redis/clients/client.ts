import type { Failure } from './failure.js';

/** Sends one command to one node: the name in lower case, numbers as strings. Resolves with the reply as it comes. */
export type Send = (args: readonly string[]) => Promise<unknown>;

/** What this package needs of a client library. One file beside this one implements it for each kind of client. */
export interface Client {
  /** @param key The key of the command, by which a cluster finds the node. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /**
   * The masters that are known to the client, once it is ready. For anything but a cluster: the client itself.
   *
   * @param key Any key that the user may read.
   */
  masters(key: string): Promise<readonly Node[]>;
  /** The name of the node that has a slot. `undefined`: not known. */
  nodeOf(slot: number): string | undefined;
  /** True where keys may be spread over nodes, so that one command takes keys of one slot. */
  readonly isCluster: boolean;
  /** True for a cluster whose nodes can be asked one by one. */
  readonly hasNodes: boolean;
  /** True where commands reach the server in the order in which they are sent. */
  readonly isOrdered: boolean;
  /** What the client puts before keys, but not before channels. */
  readonly keyPrefix: string;
  /** True after the client has been closed for good. */
  isEnded(): boolean;
  failureOf(error: unknown): Failure;
  /** Where connections for messages come from. `undefined`: there are none. */
  readonly messages: MessageSource | undefined;
}

/** Opens connections for messages, or attaches to one that was given. */
export interface MessageSource {
  /**
   * An opened connection never connects again by itself, so that the next one may be to another node. `undefined`: not
   * possible at present.
   */
  open(handlers: SubscriberHandlers): Subscriber | undefined | Promise<Subscriber | undefined>;
  /** True after the user's client has been closed for good. */
  isEnded(): boolean;
  /** Calls `listener` when the user's client is closed. Returns a function that stops it. */
  onEnd(listener: () => void): () => void;
}

/** One server. */
export interface Node {
  /** As in `nodeOf`. */
  readonly name: string;
  readonly send: Send;
}

/** A connection for messages. */
export interface Subscriber {
  subscribe(channels: readonly string[]): Promise<unknown>;
  unsubscribe(channels: readonly string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Closes a connection that this package opened, and detaches from one that was given. */
  close(): void;
}

/** What a connection for messages reports. */
export interface SubscriberHandlers {
  message(channel: string, text: string): void;
  /** Connected: subscribe now. A given connection may connect again. */
  up(): void;
  /** Disconnected: messages may be lost. */
  down(): void;
  /** The connection is lost for good. */
  ended(): void;
}

/** The part of an event emitter that all clients have. */
export interface Emitter {
  on?(event: string, listener: (...args: never[]) => void): unknown;
  off?(event: string, listener: (...args: never[]) => void): unknown;
}

/** Adds a listener. Returns a function that removes it. */
export function listen(emitter: Emitter, event: string, listener: (...args: never[]) => void): () => void {
  emitter.on?.(event, listener);
  return () => void emitter.off?.(event, listener);
}

/** A reply as text: clients give strings, numbers, BigInts or buffers. */
export function textOf(reply: unknown): string {
  return typeof reply === 'string' ? reply : String(reply);
}

/** An item for which `isLikely` holds, else any, chosen at random. */
export function anyOf<T>(items: readonly T[], isLikely: (item: T) => boolean): T | undefined {
  const likely = items.filter(isLikely);
  const candidates = likely.length > 0 ? likely : items;
  return candidates[Math.floor(Math.random() * candidates.length)];
}

export function ignore(): void {}
