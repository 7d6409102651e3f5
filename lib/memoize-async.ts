import { show } from './platform/show.js';
import { resolveOptions } from './resolve-options.js';
import { answer, depart, received } from './call/answer.js';
import { createControls } from './call/controls.js';
import { Flight } from './in-flight/flight.js';
import { abortedSignal, findSignals } from './in-flight/signals.js';
import { Reading } from './store/guarded-store.js';
import { hasNoEnd, resultOf } from './store/memory-store.js';
import { join, wait } from './call/wait.js';
import { createWrapper } from './call/wrapper.js';
import type { ResolvedOptions } from './resolve-options.js';
import type { AnyFunction, Callable, Inferable, IsAsync, Promised, ReturnsPromise } from './functions.js';
import type { Memoized } from './memoized.js';
import type { MemoizeOptions } from './options.js';
import type { Place } from './call/namespace.js';
import type { Entry } from './store/store.js';
import type { Call, Owner, Wrapper } from './call/wrapper.js';

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
  const wrapper = createWrapper(fn, options, owner);
  const receiveList = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return receive(wrapper, this, args, undefined);
  };
  const memoized = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    if (args.length === 1) return receive(wrapper, this, undefined, args[0]);
    try {
      return receiveList.apply(this, args);
    } catch (error) {
      // So many arguments that they do not fit on the stack twice.
      return Promise.reject(error);
    }
  };
  return Object.defineProperties(memoized, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    ...Object.getOwnPropertyDescriptors(createControls(wrapper, fn)),
  });
}

/**
 * The order of one call: who is it, is it under way, is it known, else run. A call whose key takes no building mostly ends
 * here; any other, and every miss, goes on in `ask`.
 *
 * @param args `undefined`: the list holds `only`, and is made where somebody needs it. Hits and joins do not.
 */
function receive<V>(
  wrapper: Wrapper<V>,
  receiver: unknown,
  args: readonly unknown[] | undefined,
  only: unknown,
): Promise<V> {
  try {
    const place = wrapper.places.of(receiver);
    const { buildKey } = wrapper;
    const key = args === undefined ? buildKey.knownOne(only) : buildKey.known(args);
    let kept: unknown;
    if (key !== undefined) {
      const flight = place.registry.joinable(key);
      if (flight !== undefined) return join(wrapper, flight, undefined);
      kept = place.memory?.get(key);
      if (hasNoEnd(kept)) return hit(wrapper, key, resultOf(kept) as V);
    }
    return ask(wrapper, place, { receiver, args: args ?? [only], known: key, kept });
  } catch (error) {
    return Promise.reject(error);
  }
}

interface Question {
  readonly receiver: unknown;
  readonly args: readonly unknown[];
  /** The key, where it took no building, and what the wrapper's own store holds for it. */
  readonly known: string | undefined;
  readonly kept: unknown;
}

/** The same order, with what may come between: a key to build, signals, a store that takes its time. */
function ask<V>(wrapper: Wrapper<V>, place: Place<V>, { receiver, args, known, kept }: Question): Promise<V> {
  const key = wrapper.buildKey(receiver, args, known);
  const signals = known === undefined ? findSignals(args) : undefined;
  const aborted = signals && abortedSignal(signals);
  if (aborted !== undefined) return Promise.reject(aborted.reason);

  if (key !== known) {
    const flight = place.registry.joinable(key);
    if (flight !== undefined) return join(wrapper, flight, signals);
  }
  const { store, memory } = place;
  const found = memory === undefined ? store?.read(key) : memory.entryOf(key === known ? kept : memory.get(key));
  if (found !== undefined && !(found instanceof Reading) && found.freshUntil === undefined) {
    return hit(wrapper, key, found.value as V);
  }
  const call: Call<V> = { wrapper, place, key, receiver, args, signals };
  return found instanceof Reading ? lookUp(call, found) : answer(call, found);
}

function hit<V>({ observer }: Wrapper<V>, key: string, value: V): Promise<V> {
  observer.received('hit', key);
  return Promise.resolve(value);
}

/** Wait for a store that takes its time; who calls meanwhile joins. */
function lookUp<V>(call: Call<V>, reading: Reading<V>): Promise<V> {
  const { wrapper, place, key } = call;
  const flight = new Flight<V>(key, 'call', 'lookup');
  if (place.store?.shared !== undefined) flight.askedAt = performance.now();
  flight.admit(call.signals);
  if (flight.mayBeAbandoned) flight.onAbandoned = () => received(call, 'miss', flight);
  place.registry.add(flight);
  wrapper.activity.begin();
  reading.then((found) => {
    if (flight.phase !== 'over') lookedUp(call, flight, found);
    wrapper.activity.end();
  });
  return wait(wrapper, flight, call.signals);
}

/** The store has answered; what was called for meanwhile comes before what it says. */
function lookedUp<V>(call: Call<V>, flight: Flight<V>, found: Entry<V> | undefined): void {
  const { registry } = call.place;
  const { successor } = flight;
  if (successor === undefined) {
    void answer(call, flight.isLookupVoid ? flight.offered : found, flight);
    return;
  }
  const leader = successor.hasFailed ? registry.underWay(call.key) : successor;
  if (leader === undefined) registry.add(flight);
  depart(call, flight, leader);
}
