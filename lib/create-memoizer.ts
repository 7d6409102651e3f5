import { isPlainObject, resolveOptions, show } from './options.js';
import { wrap } from './memoize-async.js';
import { emptyStats } from './events.js';
import type { Stats } from './events.js';
import type { AnyFunction, AsyncFunction } from './functions.js';
import type { Controls, Memoized } from './memoized.js';
import type { Memoizer } from './memoize-async.js';
import type { MemoizeOptions } from './options.js';

/** A `memoizeAsync` with defaults, and a hand on all its wrappers. */
export interface DefaultedMemoizer {
  <F extends AsyncFunction>(fn: F, options?: MemoizeOptions<F>): Memoized<F>;
  <This, Args extends unknown[], R>(
    fn: (this: This, ...args: Args) => R,
    options?: MemoizeOptions<(this: This, ...args: Args) => Promise<Awaited<R>>>,
  ): Memoized<(this: This, ...args: Args) => Promise<Awaited<R>>>;
  (options: MemoizeOptions): Memoizer;
  /** Forget the entries of all wrappers. Rejects with the first error of a store. */
  clear(): Promise<void>;
  /** Resolves when nothing is under way in any wrapper. */
  settled(): Promise<void>;
  /** The sum over all wrappers. */
  stats(): Stats;
}

/**
 * One set of defaults for many functions. A wrapper's options override them one by one, its `keyOf` also their `ignore`;
 * the `name` of the defaults prefixes every wrapper's as `prefix.name`. Wrappers live as long as their memoizer.
 *
 * @example
 * const memoize = createMemoizer({ name: 'users', ttl: 60_000 });
 * export const getUser = memoize(async (id: number) => fetchUser(id), { name: 'getUser' });
 */
export function createMemoizer(defaults: MemoizeOptions = {}): DefaultedMemoizer {
  const shared = given(defaults);
  const wrappers: Controls<AnyFunction>[] = [];
  const memoize = (fnOrOptions: unknown, options: unknown = {}): unknown => {
    if (typeof fnOrOptions !== 'function') {
      if (!isPlainObject(fnOrOptions)) throw new TypeError(`Expected a function to memoize, got ${show(fnOrOptions)}`);
      given(fnOrOptions);
      return (fn: unknown) => {
        if (typeof fn !== 'function') throw new TypeError(`Expected a function to memoize, got ${show(fn)}`);
        return memoize(fn, fnOrOptions);
      };
    }
    const wrapper = wrap(
      fnOrOptions as AnyFunction,
      resolveOptions(merge(shared, given(options))),
      shared.name,
    ) as Memoized<AnyFunction>;
    wrappers.push(wrapper);
    return wrapper;
  };
  return Object.assign(memoize as Memoizer, {
    clear: async () => {
      await Promise.all(wrappers.map((wrapper) => wrapper.clear()));
    },
    settled: async () => {
      await Promise.all(wrappers.map((wrapper) => wrapper.settled()));
    },
    stats: () => sum(wrappers.map((wrapper) => wrapper.stats())),
  });
}

/** The names of the methods of `C` that return promises. */
type AsyncMethod<C> = { [Name in keyof C]: C[Name] extends AsyncFunction ? Name : never }[keyof C];

/** Options for some methods of `C`. */
export type MethodOptions<C> = { readonly [Name in AsyncMethod<C>]?: MemoizeOptions<Extract<C[Name], AnyFunction>> };

/** A client whose named methods are memoized. */
export type MemoizedMethods<C, Methods> = C & {
  readonly [Name in keyof Methods & keyof C]: Memoized<Extract<C[Name], AnyFunction>>;
};

/**
 * An object of the client's type in which the named methods are memoized and everything else passes through. All is called
 * on the client, so that private fields work.
 *
 * @throws {TypeError} for a name that is no method.
 * @example
 * const users = memoizeMethods(new UsersClient(), { getUser: { ttl: 60_000 }, listUsers: {} });
 * await users.getUser(7);
 * await users.getUser.delete(7);
 */
