import { answer, depart, received } from './answer.js';
import { createControls } from './controls.js';
import { Flight } from './in-flight/flight.js';
import { abortedSignal, findSignals } from './in-flight/signals.js';
import { resolveOptions, show } from './options.js';
import { hasNoEnd, resultOf } from './store/memory-store.js';
import { join, wait } from './wait.js';
import { createWrapper } from './wrapper.js';
import type { AnyFunction, AsyncFunction } from './functions.js';
import type { Memoized } from './memoized.js';
import type { MemoizeOptions, ResolvedOptions } from './options.js';
import type { Entry } from './store/store.js';
import type { Call, Owner, Wrapper } from './wrapper.js';

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
export function memoizeAsync<F extends AsyncFunction>(fn: F, options?: MemoizeOptions<F>): Memoized<F>;
export function memoizeAsync<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R,
  options?: MemoizeOptions<(this: This, ...args: Args) => Promise<Awaited<R>>>,
): Memoized<(this: This, ...args: Args) => Promise<Awaited<R>>>;
// One signature, for composition infers nothing from several; written out, here and above, for a consumer's declaration
// files cannot name a type that is not public.
export function memoizeAsync(
  options: MemoizeOptions,
): // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function, as in AsyncFunction
<F extends { (...args: any[]): unknown; <_T>(...args: any[]): unknown }>(
  fn: F,
) => Memoized<
  ReturnType<F> extends Promise<unknown>
    ? F
    : (this: ThisParameterType<F>, ...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>
>;
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
  const memoized = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return receive(wrapper, this, args);
  };
  return Object.defineProperties(memoized, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    ...Object.getOwnPropertyDescriptors(createControls(wrapper, fn)),
  });
}

/** The order of one call: who is it, is it under way, is it known, else run. */
function receive<V>(wrapper: Wrapper<V>, receiver: unknown, args: readonly unknown[]): Promise<V> {
  try {
    const place = wrapper.places.of(receiver);
    const own = wrapper.buildKey.own(args);
    if (own !== undefined && place.memory !== undefined && place.registry.isIdle) {
      const kept = place.memory.get(own);
      if (hasNoEnd(kept)) return hit(wrapper, own, kept);
    }
    const key = wrapper.buildKey(receiver, args);
    const signals = findSignals(args);
    const aborted = signals && abortedSignal(signals);
    if (aborted !== undefined) return Promise.reject(aborted.reason);

    const flight = place.registry.joinable(key);
    if (flight !== undefined) return join(wrapper, flight, signals);

    const kept = place.memory?.get(key);
    if (hasNoEnd(kept)) return hit(wrapper, key, kept);
    const found = place.store?.read(key);
    const call: Call<V> = { wrapper, place, key, receiver, args, signals };
    return found instanceof Promise ? lookUp(call, found) : answer(call, found);
  } catch (error) {
    return Promise.reject(error);
  }
}

function hit<V>({ observer }: Wrapper<V>, key: string, kept: unknown): Promise<V> {
  observer.hit(key);
  return Promise.resolve(resultOf(kept) as V);
}

/** Wait for a store that takes its time; who calls meanwhile joins. */
function lookUp<V>(call: Call<V>, reading: Promise<Entry<V> | undefined>): Promise<V> {
  const { wrapper, place, key } = call;
  const flight = new Flight<V>(key, 'call', 'lookup');
  flight.onAbandoned = () => received(call, 'miss', flight);
  flight.admit(call.signals);
  place.registry.add(flight);
  const lookedUp = reading.then((found) => {
    if (flight.phase === 'over') return;
    const { successor } = flight;
    if (successor === undefined) return void answer(call, flight.isLookupVoid ? flight.offered : found, flight);
    const leader = successor.hasFailed ? place.registry.underWay(key) : successor;
    if (leader === undefined) place.registry.add(flight);
    depart(call, flight, leader);
  });
  wrapper.activity.track(lookedUp);
  return wait(wrapper, flight, call.signals);
}
