import { Activity } from './activity.js';
import { emptyStats } from './events.js';
import { createFacade } from './facade.js';
import { memoizeWith, wrap } from './memoize-async.js';
import { isPlainObject, resolveOptions, show } from './options.js';
import type { Stats } from './events.js';
import type { AnyFunction, AsyncFunction } from './functions.js';
import type { memoizeAsync } from './memoize-async.js';
import type { Owner } from './wrapper.js';
import type { Controls, Memoized } from './memoized.js';
import type { MemoizeOptions } from './options.js';

/**
 * One set of defaults for many functions. A wrapper's options override them one by one, its `keyOf` also their `ignore`,
 * its `cache` their `maxSize` and the other way round; the `name` of the defaults prefixes every wrapper's as `prefix.name`.
 * Wrappers live as long as their memoizer: make them once, not for each request.
 *
 * @throws {TypeError} at once, for an unknown option or one of the wrong kind.
 * @example
 * const memoize = createMemoizer({ name: 'users', ttl: 60_000 });
 * export const getUser = memoize(async (id: number) => fetchUser(id), { name: 'getUser' });
 * export const listUsers = memoize(async () => fetchUsers(), { name: 'listUsers', ttl: 5_000 });
 * await memoize.clear(); // after a write
 */
export function createMemoizer(defaults: MemoizeOptions = {}): typeof memoizeAsync & {
  /**
   * Forget the entries of all wrappers, and nobody else's. All are tried, then it rejects with the first error. Where
   * `cache` picks a store from the receiver, that is the store of `undefined`.
   */
  clear(): Promise<void>;
  /** Resolves when nothing is under way in any wrapper. */
  settled(): Promise<void>;
  /** The sum over all wrappers. */
  stats(): Stats;
} {
  const shared = given(defaults);
  const activity = new Activity();
  const owner: Owner = { name: shared.name, activity };
  const wrappers: Controls<AnyFunction>[] = [];
  const memoize = (fnOrOptions: unknown, options?: unknown): unknown =>
    memoizeWith(
      fnOrOptions,
      options,
      (own) => resolveOptions(merge(shared, given(own))),
      (fn, resolved) => {
        const wrapper = wrap(fn, resolved, owner) as Memoized<AnyFunction>;
        wrappers.push(wrapper);
        return wrapper;
      },
    );
  return Object.assign(memoize as typeof memoizeAsync, {
    clear: async () => {
      const outcomes = await Promise.allSettled(wrappers.map((wrapper) => wrapper.clear()));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
    settled: () => activity.settled(),
    stats: () => sum(wrappers.map((wrapper) => wrapper.stats())),
  });
}

/** The names of the methods of `C` that return promises. */
type AsyncMethod<C> = { [Name in keyof C]-?: NonNullable<C[Name]> extends AsyncFunction ? Name : never }[keyof C];

/**
 * An object of the client's type in which the named methods are memoized and everything else passes through. All is called
 * on the client, so that private fields work; a method that returns its client returns this object. Methods are taken as
 * they are now. A method with options `undefined` counts as not named.
 *
 * @param methods Options by method name.
 * @param defaults As for `createMemoizer`. With a `name`, two clients of one store share entries.
 * @throws {TypeError} for a name that is no method.
 * @example
 * const users = memoizeMethods(new UsersClient(), { getUser: { ttl: 60_000 }, listUsers: {} });
 * await users.getUser(7);
 * await users.getUser.delete(7);
 */
export function memoizeMethods<C extends object, Name extends AsyncMethod<C>>(
  client: C,
  methods: { readonly [N in Name]: MemoizeOptions<Extract<C[N], AnyFunction>> | undefined },
  defaults: MemoizeOptions = {},
): C & { readonly [N in Name]: Memoized<Extract<C[N], AnyFunction>> } {
  if (!isObject(client)) throw new TypeError(`Expected a client with methods, got ${show(client)}`);
  if (!isPlainObject(methods)) throw new TypeError(`Expected options by method name, got ${show(methods)}`);
  const shared = given(defaults);
  const memoized = new Map<PropertyKey, unknown>();
  for (const name of Reflect.ownKeys(methods)) {
    const options = (methods as Record<PropertyKey, unknown>)[name];
    if (options === undefined) continue;
    const method: unknown = Reflect.get(client, name, client);
    if (typeof method !== 'function') {
      throw new TypeError(`Expected \`${String(name)}\` to be a method, got ${show(method)}`);
    }
    memoized.set(name, memoizeMethod(client, name, method as AnyFunction, shared, given(options)));
  }
  return createFacade(client, memoized) as C & { readonly [N in Name]: Memoized<Extract<C[N], AnyFunction>> };
}

/** A method of one client, as a function of its own: two clients never share entries by chance. */
function memoizeMethod(client: object, name: PropertyKey, method: AnyFunction, defaults: Given, own: Given): unknown {
  const fn = (...args: unknown[]): unknown => Reflect.apply(method, client, args);
  Object.defineProperties(fn, { name: { value: String(name) }, length: { value: method.length } });
  // The receiver is always the client, also for a method that was taken off the facade.
  const { cache, keyOf, ...options } = merge(defaults, own);
  const bound = {
    ...options,
    cache: typeof cache === 'function' ? () => cache(client) : cache,
    keyOf: keyOf && ((...args: unknown[]) => Reflect.apply(keyOf as AnyFunction, client, args) as unknown),
    // A prefix makes the names of methods the user's word: no bundler renames them.
    ...(defaults.name !== undefined && own.name === undefined && { name: String(name) }),
  };
  const wrapper = wrap(fn, resolveOptions(bound), { name: defaults.name }) as object;
  return typeof cache === 'function' ? Object.assign(wrapper, { cache }) : wrapper;
}

/** Options that were checked and really given. */
type Given = MemoizeOptions;

function given(options: unknown): Given {
  const resolved: object = resolveOptions(options);
  const isGiven = ([option]: readonly [string, unknown]): boolean =>
    Object.hasOwn(options as object, option) && (options as Record<string, unknown>)[option] !== undefined;
  return Object.fromEntries(Object.entries(resolved).filter(isGiven));
}

/** Own options override defaults one by one, and those that do not go with them. */
function merge({ name: _prefix, ...defaults }: Given, own: Given): Given {
  const kept: { -readonly [Option in keyof Given]: Given[Option] } = defaults;
  if (own.keyOf !== undefined) delete kept.ignore;
  if (own.cache !== undefined) delete kept.maxSize;
  if (own.maxSize !== undefined) delete kept.cache;
  return { ...kept, ...own };
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
