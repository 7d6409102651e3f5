import { answersErrors, freshnessOf } from '../store/freshness.js';
import { show } from '../platform/show.js';
import { TimeoutError } from '../errors.js';
import { createEntry } from '../store/entry.js';
import { isThenable } from '../platform/promise.js';
import type { Observer } from '../observer.js';
import type { Flight } from '../in-flight/flight.js';
import type { Grant } from '../store/store.js';
import type { Call } from './wrapper.js';

/** What a result may be written with: nothing special, the grant of a shared store, or not at all. */
export type Permit = Grant<unknown> | 'unwritten' | undefined;

/** The flight is no longer under way. After this a newer one may own its slot. */
export function close<V>(call: Call<V>, flight: Flight<V>): void {
  call.place.registry.remove(flight);
  flight.end();
  call.wrapper.activity.end();
}

/** Not `flight.phase` itself, which the compiler takes for what it was before user code ran. */
export function isOver<V>(flight: Flight<V>): boolean {
  return flight.phase === 'over';
}

/** How long a value is fresh; `undefined` where the user's function did not say, which has been reported then. */
export function ttlOf<V>({ wrapper, key, args }: Call<V>, value: V): number | undefined {
  const { ttl, jitter } = wrapper.options;
  const chosen = typeof ttl === 'number' ? ttl : chosenBy(wrapper.observer, 'ttl', key, () => ttl(value, ...args));
  return chosen === undefined || jitter === 0 ? chosen : chosen * (1 - jitter * Math.random());
}

export function fulfilled<V>(call: Call<V>, flight: Flight<V>, permit: Permit, value: V): void {
  if (flight.phase === 'over') return;
  const { wrapper, place, key } = call;
  const duration = elapsed(flight);
  // The user's function may call controls, so the flight must still be where fences find it.
  const ttl = place.store === null || permit === 'unwritten' ? undefined : ttlOf(call, value);
  if (isOver(flight)) return;
  if (!flight.isFenced) {
    place.errors.forget(key);
    if (ttl !== undefined) keep(call, permit as Grant<V> | undefined, value, ttl, duration);
    else flight.release?.('alone');
    if (flight.kind !== 'call' && ttl !== undefined) offer(call, value, ttl);
  } else {
    flight.release?.('again');
  }
  close(call, flight);
  wrapper.observer.ended(key, 'fulfilled', duration);
  if (flight.isFenced && place.store !== null) wrapper.observer.discarded(key);
  flight.resolve(value);
}

/** A call whose lookup is under way need not go by what it reads. */
function offer<V>({ wrapper, place, key }: Call<V>, value: V, ttl: number): void {
  if (ttl > 0) place.registry.offer(key, createEntry(value, { storedAt: Date.now(), ttl }));
  else if (typeof wrapper.options.ttl === 'function') place.registry.offer(key, undefined);
}

function keep<V>(call: Call<V>, grant: Grant<V> | undefined, value: V, ttl: number, duration: number): void {
  const { wrapper, place, key } = call;
  const store = place.store!;
  let written: Promise<unknown> | undefined;
  if (ttl > 0) {
    written = store.write(key, value, ttl, wrapper.options.earlyRefresh > 0 ? duration : undefined, grant);
    if (grant !== undefined) written = written?.then((word) => tellRefusal(call, word));
  } else {
    grant?.release('alone');
    // A function that says 0 for this value means the older one too.
    if (typeof wrapper.options.ttl === 'function') written = store.remove(key);
  }
  if (written !== undefined) wrapper.activity.track(written);
}

/** A commit that lost to a fence in another process is a result that was discarded. */
export function tellRefusal<V>({ wrapper, key }: Call<V>, word: unknown): void {
  if (word === 'refused') wrapper.observer.discarded(key);
}

export function rejected<V>(call: Call<V>, flight: Flight<V>, error: unknown): void {
  if (flight.phase === 'over') return;
  const { wrapper, place, key, args } = call;
  const duration = elapsed(flight);
  const { errorTtl } = wrapper.options;
  const ttl =
    typeof errorTtl === 'number'
      ? errorTtl
      : chosenBy(wrapper.observer, 'errorTtl', key, () => errorTtl(error, ...args));
  if (isOver(flight)) return;
  if (ttl !== undefined && ttl > 0 && !flight.isFenced) place.errors.remember(key, error, Date.now() + ttl);
  flight.release?.(flight.isFenced ? 'again' : 'alone');
  close(call, flight);
  wrapper.observer.ended(key, 'rejected', duration);
  fail(call, flight, error, 'error');
}

/** The run took too long: nobody waits for it any more, and what it may bring later is dropped. */
export function timeOut<V>(call: Call<V>, flight: Flight<V>): void {
  const { name, options, observer } = call.wrapper;
  const error = new TimeoutError(`${name}: the run did not settle within ${options.timeout} ms`, options.timeout);
  flight.hasTimedOut = true;
  close(call, flight);
  flight.release?.('alone');
  if (flight.isRunning) observer.ended(call.key, 'timeout', elapsed(flight));
  fail(call, flight, error, 'timeout');
  flight.controller?.abort(error);
}

/** The last interested caller has left. Detached before it is aborted, so that a newcomer starts afresh. */
export function abandon<V>(call: Call<V>, flight: Flight<V>, reason: unknown): void {
  close(call, flight);
  flight.release?.('again');
  if (flight.isRunning) call.wrapper.observer.ended(call.key, 'aborted', elapsed(flight));
  flight.controller?.abort(reason);
}

/** The old value, if it is of use still, answers ahead of the run, which goes on for the sake of the store. */
export function answerEarly<V>(call: Call<V>, flight: Flight<V>): void {
  if (freshnessOf(flight.fallback!, Date.now(), call.wrapper.options) === 'expired') return;
  flight.isAnsweredEarly = true;
  flight.pin();
  call.wrapper.observer.fellBack(call.key, 'soft-timeout');
  flight.resolve(flight.fallback!.value as V);
}

/** The run has failed: its callers get the old value if that is still allowed, else the error. */
export function fail<V>(call: Call<V>, flight: Flight<V>, error: unknown, reason: 'error' | 'timeout'): void {
  const { fallback } = flight;
  if (flight.isAnsweredEarly) return;
  if (fallback !== undefined && answersErrors(fallback, Date.now(), call.wrapper.options)) {
    call.wrapper.observer.fellBack(call.key, reason);
    flight.resolve(fallback.value as V);
  } else {
    flight.reject(error);
  }
}

/** Milliseconds from a function of the user's; `undefined` where it throws or gives anything else, which is reported. */
function chosenBy(observer: Observer, option: string, key: string, choose: () => unknown): number | undefined {
  try {
    const chosen = choose();
    if (typeof chosen === 'number' && chosen >= 0) return chosen;
    // Of an async function what is reported is that it is one, not what becomes of its promise.
    if (isThenable(chosen)) Promise.resolve(chosen).catch(() => undefined);
    throw new TypeError(`Expected \`${option}\` to give a number of milliseconds >= 0, got ${show(chosen)}`);
  } catch (error) {
    observer.storeFailed('set', key, error);
    return undefined;
  }
}

/** How long `fn` has been running; NaN where nobody measures. */
function elapsed<V>({ startedAt }: Flight<V>): number {
  return startedAt === undefined ? NaN : performance.now() - startedAt;
}
