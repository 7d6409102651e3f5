import { answerCall, answerString } from './call/call.js';
import { NativePromise } from './platform/promise.js';
import { show } from './platform/show.js';
import { resolveOptions } from './resolve-options.js';
import { createControls } from './call/controls.js';
import { setTagSpaces } from './call/tag-space.js';
import { createWrapper } from './call/wrapper.js';
import type { ResolvedOptions } from './resolve-options.js';
import type { AnyFunction, Callable, Inferable, IsAsync, Promised, ReturnsPromise } from './functions.js';
import type { Memoized } from './memoized.js';
import type { MemoizeOptions } from './options.js';
import type { Owner } from './call/wrapper.js';

/** Memoizes a function with options that were given before. One signature: composition infers nothing from several. */
export interface Memoize {
  <F extends Callable>(fn: F): Memoized<true extends IsAsync<F> ? F : Promised<F>>;
}

/**
 * A function like `fn` whose concurrent calls with equal arguments share one run and whose results are kept in `cache`.
 * With options alone it returns a function that wraps, for any `pipe`.
 *
 * A call never throws synchronously: what goes wrong is a rejection. Callers share one value, so treat it as read-only.
 *
 * @throws {TypeError} at once, for a non-function, an unknown option or one of the wrong kind.
 * @example
 * const getUser = memoizeAsync(async (id: number, db: Database) => db.user(id), { ignore: [1], ttl: 60_000 });
 * await Promise.all([getUser(7, db), getUser(7, db)]); // one query
 */
export function memoizeAsync<F extends Inferable>(fn: F & ReturnsPromise, options?: MemoizeOptions<F>): Memoized<F>;
export function memoizeAsync<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R,
  options?: MemoizeOptions<(this: This, ...args: Args) => Promise<Awaited<R>>>,
): Memoized<(this: This, ...args: Args) => Promise<Awaited<R>>>;
export function memoizeAsync(options: MemoizeOptions): Memoize;
export function memoizeAsync(fnOrOptions: unknown, options?: unknown): unknown {
  return memoizeWith(fnOrOptions, options, resolveOptions, wrap);
}

/** With a function: its wrapper. With options alone: what wraps a function. */
export function memoizeWith(
  fnOrOptions: unknown,
  options: unknown,
  resolve: (options: unknown) => ResolvedOptions,
  wrapOne: (fn: AnyFunction, options: ResolvedOptions) => unknown,
): unknown {
  if (typeof fnOrOptions === 'function') {
    return wrapOne(fnOrOptions as AnyFunction, resolve(options === undefined ? {} : options));
  }
  if (typeof fnOrOptions !== 'object' || fnOrOptions === null || options !== undefined) {
    throw new TypeError(`Expected a function to memoize, got ${show(fnOrOptions)}`);
  }
  const resolved = resolve(fnOrOptions);
  return (fn: unknown) => {
    if (typeof fn !== 'function') throw new TypeError(`Expected a function to memoize, got ${show(fn)}`);
    return wrapOne(fn as AnyFunction, resolved);
  };
}

export function wrap(fn: AnyFunction, options: ResolvedOptions, owner?: Owner): unknown {
  if (/^\[object (?:Async)?GeneratorFunction\]$/.test(Object.prototype.toString.call(fn))) {
    throw new TypeError(`Expected a function whose result can be shared, got a generator function: return an array`);
  }
  const wrapper = createWrapper(fn, options, owner);
  const answerList = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return answerCall(wrapper, this, args);
  };
  const memoized = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const first = args[0];
    if (args.length === 1 && typeof first === 'string') return answerString(wrapper, this, first);
    // Passed on as they are, no list of arguments is made here.
    try {
      return answerList.apply(this, args);
    } catch (error) {
      // More arguments than a call can have.
      return NativePromise.reject(error);
    }
  };
  setTagSpaces(memoized, wrapper.namespaces);
  return Object.defineProperties(memoized, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    ...Object.getOwnPropertyDescriptors(createControls(wrapper, fn)),
  });
}
