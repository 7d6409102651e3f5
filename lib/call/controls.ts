import { Flight } from '../in-flight/flight.js';
import { abortedSignal, findSignals, reasonOf } from '../in-flight/signals.js';
import { isThenable, NativePromise } from '../platform/promise.js';
import { show } from '../platform/show.js';
import { freshnessOf, isStorable } from '../store/freshness.js';
import { PendingRead } from '../store/pending-read.js';
import { ttlFor } from './durations.js';
import { recursionError, waitFor } from './join.js';
import { describeReadOnce, readOnceError } from './read-once.js';
import { reportRefusal, Run } from './run.js';
import { settle } from './settle.js';
import { tagsFor } from './tags.js';
import type { AnyFunction } from '../functions.js';
import type { Controls } from '../memoized.js';
import type { PendingWork } from '../platform/pending-work.js';
import type { Entry } from '../store/store.js';
import type { Call, Wrapper } from './wrapper.js';

/** The members of a wrapper beside the function itself. */
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
  const { namespaces, observer, pendingWork } = wrapper;
  const call = (args: readonly unknown[]): Call<unknown> => ({
    wrapper,
    namespace: namespaces.of(receiver),
    key: wrapper.keys.build(receiver, args),
    receiver,
    args,
    signals: findSignals(args),
  });
  return {
    cache: namespaces.cache,
    original,
    keyOf: (...args: unknown[]) => wrapper.keys.build(receiver, args),
    has: async (...args: unknown[]) => (await readUsable(call(args))) !== undefined,
    peek: async (...args: unknown[]) => (await readUsable(call(args)))?.value,
    prime: async (args: unknown, value: unknown) => prime(call(listOf(args)), value),
    refresh: async (...args: unknown[]) => refresh(call(args)),
    delete: async (...args: unknown[]) => during(pendingWork, () => forget(call(args))),
    expire: async (...args: unknown[]) => during(pendingWork, () => expire(call(args))),
    clear: async () => {
      const { store, registry, errors } = namespaces.of(receiver);
      registry.fenceAll();
      errors.forgetAll();
      // It may hold secrets.
      wrapper.keys.forget();
      await during(pendingWork, async () => store.clear());
    },
    stats: () => observer.stats(),
    settled: (limit?: number) => pendingWork.settled(limit),
  };
}

/** A string has a length too, and would name a call that is never made. */
function listOf(args: unknown): readonly unknown[] {
  if (Array.isArray(args)) return args.slice();
  throw new TypeError(`Expected \`prime\` to be given the arguments of a call as an array, got ${show(args)}`);
}

/** Lets `settled()` wait for `act`. */
async function during<T>(pendingWork: PendingWork, act: () => Promise<T>): Promise<T> {
  pendingWork.begin();
  try {
    return await act();
  } finally {
    pendingWork.end();
  }
}

/** The stored entry, if it is fresh or inside a stale window. */
async function readUsable<V>({ wrapper, namespace, key }: Call<V>): Promise<Entry<V> | undefined> {
  const { store } = namespace;
  const read = store.entryOf(store.peek(key));
  const entry = read instanceof PendingRead ? await read.settled() : read;
  return entry !== undefined && freshnessOf(entry, Date.now(), wrapper.options) !== 'expired' ? entry : undefined;
}

async function forget<V>({ namespace, key }: Call<V>): Promise<boolean> {
  namespace.registry.fence(key);
  namespace.errors.forget(key);
  return namespace.store.delete(key);
}

/** As if `ttl` ended now. Without a stale window nothing is left of the entry. */
async function expire<V>(call: Call<V>): Promise<boolean> {
  const { wrapper, namespace, key } = call;
  const { staleWhileRevalidate, staleIfError } = wrapper.options;
  if (staleWhileRevalidate === 0 && staleIfError === 0) return forget(call);
  namespace.registry.fenceRuns(key);
  namespace.errors.forget(key);
  return namespace.store.expire(key);
}

function refresh<V>(call: Call<V>): Promise<V> {
  const { wrapper, namespace, key, signals } = call;
  const aborted = signals && abortedSignal(signals);
  if (aborted !== undefined) return NativePromise.reject(reasonOf(aborted));
  const current = namespace.registry.background(key);
  if (current?.kind === 'refresh') {
    const cycle = wrapper.recursion?.cycle(current);
    if (cycle !== undefined) return NativePromise.reject(recursionError(wrapper.name, cycle));
    current.admit(signals);
    return waitFor(wrapper, current, signals);
  }
  const flight = new Flight<V>(key, 'refresh');
  flight.admit(signals);
  namespace.registry.addRefresh(flight);
  wrapper.pendingWork.begin();
  new Run(call, flight).start({});
  return waitFor(wrapper, flight, signals);
}

/** A primed value takes the place of a run: calls join it, and runs that started before are not stored. */
async function prime<V>(call: Call<V>, given: V | PromiseLike<V>): Promise<void> {
  const { wrapper, namespace, key } = call;
  const { store, registry, errors, tagSpace } = namespace;
  const flight = new Flight<V>(key, 'prime');
  void flight.promise;
  const begun = tagSpace.marks.latest;
  registry.addPrime(flight);
  errors.forget(key);
  wrapper.pendingWork.begin();
  const granting = store.coordinator?.begin(key, { drop: true });
  // Handled below, when the value is there.
  granting?.catch(() => undefined);
  let value: V;
  try {
    value = isThenable(given) ? await given : given;
    const once = describeReadOnce(value);
    if (once !== undefined) throw readOnceError(wrapper.name, once);
  } catch (error) {
    settle(call, flight, 'failed');
    flight.reject(error);
    void granting?.then(
      (grant) => grant.release('again'),
      () => undefined,
    );
    throw error;
  }
  flight.resolve(value);
  try {
    const grant = granting && (await granting);
    // The user's function may call controls, so fences must still find the flight.
    const tags = store.isKeeping && !flight.isFenced ? tagsFor(call, value) : undefined;
    const ttl = tags === undefined ? undefined : ttlFor(call, value);
    if (!store.isKeeping || flight.isFenced || tagSpace.marks.isVoid(tags ?? [], begun)) {
      if (store.isKeeping) wrapper.observer.discarded(key);
      grant?.release('again');
      // One of its tags was invalidated meanwhile, and the older value would be wrong now.
      if (store.isKeeping && !flight.isFenced && grant === undefined) await store.delete(key);
    } else if (ttl !== undefined && isStorable(ttl, wrapper.options)) {
      errors.forget(key);
      const written = store.prime(key, { value, ttl, tags, begun }, grant);
      registry.remove(flight);
      reportRefusal(call, await written);
    } else {
      grant?.release('again');
      // Nothing is stored, and the older value would be wrong now.
      if (tags === undefined || typeof wrapper.options.ttl === 'function') await store.delete(key);
    }
  } finally {
    settle(call, flight, 'done');
  }
}
