import { TimeoutError } from './errors.js';
import { onAbort, replaceSignals } from './in-flight/signals.js';
import { answersErrors, createEntry, freshnessOf } from './store/entry.js';
import { show } from './options.js';
import { startTimer } from './timer.js';
import type { Observer } from './events.js';
import type { Flight } from './in-flight/flight.js';
import type { GuardedStore } from './store/guarded-store.js';
import type { Entry, Grant, SharedStore } from './store/store.js';
import type { Call } from './wrapper.js';

/** Not `promise.then`: a promise may have a `then` of its own. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the promise as its receiver
const then = Promise.prototype.then;

/** Start the run of a flight that is in the registry: ask other processes first where the store can, then call `fn`. */
export function startRun<V>(call: Call<V>, flight: Flight<V>, seen?: Entry<V>): void {
  const { timeout, softTimeout } = call.wrapper.options;
  flight.phase = 'run';
  flight.onAbandoned = (reason) => abandon(call, flight, reason);
  const mayFallBack = flight.fallback !== undefined;
  if (mayFallBack || timeout !== Infinity) {
    // What callers get may differ from what `fn` returns, so they must not be given its promise.
    void flight.answer;
    flight.limit(
      mayFallBack && softTimeout !== Infinity ? startTimer(softTimeout, () => answerEarly(call, flight)) : undefined,
      timeout === Infinity ? undefined : startTimer(timeout, () => timeOut(call, flight)),
    );
  }
  const shared = call.place.store?.shared;
  if (shared === undefined) invoke(call, flight, undefined);
  else void lead(call, flight, shared, seen);
}

/** Let a flight wait for the run of another one. */
export function follow<V>(call: Call<V>, flight: Flight<V>, leader: Flight<V>): void {
  const { softTimeout } = call.wrapper.options;
  flight.phase = 'run';
  flight.follow(leader);
  flight.onAbandoned = (reason) => {
    close(call, flight);
    leader.leave(reason);
  };
  void flight.answer;
  if (flight.fallback !== undefined && softTimeout !== Infinity) {
    flight.limit(
      startTimer(softTimeout, () => answerEarly(call, flight)),
      undefined,
    );
  }
  void then.call(
    leader.answer,
    (value) => {
      if (flight.phase === 'over') return;
      close(call, flight);
      flight.resolve(value as V);
    },
    (error: unknown) => {
      if (flight.phase === 'over') return;
      if (leader.kind === 'prime') return startOver(call, flight);
      close(call, flight);
      fail(call, flight, error, leader.hasTimedOut ? 'timeout' : 'error');
    },
  );
}

/** What a call waited for in place of its lookup was never brought. */
function startOver<V>(call: Call<V>, flight: Flight<V>): void {
  const { registry } = call.place;
  const leader = registry.underWay(call.key);
  if (leader !== undefined) return follow(call, flight, leader);
  flight.unfollow();
  registry.add(flight);
  startRun(call, flight);
}

/** The flight is no longer under way. After this a newer one may own its slot. */
export function close<V>(call: Call<V>, flight: Flight<V>): void {
  call.place.registry.remove(flight);
  flight.end();
  call.wrapper.activity.end();
}

/** How long a value is fresh; `undefined` where the user's function did not say, which has been reported then. */
export function ttlOf<V>({ wrapper, key, args }: Call<V>, value: V): number | undefined {
  const { ttl, jitter } = wrapper.options;
  const chosen = typeof ttl === 'number' ? ttl : chosenBy(wrapper.observer, 'ttl', key, () => ttl(value, ...args));
  return chosen === undefined || jitter === 0 ? chosen : chosen * (1 - jitter * Math.random());
}

/** What a result may be written with: nothing special, the grant of a shared store, or not at all. */
type Leave = Grant<unknown> | 'unwritten' | undefined;

function invoke<V>(call: Call<V>, flight: Flight<V>, leave: Leave): void {
  const { fn, observer, options } = call.wrapper;
  const startedAt = observer.isHeard || options.earlyRefresh > 0 ? performance.now() : undefined;
  observer.started();
  flight.startedAt = startedAt ?? NaN;
  flight.isRunning = true;
  let result: Promise<V>;
  try {
    result = Promise.resolve(fn.apply(call.receiver, argumentsFor(call, flight) as unknown[])) as Promise<V>;
  } catch (error) {
    result = Promise.reject(error);
  }
  // Ahead of every caller's handlers: a retry in a `catch` must find the flight gone.
  void then.call(
    result,
    (value) => fulfilled(call, flight, leave, value as V),
    (error: unknown) => rejected(call, flight, leave, error),
  );
  flight.answerWith(result);
}

function argumentsFor<V>({ args, signals }: Call<V>, flight: Flight<V>): readonly unknown[] {
  if (signals === undefined) return args;
  const controller = new AbortController();
  flight.controller = controller;
  return replaceSignals(args, controller.signal);
}

/** How long `fn` has been running; NaN where nobody measures. */
function elapsed<V>({ startedAt }: Flight<V>): number {
  return Number.isNaN(startedAt) ? NaN : performance.now() - startedAt;
}