export function memoizeMethods<C extends object, Methods extends MethodOptions<C>>(
  client: C,
  methods: Methods & MethodOptions<C>,
  defaults: MemoizeOptions = {},
): MemoizedMethods<C, Methods> {
  if (!isObject(client)) throw new TypeError(`Expected a client with methods, got ${show(client)}`);
  if (!isPlainObject(methods)) throw new TypeError(`Expected options by method name, got ${show(methods)}`);
  const shared = given(defaults);
  const facade = Object.create(passThrough(client)) as MemoizedMethods<C, Methods>;
  for (const [name, options] of Object.entries(methods as Record<string, unknown>)) {
    const method: unknown = Reflect.get(client, name, client);
    if (typeof method !== 'function') throw new TypeError(`Expected \`${name}\` to be a method, got ${show(method)}`);
    Object.defineProperty(facade, name, {
      value: memoizeMethod(client, name, method as AnyFunction, shared, given(options ?? {})),
      enumerable: true,
    });
  }
  return facade;
}

/** A method of one client, as a function of its own: two clients never share entries by chance. */
function memoizeMethod(client: object, name: string, method: AnyFunction, defaults: Given, own: Given): unknown {
  const fn = (...args: unknown[]): unknown => Reflect.apply(method, client, args);
  Object.defineProperties(fn, { name: { value: name }, length: { value: method.length } });
  // The receiver is always the client, also for a method that was taken off the facade.
  const { cache, keyOf, ...options } = merge(defaults, own);
  const bound = {
    ...options,
    cache: typeof cache === 'function' ? () => cache(client) : cache,
    keyOf: keyOf && ((...args: never[]) => Reflect.apply(keyOf as AnyFunction, client, args)),
    // A prefix makes the names of methods the user's word: no bundler renames them.
    ...(defaults.name !== undefined && own.name === undefined && { name }),
  };
  return wrap(fn, resolveOptions(bound), defaults.name);
}

/** Everything of the client but the methods that stand before it: called on the client, set on the client. */
function passThrough(client: object): object {
  const methods = new WeakMap<object, unknown>();
  const throughClient = (method: AnyFunction): unknown => {
    let known = methods.get(method);
    if (known === undefined) {
      known = new Proxy(method, { apply: (target, _receiver, args) => Reflect.apply(target, client, args) as unknown });
      methods.set(method, known);
    }
    return known;
  };
  // An empty target, for what a proxy may say of a frozen one is restricted.
  return new Proxy(
    {},
    {
      get: (_target, property) => {
        const value: unknown = Reflect.get(client, property, client);
        return typeof value === 'function' && property !== 'constructor' ? throughClient(value as AnyFunction) : value;
      },
      set: (_target, property, value) => Reflect.set(client, property, value, client),
      has: (_target, property) => Reflect.has(client, property),
      deleteProperty: (_target, property) => Reflect.deleteProperty(client, property),
      getPrototypeOf: () => Reflect.getPrototypeOf(client),
    },
  );
}

/** Options that were checked and really given. */
type Given = MemoizeOptions;

function given(options: unknown): Given {
  resolveOptions(options);
  return Object.fromEntries(Object.entries(options as object).filter(([, value]) => value !== undefined));
}

/** Own options override defaults one by one; an own `keyOf` makes a default `ignore` pointless. */
function merge({ name: _prefix, ...defaults }: Given, own: Given): Given {
  const merged = { ...defaults, ...own };
  if (own.keyOf !== undefined && own.ignore === undefined) delete (merged as { ignore?: unknown }).ignore;
  return merged;
}

function sum(all: readonly Stats[]): Stats {
  const total = { ...emptyStats };
  for (const stats of all) {
    for (const count of Object.keys(total) as (keyof Stats)[]) total[count] += stats[count];
  }
  return total;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
