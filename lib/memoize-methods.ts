import { createFacade } from './facade.js';
import { wrap } from './memoize-async.js';
import { isPlainObject } from './platform/plain-object.js';
import { show } from './platform/show.js';
import { givenOptions, resolveOptions } from './resolve-options.js';
import type { AnyFunction, IsAsync } from './functions.js';
import type { Memoized } from './memoized.js';
import type { MemoizeOptions } from './options.js';
import type { ResolvedOptions } from './resolve-options.js';

/** The names of the methods of `C` that return promises. */
export type AsyncMethod<C> = {
  [Name in keyof C]-?: IsAsync<NonNullable<C[Name]>> extends true ? Name : never;
}[keyof C];

/** A client whose methods `Name` are memoized. Their wrappers come first, since their signatures hold. */
export type MemoizedMethods<C, Name extends keyof C> = {
  readonly [N in Name]-?: Memoized<Extract<C[N], AnyFunction>>;
} & C;

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
): MemoizedMethods<C, Name> {
  if (!isObject(client)) throw new TypeError(`Expected a client with methods, got ${show(client)}`);
  if (!isPlainObject(methods)) throw new TypeError(`Expected options by method name, got ${show(methods)}`);
  const shared = givenOptions(defaults);
  const memoized = new Map<PropertyKey, unknown>();
  for (const name of Reflect.ownKeys(methods)) {
    const options = (methods as Record<PropertyKey, unknown>)[name];
    if (options === undefined) continue;
    const method: unknown = Reflect.get(client, name, client);
    if (typeof method !== 'function') {
      throw new TypeError(`Expected \`${String(name)}\` to be a method, got ${show(method)}`);
    }
    memoized.set(name, memoizeMethod(client, name, method as AnyFunction, shared, givenOptions(options)));
  }
  return createFacade(client, memoized) as MemoizedMethods<C, Name>;
}

/** A method of one client, as a function of its own: two clients never share entries by chance. */
function memoizeMethod(
  client: object,
  name: PropertyKey,
  method: AnyFunction,
  defaults: MemoizeOptions,
  own: MemoizeOptions,
): unknown {
  const fn = (...args: unknown[]): unknown => Reflect.apply(method, client, args);
  Object.defineProperties(fn, { name: { value: String(name) }, length: { value: method.length } });
  // The receiver is always the client, also for a method that was taken off the facade.
  const options = resolveOptions(own, defaults);
  const { cache, keyOf } = options;
  const bound: ResolvedOptions = {
    ...options,
    cache: typeof cache === 'function' ? () => cache(client) : cache,
    keyOf: keyOf && ((...args: unknown[]) => Reflect.apply(keyOf as AnyFunction, client, args) as unknown),
    // A prefix makes the names of methods explicit: no bundler renames them.
    ...(defaults.name !== undefined && own.name === undefined && { name: String(name) }),
  };
  const wrapper = wrap(fn, bound, { name: defaults.name }) as object;
  return typeof cache === 'function' ? Object.assign(wrapper, { cache }) : wrapper;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
