import type { AnyFunction, CallParameters, OptionalFunction, OverloadParameters, Resolved } from './functions.js';
import type { MemoizeEvent } from './events.js';
import type { Ignore } from './hashing/ignore-paths.js';
import type { StoreLike } from './store/store-like.js';

/** Picks the store of a call from its receiver (`this`). `perInstance` makes one. */
export type StoreSelector<V = unknown> = (receiver: unknown) => StoreLike<V> | null;

/** Where results are stored. */
export type CacheOption<V = unknown> = StoreLike<V> | StoreSelector<V> | null;

/** The options of `memoizeAsync` for a function `F`. All times are milliseconds. */
export interface MemoizeOptions<F extends OptionalFunction = AnyFunction> {
  /**
   * Where results are stored: a `Map`, quick-lru, lru-cache, Keyv, cache-manager, `redisStore`, `tiered`, or your own.
   *
   * `null` stores nothing; concurrent calls still share one run. A function picks the store from the receiver (`this`) of
   * each call; `perInstance` makes one.
   *
   * @default a quick-lru of its own that holds `maxSize` results
   * @example
   * memoizeAsync(getUser, { cache: new Keyv(), name: 'getUser' });
   */
  readonly cache?: CacheOption<Resolved<F>> | undefined;

  /**
   * How many results the private store holds at least, a whole number > 0.
   *
   * The least recently used results are dropped first. Up to twice as many are in memory. Cannot be combined with `cache`.
   *
   * @default 1000
   * @example
   * memoizeAsync(getUser, { maxSize: 50_000 });
   */
  readonly maxSize?: number | undefined;

  /**
   * What identifies a call, derived from its arguments: any value that can be a key, encoded like arguments.
   *
   * Arguments that it does not return do not matter. It is called with the `this` of the call. `undefined` as the whole
   * result is refused, since a misspelt property would make all calls one. Cannot be combined with `ignore`.
   *
   * @default all arguments
   * @example
   * memoizeAsync(getOrders, { keyOf: (user) => [user.tenant, user.id] });
   */
  readonly keyOf?: ((this: ThisParameterType<F>, ...args: CallParameters<F>) => unknown) | undefined;

  /**
   * What the key leaves out: `1` the second argument; `'db'` the property `db` of every plain-object argument; `'ctx.db'`
   * a nested property; `(value, index) => boolean` any argument.
   *
   * Calls that differ only there share one result. Positions and paths are checked against the parameters of the function;
   * deep inside large types any path is accepted. Cannot be combined with `keyOf`.
   *
   * @default []
   * @example
   * memoizeAsync(async (id: number, db: Database) => db.user(id), { ignore: [1] });
   */
  readonly ignore?:
    readonly (Ignore<OverloadParameters<F>> | ((value: unknown, index: number) => boolean))[] | undefined;

  /**
   * Makes values keyable that are refused otherwise, such as ids and decimals of a library.
   *
   * It is asked only about a value that would be refused, at any depth of the arguments. What it returns is encoded in
   * place of the value and equals no plain value; `undefined` refuses the value after all. Return all that tells two values
   * apart.
   *
   * @default undefined
   * @example
   * memoizeAsync(getOrders, {
   *   encode: (value) => (value instanceof ObjectId ? ['ObjectId', value.toHexString()] : undefined),
   * });
   */
  readonly encode?: ((value: unknown) => unknown) | undefined;

  /**
   * The label in logs, events and errors, and the namespace in the store. At most 200 characters, without `|`.
   *
   * Wrappers with the same given name on one store share entries. Required beside a store that processes share, because
   * bundlers rename functions.
   *
   * @default fn.name
   * @example
   * memoizeAsync(getUser, { name: 'getUser', cache: redisStore(client) });
   */
  readonly name?: string | undefined;

  /**
   * How long a result is fresh, in milliseconds from the moment it settled.
   *
   * `0`: the result is not stored; with a stale window it is stored only as the old value, so `fn` is always asked and the old
   * value answers where that fails. `Infinity`: until evicted. A negative number is refused here and counts as `0` where a
   * function returns it. A `0` from a function also removes an older entry. A function that throws, or returns anything
   * else, stores nothing; the call resolves and a `store-error` event is emitted.
   *
   * @default Infinity
   * @example
   * memoizeAsync(getToken, { ttl: (token) => token.expiresIn * 1000 - 30_000 });
   */
  readonly ttl?: number | ((value: Resolved<F>, ...args: CallParameters<F>) => number) | undefined;

  /**
   * Labels by which `invalidateTags` forgets the result, in all wrappers on its store: strings, or a function that gives
   * them for a result.
   *
   * For the private store, stores that answer at once (`Map`, quick-lru, lru-cache), `redisStore` and `tiered` over it. Other
   * stores are refused with a `TypeError`: processes that share them have neither a clock nor an order in common. A function
   * that throws, or gives anything but strings, stores nothing; the call resolves and a `store-error` event is emitted.
   *
   * @default []
   * @example
   * memoizeAsync(getPost, { tags: (post) => ['posts', `author:${post.authorId}`] });
   */
  readonly tags?:
    readonly string[] | ((value: Resolved<F>, ...args: CallParameters<F>) => Iterable<string> & object) | undefined;

