import type { AbortSignalLike } from '../platform/abort-signal.js';

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
  /** Labels by which `invalidateTags` finds the entry; present where it has some. */
  readonly tags?: readonly string[];
  /** When its run began, by a clock of the store; present where it has tags. */
  readonly begun?: number;
  /** What a store that processes share knows this very entry by; never written. */
  readonly stamp?: string;
  /** `name|key`, in a store that answers with promises: such stores may compare keys without case, accents or blanks. */
  readonly key?: string;
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
  /** True for a `set` that takes the lifetime and does not declare it, as one that is wrapped. */
  readonly takesTtl?: boolean;
  /** All keys, so that `clear()` can find its own. */
  keys?(): Iterable<string> | AsyncIterable<string>;
  /** Forget every key that starts with `prefix`, for stores that can do better than list and delete. */
  deleteByPrefix?(prefix: string): unknown;
}

/** What `acquire` comes to: the value is there, or the run is yours. */
export type Settled<V> = { readonly hit: Entry<V> } | { readonly grant: Grant<V> };

/** What `acquire` answers: that, or another process runs. */
export type Acquired<V> =
  | Settled<V>
  | {
      /** Resolves when waiting is over; `unleased`: why this process runs without a lease and does not write. Ends early on `signal`. */
      wait(signal: AbortSignalLike): Promise<Settled<V> | { readonly unleased: string }>;
    };

/** The right to run and to write, given by a store that several processes share. */
export interface Grant<V> {
  /** Write the result. `superseded`: another run of the same generation was first. `refused`: a fence came between. */
  commit(entry: Entry<V>, ttl: number | undefined): Promise<'stored' | 'superseded' | 'refused'>;
  /**
   * Give the right back without a write. `again`: a waiting process may get it. `alone`: each waiting process runs without a
   * lease and does not write.
   */
  release(why: 'again' | 'alone'): void;
  /** Aborts when the grant is known to be void: a fence in another process. */
  readonly lost: AbortSignalLike;
  /** When the run began, by the clock of the store; present where the store knows tags. */
  readonly begun?: number;
  /** Set where the processes could not be coordinated, with the error. The result is kept in this process only. */
  readonly unleased?: unknown;
}

/** How a store that processes share is asked for the right to run. */
export interface AcquireOptions<V> {
  /** An entry that the caller holds and cannot use, so that it is not offered again. */
  readonly seen?: Entry<V> | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  /** True where the result may have tags. */
  readonly isTagged?: boolean;
}

/** How a run begins that needs no right. */
export interface BeginOptions {
  /** True: the stored value is removed in the same step. */
  readonly drop: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  /** True where the result may have tags. */
  readonly isTagged?: boolean;
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
  /** Ask for the right to run `key`. */
  acquire(key: string, options: AcquireOptions<V>): Promise<Acquired<V>>;
  /** A grant in any case: older runs are refused from now on. */
  begin(key: string, options: BeginOptions): Promise<Grant<V>>;
  /**
   * End the `ttl` of an entry now, and refuse runs that started before. It stays for another `window` milliseconds at most.
   * True where there was one. Without it, such an entry is read and written again.
   */
  expire?(key: string, options: { readonly window: number; readonly timeout: number }): PromiseLike<boolean>;
  /**
   * Make void what carries one of `tags` and whose run began before now; `isSoft`: as if its `ttl` ended now. Resolves with
   * that moment, by the clock by which runs begin.
   */
  invalidateTags?(
    tags: readonly string[],
    options: { readonly isSoft: boolean; readonly timeout: number },
  ): PromiseLike<number>;
  /**
   * A grant for a run while the store cannot be asked. Its result is kept in this process only. `undefined`: not kept.
   * @param error Why the store could not be asked.
   */
  grantLocally?(key: string, error: unknown): Grant<V> | undefined;
}

/** What happened elsewhere to what a near store may hold. */
export type Change =
  | { readonly type: 'key'; readonly namespace: string; readonly hash: string }
  | { readonly type: 'namespace'; readonly namespace: string }
  | { readonly type: 'tags'; readonly tags: readonly string[]; readonly isSoft: boolean; readonly at: number }
  /** Changes may have been missed, and more may be. */
  | {
      readonly type: 'lost';
      /** Where the server does not let this user hear of changes. */
      readonly error?: unknown;
    }
  /** Every change arrives from now on. */
  | { readonly type: 'back' };

/** A shared store that can stand behind a near one, because it tells of changes. */
export interface AnnouncingStore<V = unknown> extends SharedStore<V> {
  /**
   * The same store, as one near store uses it: `listener` hears of every change that was not made through what this
   * returns, and of all tags. `undefined` where nothing can be heard.
   */
  watch(listener: (change: Change) => void): WatchedStore<V> | undefined;
}

export interface WatchedStore<V = unknown> extends SharedStore<V> {
  /** What a key is called in changes. */
  announcedAs(key: string): { readonly namespace: string; readonly hash: string };
}
