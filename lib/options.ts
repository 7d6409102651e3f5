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
   * Where results are stored.
   *
   * A `Map`, quick-lru, lru-cache, Keyv, cache-manager, `redisStore`, `tiered`, or a store of your own. `null` stores
   * nothing; concurrent calls still share one run. A function picks the store from the receiver (`this`) of each call, and
   * `perInstance` makes such a function. Give a `name` beside a store that several functions share. A `Map` never forgets,
   * so it is for few keys.
   *
   * @default a private quick-lru of `maxSize`
   * @example
   * const rates = memoizeAsync(async (currency: string) => fetchRate(currency), { cache: new Map(), name: 'rates' });
   */
  readonly cache?: CacheOption<Resolved<F>> | undefined;

  /**
   * How many results the default store holds at least.
   *
   * A whole number > 0. The store forgets the least recently used result, and holds at most twice as many. Cannot be
   * given beside `cache`: such a store has a size of its own.
   *
   * @default 1000
   * @example
   * const thumbnails = memoizeAsync(async (url: string) => `small ${url}`, { maxSize: 50_000 });
   */
  readonly maxSize?: number | undefined;

  /**
   * What identifies a call.
   *
   * Any plain value; it is encoded like arguments. Called with the arguments and the `this` of the call. Two calls with
   * equal results share a key, so everything that the result of `fn` depends on must be in it.
   *
   * @default all arguments
   * @example
   * const orders = memoizeAsync(async (user: User) => db.orders(user.id), { keyOf: (user) => [user.tenant, user.id] });
   */
  readonly keyOf?: ((this: ThisParameterType<F>, ...args: Parameters<F>) => unknown) | undefined;

  /**
   * What the key leaves out.
   *
   * `1` is the second argument. `'db'` is the property `db` of every plain-object argument, `'ctx.db'` a nested one.
   * `(value, index) => boolean` decides about each argument. Numbers and names are checked against the type of `fn`. Cannot
   * be given beside `keyOf`. Never leave out what decides who may see the result.
   *
   * @default []
   * @example
   * const search = memoizeAsync(
   *   async (query: { text: string; ctx: { requestId: string; locale: string } }, log: Logger) => runSearch(query, log),
   *   { ignore: ['ctx.requestId', (value) => value instanceof Logger] },
   * );
   */
  readonly ignore?:
    readonly (Ignore<OverloadParameters<F>> | ((value: unknown, index: number) => boolean))[] | undefined;

  /**
   * The label in logs, events and errors, and the namespace in the store.
   *
   * At most 200 characters, without `|`. Wrappers with the same explicit name on one store share their entries; two
   * functions whose equal names come from `fn.name` are refused. A store that processes share needs an explicit name,
   * because bundlers rename functions.
   *
   * @default fn.name
   * @example
   * const getInvoice = memoizeAsync(async (id: number) => db.invoice(id), { name: 'billing.getInvoice', cache: new Map() });
   */
  readonly name?: string | undefined;

  /**
   * How long a result is fresh, from the moment it settled.
   *
   * A function gets the value and the arguments. `0`: the result is not stored; where a function gives it, an older entry
   * of the key is removed. `Infinity`: until evicted. If the function throws or returns anything else, the call still
   * resolves, nothing is stored, and a `store-error` event reports it.
   *
   * @default Infinity
   * @example
   * const getToken = memoizeAsync(async (scope: string) => fetchToken(scope), {
   *   ttl: (token) => (token.expiresIn - 30) * 1_000,
   * });
   */
  readonly ttl?: number | ((value: Resolved<F>, ...args: Parameters<F>) => number) | undefined;

  /**
   * For this long after `ttl`, the old value is returned at once and refreshed in the background.
   *
   * As in RFC 5861. At most one background run a key is under way. If it fails, the old value stays until the window ends.
   *
   * @default 0
   * @example
   * const getPrices = memoizeAsync(async () => fetchPrices(), { ttl: 10_000, staleWhileRevalidate: 60_000 });
   */
  readonly staleWhileRevalidate?: number | undefined;

  /**
   * For this long after `ttl`, the old value is returned where the run fails or times out.
   *
   * As in RFC 5861. Callers wait for the run first; `softTimeout` limits that. Both stale windows begin when `ttl` ends.
   *
   * @default 0
   * @example
   * const getPrices = memoizeAsync(async () => fetchPrices(), { ttl: 10_000, staleIfError: 24 * 3_600_000 });
   */
  readonly staleIfError?: number | undefined;

  /**
   * Refreshes an entry in the background shortly before it expires, by chance.
   *
   * A factor, not a time. The chance grows towards the end of `ttl` and with the duration of the run (XFetch, Vattani et
   * al., VLDB 2015). `1` suits most; a greater one refreshes earlier. For keys that are asked for often.
   *
   * @default 0
   * @example
   * const frontPage = memoizeAsync(async () => renderFrontPage(), { ttl: 30_000, earlyRefresh: 1 });
   */
  readonly earlyRefresh?: number | undefined;

  /**
   * Shortens each `ttl` by a random share up to this.
   *
   * From 0 to 1. Entries that were written together then do not expire together.
   *
   * @default 0
   * @example
   * const getProduct = memoizeAsync(async (id: number) => db.find('products', id), { ttl: 300_000, jitter: 0.1 });
   */
  readonly jitter?: number | undefined;

  /**
   * How long a rejection is remembered, in this process.
   *
   * Meanwhile `fn` does not run for that key: callers get the same error, or the old value inside a stale window. A function
   * gets the error and the arguments. At most 1,000 rejections a name are remembered.
   *
   * @default 0
   * @example
   * const getProfile = memoizeAsync(async (id: number) => db.user(id), {
   *   errorTtl: (error) => (error instanceof NotFoundError ? 5_000 : 0),
   * });
   */
  readonly errorTtl?: number | ((error: unknown, ...args: Parameters<F>) => number) | undefined;

  /**
   * How long a caller waits for the run before it gets the old value.
   *
   * Greater than 0. It applies where the stored entry is inside a stale window. The run goes on, and its result is stored.
   *
   * @default none
   * @example
   * const getWeather = memoizeAsync(async (city: string) => fetchWeather(city), {
   *   ttl: 60_000,
   *   staleIfError: 3_600_000,
   *   softTimeout: 200,
   * });
   */
  readonly softTimeout?: number | undefined;

  /**
   * How long a run of `fn` may take.
   *
   * Greater than 0. It applies to background runs too. After that the run is detached: the next call starts a new one, the
   * signal that `fn` got aborts with a `TimeoutError`, and callers get the old value if `staleIfError` allows it, else the
   * error. A late result is dropped. The timer does not keep the process alive.
   *
   * @default none
   * @example
   * const getReport = memoizeAsync(async (id: number) => db.report(id), { timeout: 5_000 });
   */
  readonly timeout?: number | undefined;

  /**
   * How long one store operation may delay a call.
   *
   * Greater than 0. A read that takes longer is a miss. `delete`, `prime` and `clear` reject with a `TimeoutError` then.
   *
   * @default 1000
   * @example
   * const getReport = memoizeAsync(async (id: number) => db.report(id), {
   *   cache: new Keyv(),
   *   name: 'getReport',
   *   storeTimeout: 250,
   * });
   */
  readonly storeTimeout?: number | undefined;

  /**
   * Rejects a call that would wait for its own run.
   *
   * Without it, a function that awaits its own wrapper with the same arguments waits until `timeout`. It costs an
   * `AsyncLocalStorage` context for each run and nothing for a hit. A host without `AsyncLocalStorage` gets a `TypeError` at
   * once.
   *
   * @default false
   * @example
   * const getNode = memoizeAsync(async (id: number): Promise<number> => getNode(id), { detectRecursion: true, name: 'getNode' });
   * await getNode(1).catch((error) => console.log(error.message));
   * // getNode: this call would wait for itself, by way of #1 → #1
   */
  readonly detectRecursion?: boolean | undefined;

  /**
   * A listener that is called for each event, when it happens.
   *
   * Events are a union on `type`. What the listener throws, or what its promise rejects with, changes no outcome.
   *
   * @default none
   * @example
   * const getReport = memoizeAsync(async (id: number) => db.report(id), { onEvent: ({ type }) => metrics.count(type) });
   */
  readonly onEvent?: ((event: MemoizeEvent) => unknown) | undefined;
}
