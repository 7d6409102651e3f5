import { isWellFormed } from './hashing/well-formed.js';
import { isStore } from './store/store-like.js';
import type { AnyFunction, OverloadParameters, Resolved } from './functions.js';
import type { MemoizeEvent } from './events.js';
import type { Ignore, IgnoreRule } from './hashing/ignore.js';
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

/** Options as the library uses them: checked, with every default in its place. */
export interface ResolvedOptions {
  readonly cache: CacheOption | undefined;
  readonly maxSize: number | undefined;
  readonly keyOf: ((...args: never[]) => unknown) | undefined;
  readonly ignore: readonly IgnoreRule[];
  readonly name: string | undefined;
  readonly ttl: number | ((value: unknown, ...args: readonly unknown[]) => unknown);
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly earlyRefresh: number;
  readonly jitter: number;
  readonly errorTtl: number | ((error: unknown, ...args: readonly unknown[]) => unknown);
  readonly softTimeout: number;
  readonly timeout: number;
  readonly storeTimeout: number;
  readonly detectRecursion: boolean;
  readonly onEvent: ((event: MemoizeEvent) => unknown) | undefined;
}

/** Characters of a name at most. */
export const LONGEST_NAME = 200;

const defaults: ResolvedOptions = {
  cache: undefined,
  maxSize: undefined,
  keyOf: undefined,
  ignore: [],
  name: undefined,
  ttl: Infinity,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  earlyRefresh: 0,
  jitter: 0,
  errorTtl: 0,
  softTimeout: Infinity,
  timeout: Infinity,
  storeTimeout: 1_000,
  detectRecursion: false,
  onEvent: undefined,
};

/** What is wrong with a value, as the end of "Expected `option` to be …"; `undefined` where it is right. */
type Check = (value: unknown) => string | undefined;

const checks: { readonly [Option in keyof ResolvedOptions]: Check } = {
  cache: (value) =>
    value === null || typeof value === 'function' || isStore(value)
      ? undefined
      : 'a store with get, set and delete, a function that picks one, or null',
  maxSize: (value) => (Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'a whole number > 0'),
  keyOf: isFunction,
  ignore: (value) =>
    Array.isArray(value) && Array.from(value as unknown[]).every(isIgnoreRule)
      ? undefined
      : 'an array of positions, property paths and predicates',
  name: (value) =>
    typeof value === 'string' && value.length <= LONGEST_NAME && !value.includes('|') && isWellFormed(value)
      ? undefined
      : `a string of at most ${LONGEST_NAME} characters without \`|\` and lone surrogates`,
  ttl: (value) =>
    typeof value === 'function' || isDuration(value) ? undefined : 'a number of milliseconds >= 0 or a function',
  staleWhileRevalidate: duration,
  staleIfError: duration,
  earlyRefresh: (value) => (isDuration(value) && value !== Infinity ? undefined : 'a finite number >= 0'),
  jitter: (value) => (isDuration(value) && value <= 1 ? undefined : 'a number from 0 to 1'),
  errorTtl: (value) =>
    typeof value === 'function' || isDuration(value) ? undefined : 'a number of milliseconds >= 0 or a function',
  softTimeout: limit,
  timeout: limit,
  storeTimeout: limit,
  detectRecursion: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  onEvent: isFunction,
};

/** Checks what the user gave. An option that is `undefined` counts as not given, an inherited one as absent. */
export function resolveOptions(given: unknown): ResolvedOptions {
  if (!isPlainObject(given)) throw new TypeError(`Expected options to be a plain object, got ${show(given)}`);
  const resolved: Record<string, unknown> = { ...defaults };
  for (const option of Reflect.ownKeys(given)) {
    if (typeof option === 'symbol' || !Object.hasOwn(checks, option)) {
      throw new TypeError(`Unknown option \`${String(option)}\`, got ${show(read(given, option))}`);
    }
    const value = read(given, option);
    if (value === undefined) continue;
    const expected = checks[option as keyof ResolvedOptions](value);
    if (expected !== undefined) throw new TypeError(`Expected \`${option}\` to be ${expected}, got ${show(value)}`);
    resolved[option] = option === 'ignore' ? [...(value as readonly IgnoreRule[])] : value;
  }
  const options = resolved as unknown as ResolvedOptions;
  if (options.keyOf !== undefined && options.ignore.length > 0) {
    throw new TypeError(`Expected \`ignore\` to be empty beside \`keyOf\`, got ${show(options.ignore)}`);
  }
  if (options.maxSize !== undefined && options.cache !== undefined) {
    throw new TypeError(`Expected no \`maxSize\` beside \`cache\`, got ${options.maxSize}`);
  }
  return options;
}

/** A value as an error message shows it: short, and whatever its getters and proxies do. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
    if (Array.isArray(value)) return showList(value);
    if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value);
    return Object.is(value, -0) ? '-0' : String(value);
  } catch {
    return 'an object that cannot be shown';
  }
}

/** Without what is in lists inside, which may be endless. */
function showList(list: readonly unknown[]): string {
  const items = list.slice(0, 10).map((item) => (Array.isArray(item) ? '[…]' : show(item)));
  return `[${items.join(', ')}${list.length > 10 ? ', …' : ''}]`;
}

export function isPlainObject(value: unknown): value is Record<PropertyKey, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has a foreign `Object.prototype`, which is nobody's heir.
  return (
    prototype === null ||
    prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

function read(given: Record<PropertyKey, unknown>, option: PropertyKey): unknown {
  try {
    return given[option];
  } catch (error) {
    throw new TypeError(`Expected \`${String(option)}\` to be an option that can be read`, { cause: error });
  }
}

function isIgnoreRule(rule: unknown): rule is IgnoreRule {
  if (typeof rule === 'number') return Number.isSafeInteger(rule) && rule >= 0;
  return typeof rule === 'function' || (typeof rule === 'string' && rule.split('.').every((name) => name !== ''));
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function duration(value: unknown): string | undefined {
  return isDuration(value) ? undefined : 'a number of milliseconds >= 0';
}

function limit(value: unknown): string | undefined {
  return isDuration(value) && value > 0 ? undefined : 'a number of milliseconds > 0';
}

function isFunction(value: unknown): string | undefined {
  return typeof value === 'function' ? undefined : 'a function';
}
