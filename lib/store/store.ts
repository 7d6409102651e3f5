import type { AbortSignalLike } from '../abort-signal.js';

/**
 * What stands in a store for one call: presence, value and times in one read. Survives `JSON` and `structuredClone`.
 * All times are milliseconds of the wall clock (`Date.now()`).
 */
export interface Entry<V> {
  /** Version of this format. */
  readonly v: 1;
  /** The result. Absent means `undefined`, which JSON cannot hold. */
  readonly value?: V;
  /** When the run settled. */
  readonly storedAt: number;
  /** When `ttl` ends. Absent: never. */
  readonly freshUntil?: number;
  /** How long the run took; present where `earlyRefresh` is on. */
  readonly duration?: number;
}

/**
 * Where results go: a `Map`, a quick-lru, an lru-cache, a Keyv, a cache-manager cache, a `redisStore`, or your own.
 * Methods may be synchronous or return promises. Expiry is decided from the entry, never by the store.
 */
export interface Store<V = unknown> {
  /** The entry under `key`, or `undefined`. */
  get(key: string): Entry<V> | undefined | PromiseLike<Entry<V> | undefined>;
  /**
   * Keep `entry` under `key`.
   * @param ttl How long the entry can be of use, in whole milliseconds; `undefined`: no end. Given only to a `set` that
   *   declares three parameters.
   */
  set(key: string, entry: Entry<V>, ttl?: number): unknown;
  /** Forget `key`. A result of `true` says that there was something to forget. */
  delete(key: string): unknown;
  /** All keys, so that `clear()` can find its own. */
  keys?(): Iterable<string> | AsyncIterable<string>;
  /** Forget every key that starts with `prefix`, for stores that can do better than list and delete. */
  deleteByPrefix?(prefix: string): unknown;
}

/** What `acquire` answers: the value is there, the run is yours, or somebody else is at it. */
export type Acquired<V> =
  | { readonly hit: Entry<V> }
  | { readonly grant: Grant<V> }
  | {
      /** Resolves when it is worth another `acquire` (`'again'`), or when this process shall run by itself, unwritten (`'alone'`). */
      wait(signal: AbortSignalLike): Promise<'again' | 'alone'>;
    };

/** The right to run and to write, given by a store that several processes share. */
export interface Grant<V> {
  /** Write the result. `superseded`: another run of the same generation was first. `refused`: a fence came between. */
  commit(entry: Entry<V>, ttl: number | undefined): Promise<'stored' | 'superseded' | 'refused'>;
  /** Give the right back without a write. `again`: others may try; `alone`: nothing will come from here. */
  release(why: 'again' | 'alone'): void;
  /** Aborts when the grant is known to be void: a fence in another process. */
  readonly lost: AbortSignalLike;
}

/**
 * A store that coordinates runs between processes (`redisStore`). It keeps deadlines itself: what takes longer than the
 * `timeout` given with it, in milliseconds, rejects with a `TimeoutError`.
 */
export interface SharedStore<V = unknown> extends Store<V> {
  get(key: string, timeout?: number): PromiseLike<Entry<V> | undefined>;
  set(key: string, entry: Entry<V>, ttl?: number, timeout?: number): PromiseLike<unknown>;
  delete(key: string, timeout?: number): PromiseLike<unknown>;
  deleteByPrefix(prefix: string, timeout?: number): PromiseLike<unknown>;
  /**
   * Ask for the right to run `key`.
   * @param options.seen An entry that the caller holds and cannot use, so that it is not offered again.
   */
  acquire(
    key: string,
    options: { readonly seen?: Entry<V> | undefined; readonly timeout: number },
  ): Promise<Acquired<V>>;
  /** A grant in any case: older runs are refused from now on. `drop` removes the stored value in the same step. */
  begin(key: string, options: { readonly drop: boolean; readonly timeout: number }): Promise<Grant<V>>;
}
