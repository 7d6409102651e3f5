import type { Coordinator } from './coordinator.js';
import type { PendingRead } from './pending-read.js';
import type { Entry, Grant } from './store.js';

/** A result to be stored, and what its entry is made from. Times are milliseconds. */
export interface Result<V> {
  readonly value: V;
  /** `Infinity`: never ends. */
  readonly ttl: number;
  /** How long the run took; kept only where `earlyRefresh` needs it. */
  readonly duration?: number | undefined;
  /** Empty or absent: none. */
  readonly tags?: readonly string[] | undefined;
  /** The epoch in which the run began; needed where there are tags. */
  readonly begun?: number | undefined;
}

/** Returned where there is no fresh result, or where its entry must be asked. */
export const NOT_FRESH = Symbol('not fresh');

/**
 * Where one namespace keeps its results: the one interface between a call and every kind of store. `get`, `write` and
 * `remove` never throw or reject: what fails there is reported. `prime`, `delete` and `clear` reject.
 */
export interface ResultStore<V> {
  /** Coordinates runs with other processes, where the store can. */
  readonly coordinator: Coordinator<V> | undefined;
  /** True where results are kept at all. */
  readonly isKeeping: boolean;
  /** True for a user's store, which may do anything while it is read, such as calling the wrapper. */
  readonly isForeign: boolean;
  /** One read. What it returns is only for `freshValue` and `entryOf`. */
  get(key: string): unknown;
  /** The same, without making the entry the most recently used one where the store can. */
  peek(key: string): unknown;
  /** The value, if it is fresh and not to be refreshed early; `NOT_FRESH`: ask `entryOf`. The short way of a hit. */
  freshValue(stored: unknown): unknown;
  entryOf(stored: unknown): Entry<V> | PendingRead<V> | undefined;
  /** Stores the result of a run. Never rejects; a failure is reported. `undefined`: the write has ended. */
  write(key: string, result: Result<V>, grant?: Grant<V>): Promise<unknown> | undefined;
  /** Like `delete`, but for a run whose result is not stored. Never rejects; a failure is reported. */
  remove(key: string): Promise<unknown> | undefined;
  /** Stores a primed value. Rejects with the store's error or a `TimeoutError`. */
  prime(key: string, result: Result<V>, grant?: Grant<V>): Promise<unknown>;
  /** True where the store had the key. Rejects with the store's error or a `TimeoutError`. */
  delete(key: string): Promise<boolean>;
  /** Ends the `ttl` of the entry now. True where there was one that is of use. Rejects like `delete`. */
  expire(key: string): Promise<boolean>;
  /** Rejects with the store's error or a `TimeoutError`. */
  clear(): Promise<void>;
}