  /**
   * For how long after `ttl` a call is answered with the old value at once, in milliseconds, while a refresh runs in the
   * background (RFC 5861).
   *
   * An answer can be `ttl + staleWhileRevalidate` old. Requires a `ttl` that ends.
   *
   * @default 0
   * @example
   * memoizeAsync(getRates, { ttl: 60_000, staleWhileRevalidate: 600_000 });
   */
  readonly staleWhileRevalidate?: number | undefined;

  /**
   * For how long after `ttl` the old value answers where the run fails or times out, in milliseconds (RFC 5861).
   *
   * Callers do not see that error; the `fallback` and `run` events carry it. Requires a `ttl` that ends.
   *
   * @default 0
   * @example
   * memoizeAsync(getRates, { ttl: 60_000, staleIfError: 86_400_000 });
   */
  readonly staleIfError?: number | undefined;

  /**
   * Refreshes entries in the background before they expire, at random and more likely the nearer the end (XFetch, VLDB
   * 2015). A factor >= 0, not a time: the greater, the earlier; `1` suits most.
   *
   * Processes that share entries then do not all run `fn` when one expires. Slow functions are refreshed earlier. Requires a
   * `ttl` that ends.
   *
   * @beta
   * @default 0
   * @example
   * memoizeAsync(getReport, { ttl: 60_000, earlyRefresh: 1 });
   */
  readonly earlyRefresh?: number | undefined;

  /**
   * Shortens each `ttl` by a random share up to this one, from 0 to 1.
   *
   * Entries that are written together then do not expire together. Requires a `ttl` that ends.
   *
   * @default 0
   * @example
   * memoizeAsync(getUser, { ttl: 60_000, jitter: 0.1 }); // between 54 and 60 seconds
   */
  readonly jitter?: number | undefined;

  /**
   * How long a rejection is remembered in this process, in milliseconds.
   *
   * Until then `fn` does not run for that key: calls reject with the same error, or get the old value inside a stale
   * window. At most 1,000 errors are remembered.
   *
   * @default 0
   * @example
   * memoizeAsync(getUser, { errorTtl: (error) => (error instanceof NotFound ? 5_000 : 0) });
   */
  readonly errorTtl?: number | ((error: unknown, ...args: CallParameters<F>) => number) | undefined;

  /**
   * How long a caller waits for a run before it gets the old value, in milliseconds > 0. Applies inside a stale window.
   *
   * The run goes on and its result is stored. Requires `staleWhileRevalidate` or `staleIfError`.
   *
   * @default undefined
   * @example
   * memoizeAsync(getRates, { ttl: 60_000, staleIfError: 600_000, softTimeout: 200 });
   */
  readonly softTimeout?: number | undefined;

  /**
   * The longest that a run of `fn` may take, background runs included, in milliseconds > 0.
   *
   * After that the run is detached: its signal aborts, the next call starts a new run, and a late result is dropped. Its
   * callers get the old value where `staleIfError` allows, else a `TimeoutError`.
   *
   * @default undefined
   * @example
   * memoizeAsync(getUser, { timeout: 5_000 });
   */
  readonly timeout?: number | undefined;

  /**
   * The longest that one store operation may delay a call, in milliseconds > 0.
   *
   * A read that takes longer counts as a miss. `delete`, `expire`, `prime`, `clear` and `invalidateTags` reject with a
   * `TimeoutError` instead.
   *
   * @default 1000
   * @example
   * memoizeAsync(getUser, { name: 'getUser', cache: redisStore(client), storeTimeout: 100 });
   */
  readonly storeTimeout?: number | undefined;

  /**
   * Whether a value that the store gives is still of use: after a deploy it may hold values of another shape.
   *
   * Anything but `true`, or an error, makes it a miss: one run replaces the entry, also where processes share the store, and
   * a `store-error` event is emitted. It must be synchronous. It is asked once for each object that the store gives: at each
   * hit where the store decodes text, once where values stay in memory, and never beside the private store.
   *
   * @default undefined
   * @example
   * memoizeAsync(getUser, {
   *   name: 'getUser',
   *   cache: redisStore(client),
   *   validate: (value) => userSchema.safeParse(value).success,
   * });
   */
  readonly validate?: ((value: unknown) => boolean) | undefined;

  /**
   * Rejects a call that would wait for its own run. The error names the chain of calls.
   *
   * Without it such a call never settles. Costs an asynchronous context for each run; a `TypeError` at once on a host
   * without `AsyncLocalStorage`.
   *
   * @default false
   * @example
   * memoizeAsync(resolveModule, { detectRecursion: true });
   */
  readonly detectRecursion?: boolean | undefined;

  /**
   * Receives an event for everything that happens, synchronously.
   *
   * What it throws, or rejects with, changes no outcome.
   *
   * @default undefined
   * @example
   * memoizeAsync(getUser, { onEvent: (event) => metrics.count(`${event.name}.${event.type}`) });
   */
  readonly onEvent?: ((event: MemoizeEvent) => unknown) | undefined;
}