/** Ask a shared store who runs: this process, another one, or each for itself. */
async function lead<V>(call: Call<V>, flight: Flight<V>, shared: SharedStore<V>, held?: Entry<V>): Promise<void> {
  const { place, key } = call;
  // Only a guarded store is shared.
  const store = place.store as GuardedStore<V>;
  const waiting = new AbortController();
  flight.release = () => waiting.abort(undefined);
  let seen = held;
  let waitedSince: number | undefined;
  try {
    if (flight.kind === 'refresh') return granted(call, flight, await store.begin(shared, key, false));
    // The lookup and the question who runs are one delay to the caller.
    let spent = Number.isNaN(flight.askedAt) ? 0 : performance.now() - flight.askedAt;
    for (;;) {
      let acquired: Awaited<ReturnType<typeof store.acquire | typeof store.wait>> = await store.acquire(
        shared,
        key,
        seen,
        spent,
      );
      spent = 0;
      if ('wait' in acquired && !isOver(flight)) {
        // Somebody else is at it, and nobody waits here.
        if (flight.kind === 'background' && !flight.isAwaited) return close(call, flight);
        waitedSince ??= Date.now();
        acquired = await store.wait(key, acquired, waiting.signal);
      }
      if ('grant' in acquired) return granted(call, flight, acquired.grant);
      if ('alone' in acquired) return unleased(call, flight, acquired.alone);
      if (isOver(flight) || 'wait' in acquired) return;
      if (answers(call, acquired.hit, waitedSince)) return adopt(call, flight, acquired.hit);
      seen = acquired.hit;
    }
  } catch (error) {
    unleased(call, flight, error instanceof Error ? error.message : String(error));
  }
}

/** True for a value that is fresh, or that came from the run this process waited for, as it would for a join. */
function answers<V>({ wrapper }: Call<V>, hit: Entry<V>, waitedSince: number | undefined): boolean {
  return freshnessOf(hit, Date.now(), wrapper.options) === 'fresh' || hit.storedAt >= (waitedSince ?? Infinity);
}

/** Another process has brought the value. */
function adopt<V>(call: Call<V>, flight: Flight<V>, hit: Entry<V>): void {
  if (!flight.isFenced) {
    call.place.errors.forget(call.key);
    if (flight.kind !== 'call') call.place.registry.offer(call.key, hit);
  }
  close(call, flight);
  flight.resolve(hit.value as V);
}

/** Not `flight.phase` itself, which the compiler takes for what it was before user code ran. */
export function isOver<V>(flight: Flight<V>): boolean {
  return flight.phase === 'over';
}

function granted<V>(call: Call<V>, flight: Flight<V>, grant: Grant<V>): void {
  if (flight.phase === 'over') return grant.release('again');
  flight.release = (why) => grant.release(why);
  // A fence in another process: what runs here is not to be joined again.
  onAbort([grant.lost], () => {
    flight.isFenced = true;
    call.place.registry.remove(flight);
  });
  invoke(call, flight, grant);
}

function unleased<V>(call: Call<V>, flight: Flight<V>, reason: string): void {
  if (flight.phase === 'over') return;
  flight.release = undefined;
  call.wrapper.observer.unleased(call.key, reason);
  invoke(call, flight, 'unwritten');
}

function fulfilled<V>(call: Call<V>, flight: Flight<V>, leave: Leave, value: V): void {
  if (flight.phase === 'over') return;
  const { wrapper, place, key } = call;
  const duration = elapsed(flight);
  // The user's function may call controls, so the flight must still be where fences find it.
  const ttl = place.store === null || leave === 'unwritten' ? undefined : ttlOf(call, value);
  if (isOver(flight)) return;
  if (!flight.isFenced) {
    place.errors.forget(key);
    if (ttl !== undefined) keep(call, leave as Grant<V> | undefined, value, ttl, duration);
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

function rejected<V>(call: Call<V>, flight: Flight<V>, leave: Leave, error: unknown): void {
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
  if (leave !== undefined) flight.release?.(flight.isFenced ? 'again' : 'alone');
  close(call, flight);
  wrapper.observer.ended(key, 'rejected', duration);
  fail(call, flight, error, 'error');
}

/** The run took too long: nobody waits for it any more, and what it may bring later is dropped. */
function timeOut<V>(call: Call<V>, flight: Flight<V>): void {
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
function abandon<V>(call: Call<V>, flight: Flight<V>, reason: unknown): void {
  close(call, flight);
  flight.release?.('again');
  if (flight.isRunning) call.wrapper.observer.ended(call.key, 'aborted', elapsed(flight));
  flight.controller?.abort(reason);
}

/** The old value, if it is of use still, answers ahead of the run, which goes on for the sake of the store. */
function answerEarly<V>(call: Call<V>, flight: Flight<V>): void {
  if (freshnessOf(flight.fallback!, Date.now(), call.wrapper.options) === 'expired') return;
  flight.isAnsweredEarly = true;
  flight.pin();
  call.wrapper.observer.fellBack(call.key, 'soft-timeout');
  flight.resolve(flight.fallback!.value as V);
}

/** The run has failed: its callers get the old value if that is still allowed, else the error. */
function fail<V>(call: Call<V>, flight: Flight<V>, error: unknown, reason: 'error' | 'timeout'): void {
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
    throw new TypeError(`Expected \`${option}\` to give a number of milliseconds >= 0, got ${show(chosen)}`);
  } catch (error) {
    observer.storeFailed('set', key, error);
    return undefined;
  }
}
