import { freshnessOf } from '../store/freshness.js';
import { show } from '../platform/show.js';
import { Flight } from '../in-flight/flight.js';
import { abortedSignal, findSignals } from '../in-flight/signals.js';
import { isThenable } from '../platform/promise.js';
import { startRun } from './run.js';
import { close, tellRefusal, ttlOf } from './settle.js';
import { recursionError, wait } from './wait.js';
import type { Activity } from '../platform/pending-work.js';
import type { AnyFunction } from '../functions.js';
import type { Controls } from '../memoized.js';
import type { Entry } from '../store/store.js';
import type { Call, Wrapper } from './wrapper.js';

/** Everything that stands on a wrapper beside the function itself. */
export function createControls(wrapper: Wrapper<unknown>, original: AnyFunction): Controls<AnyFunction> {
  return {
    ...controlsFor(wrapper, original, undefined),
    for: (receiver) => controlsFor(wrapper, original, receiver),
  };
}

function controlsFor(
  wrapper: Wrapper<unknown>,
  original: AnyFunction,
  receiver: unknown,
): Omit<Controls<AnyFunction>, 'for'> {
  const { places, observer, activity } = wrapper;
  const call = (args: readonly unknown[]): Call<unknown> => ({
    wrapper,
    place: places.of(receiver),
    key: wrapper.buildKey(receiver, args),
    receiver,
    args,
    signals: findSignals(args),
  });
  return {
    cache: places.cache,
    original,
    keyOf: (...args: unknown[]) => wrapper.buildKey(receiver, args),
    has: async (...args: unknown[]) => (await usable(call(args))) !== undefined,
    peek: async (...args: unknown[]) => (await usable(call(args)))?.value,
    prime: async (args: unknown, value: unknown) => prime(call(listOf(args)), value),
    refresh: async (...args: unknown[]) => refresh(call(args)),
    delete: async (...args: unknown[]) => during(activity, () => forget(call(args))),
    clear: async () => {
      const { store, registry, errors } = places.of(receiver);
      registry.fenceAll();
      errors.forgetAll();
      await during(activity, async () => store?.clear());
    },
    stats: () => observer.stats(),
    settled: () => activity.settled(),
  };
}

/** Text has a length too, and would stand for a call that nobody makes. */
function listOf(args: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args.slice();
  throw new TypeError(`Expected \`prime\` to be given the arguments of a call as an array, got ${show(args)}`);
}

/** Lets `settled()` wait for `act`. */
async function during<T>(activity: Activity, act: () => Promise<T>): Promise<T> {
  activity.begin();
  try {
    return await act();
  } finally {
    activity.end();
  }
}

/** The stored entry, if it is fresh or inside a stale window. */
async function usable<V>({ wrapper, place, key }: Call<V>): Promise<Entry<V> | undefined> {
  const entry = await place.store?.read(key);
  return entry !== undefined && freshnessOf(entry, Date.now(), wrapper.options) !== 'expired' ? entry : undefined;
}

async function forget<V>({ place, key }: Call<V>): Promise<boolean> {
  place.registry.fence(key);
  place.errors.forget(key);
  return place.store === null ? false : place.store.delete(key);
}

function refresh<V>(call: Call<V>): Promise<V> {
  const { wrapper, place, key, signals } = call;
  const aborted = signals && abortedSignal(signals);
  if (aborted !== undefined) return Promise.reject(aborted.reason);
  const current = place.registry.behind(key);
  if (current?.kind === 'refresh') {
    const cycle = wrapper.recursion?.cycle(current);
    if (cycle !== undefined) return Promise.reject(recursionError(wrapper.name, cycle));
    current.admit(signals);
    return wait(wrapper, current, signals);
  }
  const flight = new Flight<V>(key, 'refresh', 'run');
  flight.admit(signals);
  place.registry.overtake(flight);
  wrapper.activity.begin();
  startRun(call, flight);
  return wait(wrapper, flight, signals);
}

/** A value that somebody brings stands for a run: calls join it, and older runs are never written. */
async function prime<V>(call: Call<V>, given: V | PromiseLike<V>): Promise<void> {
  const { wrapper, place, key } = call;
  const flight = new Flight<V>(key, 'prime', 'run');
  void flight.answer;
  place.registry.supplant(flight);
  place.errors.forget(key);
  wrapper.activity.begin();
  const shared = place.store?.shared;
  const begun = shared && place.store?.begin(shared, key, { drop: true });
  // Handled below, once the value is there.
  begun?.catch(() => undefined);
  let value: V;
  try {
    value = isThenable(given) ? await given : given;
  } catch (error) {
    close(call, flight);
    flight.reject(error);
    void begun?.then(
      (grant) => grant.release('again'),
      () => undefined,
    );
    throw error;
  }
  flight.resolve(value);
  try {
    const grant = begun && (await begun);
    // The user's function may call controls, so the flight must still be where fences find it.
    const ttl = place.store === null || flight.isFenced ? undefined : ttlOf(call, value);
    if (place.store !== null && flight.isFenced) wrapper.observer.discarded(key);
    if (place.store === null || flight.isFenced) return grant?.release('again');
    if (ttl !== undefined && ttl > 0) {
      const written = place.store.prime(key, value, ttl, grant);
      place.registry.remove(flight);
      tellRefusal(call, await written);
    } else {
      grant?.release('again');
      // Nothing is kept, and the value from before would be wrong now.
      if (typeof wrapper.options.ttl === 'function') await place.store.delete(key);
    }
  } finally {
    close(call, flight);
  }
}
