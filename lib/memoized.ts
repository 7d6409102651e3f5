import type { Correction, OptionalFunction, OverloadParameters, Resolved } from './functions.js';
import type { Stats } from './events.js';
import type { CacheOption } from './options.js';

/** The arguments of a call, or only the first of them. */
export type FewerArguments<T> = T extends readonly unknown[] ? Partial<T> : never;

/**
 * What a wrapper offers beside being called. None of it counts as a call.
 *
 * Arguments that cannot be a key reject with an `UnkeyableArgumentError`. All members exist in every configuration: with
 * `cache: null` they resolve and find nothing.
 */
export interface Controls<F extends OptionalFunction> {
  /**
   * The store, the selector, or `null`, as configured.
   *
   * For the private store it is a view with `get`, `set`, `delete` and `keys`, which no other wrapper accepts.
   */
  readonly cache: CacheOption<Resolved<F>>;

  /** The wrapped function. */
  readonly original: F;

  /**
   * The bare key that a call would use.
   *
   * @throws {UnkeyableArgumentError} what the call would reject with.
   */
  keyOf(...args: FewerArguments<OverloadParameters<F>>): string;

  /**
   * Whether an entry is stored that is fresh or inside a stale window. A store that cannot be read counts as empty.
   *
   * @example
   * await getUser.has(7);
   */
  has(...args: FewerArguments<OverloadParameters<F>>): Promise<boolean>;

  /**
   * The value of an entry that is fresh or inside a stale window, without a run of `fn`.
   *
   * A stored `undefined` looks like no entry; `has` tells them apart. A store that cannot be read counts as empty.
   *
   * @example
   * const user = await getUser.peek(7);
   */
  peek(...args: FewerArguments<OverloadParameters<F>>): Promise<Resolved<F> | undefined>;

  /**
   * Stores a value as if `fn` had returned it. A promise is awaited first.
   *
   * Runs that started before are never stored. Rejects with what the promise rejects with, with the store's error or a
   * `TimeoutError`, and with a `TypeError` where `args` is no array.
   *
   * @example
   * await getUser.prime([7, db], user);
   */
  prime(args: OverloadParameters<F>, value: Resolved<F> | PromiseLike<Resolved<F>>): Promise<void>;

  /**
   * Runs `fn` now and stores the result. Concurrent refreshes of a key share one run.
   *
   * Meanwhile calls are answered from the stored entry. Rejects with the error of `fn`, a `TimeoutError` after `timeout`, or
   * the reason of the caller's signal; the stored entry stays then.
   *
   * @example
   * const user = await getUser.refresh(7, db);
   */
  refresh(...args: OverloadParameters<F>): Promise<Resolved<F>>;

  /**
   * Forgets one call. Resolves with `true` where the store says that there was an entry.
   *
   * Runs that started before are never stored, and the next call starts a new one. Rejects with the store's error or a
   * `TimeoutError`.
   *
   * @example
   * await getUser.delete(7);
   */
  delete(...args: FewerArguments<OverloadParameters<F>>): Promise<boolean>;

  /**
   * Invalidates one call softly: as if its `ttl` ended now. Resolves with `true` where there was an entry of use.
   *
   * Inside a stale window the old value still answers, and the next call refreshes it. Without a stale window it is
   * `delete`. Runs that started before are never stored. Rejects with the store's error or a `TimeoutError`.
   *
   * @example
   * await getUser.expire(7);
   */
  expire(...args: FewerArguments<OverloadParameters<F>>): Promise<boolean>;

  /**
   * Forgets all entries under this wrapper's name, and no others.
   *
   * Where a store can neither list its keys nor delete by prefix, this process stops seeing the entries and other processes
   * see them until they expire. Rejects with the store's error or a `TimeoutError`.
   */
  clear(): Promise<void>;

  /** Counts since the wrapper was made. */
  stats(): Stats;

  /**
   * Resolves when no run, refresh or write is under way: before a shutdown, in `waitUntil`, in tests.
   *
   * Work of `fn` that no caller waits for any more is included.
   *
   * @param limit The longest to wait, in milliseconds. Then it resolves all the same.
   * @example
   * await getUser.settled(5_000);
   */
  settled(limit?: number): Promise<void>;

  /**
   * The controls as for calls on `receiver`: it picks the store, and is `this` in `fn` and `keyOf`.
   *
   * @example
   * await find.for(repository).delete(7);
   */
  for(receiver: unknown): Omit<Controls<F>, 'for'>;
}

/**
 * The wrapper of a function: called like it, with the controls on it.
 *
 * It is `F` itself, so that overloads, type parameters and `this` are kept. Properties of `fn` are not copied: those that
 * are no controls are `never` here.
 */
export type Memoized<F extends OptionalFunction> = Controls<F> & Correction<F> & F & NotCopied<F>;

type NotCopied<F extends OptionalFunction> = {
  readonly [Name in Exclude<keyof F, keyof Controls<F> | keyof CallableFunction>]: never;
};
