import type { AnyFunction, OverloadParameters, Resolved } from './functions.js';
import type { Stats } from './events.js';
import type { CacheOption } from './options.js';

/** The arguments of `fn`, or only the first of them. */
export type FewerArguments<T> = T extends readonly unknown[] ? Partial<T> : never;

/**
 * What a wrapper can do beside being called. None of it counts as a call. What cannot be keyed rejects with an
 * `UnkeyableArgumentError`; a store that cannot be read counts as empty.
 */
export interface Controls<F extends AnyFunction> {
  /**
   * The store, the function that picks one, or `null`: as configured. Of the default store it is a view with `get`, `set`,
   * `delete` and `keys`, which no other wrapper takes.
   */
  readonly cache: CacheOption<Resolved<F>>;
  /** The wrapped function. */
  readonly original: F;
  /** The bare key that a call would use. Throws what the call would reject with. */
  keyOf(...args: FewerArguments<OverloadParameters<F>>): string;
  /** True if an entry is stored that is fresh or inside a stale window. */
  has(...args: FewerArguments<OverloadParameters<F>>): Promise<boolean>;
  /** The value of such an entry, without running `fn`. */
  peek(...args: FewerArguments<OverloadParameters<F>>): Promise<Resolved<F> | undefined>;
  /**
   * Store a value (awaited first) as if `fn` had returned it. A run that started before is never written.
   * Rejects with what the value rejects with, with the store's error or a `TimeoutError`, or a `TypeError` where `args` is
   * no array.
   */
  prime(args: OverloadParameters<F>, value: Resolved<F> | PromiseLike<Resolved<F>>): Promise<void>;
  /**
   * Run `fn` now; concurrent refreshes of a key share one run. Rejects with `fn`'s error, a `TimeoutError` after `timeout`, or
   * the reason of the caller's signal; the stored entry stays then.
   */
  refresh(...args: OverloadParameters<F>): Promise<Resolved<F>>;
  /**
   * Forget one call. True where the store said so. A run that started before is never written.
   * Rejects with the store's error or a `TimeoutError`.
   */
  delete(...args: FewerArguments<OverloadParameters<F>>): Promise<boolean>;
  /**
   * Forget all entries under this wrapper's name, and nobody else's. Where a store can neither list its keys nor delete by
   * prefix, this process stops seeing them. Rejects with the store's error or a `TimeoutError`.
   */
  clear(): Promise<void>;
  /** Counts since the wrapper was made. */
  stats(): Stats;
  /** Resolves when no run, refresh or write is under way: before a shutdown, in `waitUntil`, in tests. */
  settled(): Promise<void>;
  /** The controls as for calls on `receiver`: it picks the store, and is `this` in `fn` and `keyOf`. */
  for(
    receiver: unknown,
  ): Pick<
    Memoized<F>,
    'cache' | 'original' | 'keyOf' | 'has' | 'peek' | 'prime' | 'refresh' | 'delete' | 'clear' | 'stats' | 'settled'
  >;
}

/** `fn` itself, as far as callers can tell, with the controls on it. */
export type Memoized<F extends AnyFunction> = F & Controls<F>;
