import type { AnyFunction, OverloadParameters, Resolved } from './functions.js';
import type { MemoizeEvent } from './events.js';
import type { Ignore } from './hashing/ignore.js';
import type { StoreLike } from './store/store-like.js';

/** Picks a store by the receiver (`this`) of each call; `perInstance` makes one. */
export type StoreSelector<V = unknown> = (receiver: unknown) => StoreLike<V> | null;

/** Where results go. */
export type CacheOption<V = unknown> = StoreLike<V> | StoreSelector<V> | null;

/** All times are milliseconds. */
export interface MemoizeOptions<F extends AnyFunction = AnyFunction> {
  /**
   * Where results go: a `Map`, quick-lru, lru-cache, Keyv, cache-manager, `redisStore`, `tiered`, or your own. `null`
   * stores nothing; concurrent calls still share one run. A function picks the store from the receiver of each call.
   *
   * @default a quick-lru of its own, of `maxSize`
   * @example
   * memoizeAsync(getUser, { cache: new Keyv(), name: 'getUser' });
   */
  readonly cache?: CacheOption<Resolved<F>> | undefined;

  /**
   * How many results the wrapper's own store holds at least, a whole number > 0; it forgets the least recently used, and
   * holds at most twice as many. Does not go with `cache`.
   *
   * @default 1000
   */
  readonly maxSize?: number | undefined;

  /**
   * What identifies a call: any plain value, encoded like arguments. Called with the `this` of the call.
   *
   * @default all arguments
   * @example
   * memoizeAsync(getOrders, { keyOf: (user) => [user.tenant, user.id] });
   */
  readonly keyOf?: ((this: ThisParameterType<F>, ...args: Parameters<F>) => unknown) | undefined;

  /**
   * What the key leaves out: `1` the second argument; `'db'` the property `db` of every plain-object argument; `'ctx.db'`
   * a nested one; `(value, index) => boolean` any argument. Does not go with `keyOf`.
   *
   * @default []
   * @example
   * memoizeAsync(async (id: number, db: Database) => db.user(id), { ignore: [1] });
   */
  readonly ignore?:
    readonly (Ignore<OverloadParameters<F>> | ((value: unknown, index: number) => boolean))[] | undefined;

  /**
   * Label in logs, events and errors, and the namespace in the store. At most 200 characters, no `|`. Wrappers with the
   * same given name on one store share their entries. Wanted beside a store that processes share.
   *
   * @default fn.name
   */
  readonly name?: string | undefined;

  /**
   * How long a result is fresh, in milliseconds, counted from the moment it settled. `0`: not stored; where a function gives
   * it, an older entry goes. `Infinity`: until evicted. A function that throws or gives anything else keeps nothing, and a
   * `store-error` tells.
   *
   * @default Infinity
   * @example
   * memoizeAsync(getToken, { ttl: (token) => token.expiresIn * 1000 });
   */
  readonly ttl?: number | ((value: Resolved<F>, ...args: Parameters<F>) => number) | undefined;

  /**
   * For this long after `ttl`, answer at once with the old value and refresh behind it (RFC 5861).
   *
   * @default 0
   */
  readonly staleWhileRevalidate?: number | undefined;

  /**
   * For this long after `ttl`, the old value answers when the run fails or times out (RFC 5861).
   *
   * @default 0
   */
  readonly staleIfError?: number | undefined;

  /**
   * Probabilistic early refresh in the background (XFetch, VLDB 2015). A factor, not a time: the greater, the earlier; `1`
   * suits most. Needs a `ttl` that ends.
   *
   * @default 0
   */
  readonly earlyRefresh?: number | undefined;

  /**
   * Shortens each `ttl` by a random share up to this (0 to 1), so that entries written together do not expire together.
   *
   * @default 0
   */
  readonly jitter?: number | undefined;

  /**
   * How long a rejection is remembered in this process: meanwhile nothing runs for its key. At most 1,000 for a name.
   *
   * @default 0
   * @example
   * memoizeAsync(getUser, { errorTtl: (error) => (error instanceof NotFound ? 5_000 : 0) });
   */
  readonly errorTtl?: number | ((error: unknown, ...args: Parameters<F>) => number) | undefined;

  /**
   * When the stored entry is inside a stale window: the longest a caller waits for the run before it gets the old value, in
   * milliseconds > 0.
   *
   * @default undefined
   */
  readonly softTimeout?: number | undefined;

  /**
   * The longest a run of `fn` may take, background runs included, in milliseconds > 0. Then it is detached, its signal aborts, and its
   * callers get the old value if `staleIfError` allows, else a `TimeoutError`.
   *
   * @default undefined
   */
  readonly timeout?: number | undefined;

  /**
   * The longest that store operations may delay a call, in milliseconds > 0. `delete`, `prime` and `clear` reject with a
   * `TimeoutError` then.
   *
   * @default 1000
   */
  readonly storeTimeout?: number | undefined;

  /**
   * Reject a call that would wait for its own run, with an error that names the way there. Costs an asynchronous context
   * for each run. A `TypeError` at once on a host without `AsyncLocalStorage`.
   *
   * @default false
   */
  readonly detectRecursion?: boolean | undefined;

  /**
   * Told of everything that happens, as it happens. What it throws changes no outcome.
   *
   * @default undefined
   */
  readonly onEvent?: ((event: MemoizeEvent) => unknown) | undefined;
}
