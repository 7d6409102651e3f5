import type { Failure } from './failure.js';

/** Sends one command to one node: the name in lower case, numbers as strings. Resolves with the reply as it comes. */
export type Send = (args: readonly string[]) => Promise<unknown>;

/** What this package needs of a client library. One file beside this one implements it for each kind of client. */
export interface Client {
  /** @param key The key of the command, by which a cluster finds the node. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /** The masters that hold all keys together. */
  masters(): Promise<readonly Node[]>;
  /** The name of the node that has a slot. `undefined`: not known. */
  nodeOf(slot: number): string | undefined;
  /** True where keys may be spread over nodes, so that one command takes keys of one slot. */
  readonly isCluster: boolean;
  /** True where commands reach the server in the order in which they are sent. */
  readonly isOrdered: boolean;
  /** What the client puts before keys, but not before channels. */
  readonly keyPrefix: string;
  /** True after the client has been closed for good. */
  isEnded(): boolean;
  /** Calls `listener` when the client is closed. Returns a function that stops it. */
  onEnd(listener: () => void): () => void;
  failureOf(error: unknown): Failure;
  readonly canDuplicate: boolean;
  /** Opens a connection for messages. `undefined`: not possible at present. */
  openSubscriber(handlers: SubscriberHandlers): Subscriber | undefined | Promise<Subscriber | undefined>;
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
  /** Connected, or connected again: subscribe now. */
  up(): void;
  /** Disconnected: messages may be lost. */
  down(): void;
  /** The client has given up. */
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

/** One of the items, chosen at random. */
export function anyOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)];
}
