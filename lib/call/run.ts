import { replaceSignals } from '../in-flight/signals.js';
import { lead } from './lease.js';
import { abandon, answerEarly, close, fail, fulfilled, rejected, timeOut } from './settle.js';
import { nativeThen } from '../platform/promise.js';
import { startTimer } from '../platform/timer.js';
import type { Flight } from '../in-flight/flight.js';
import type { RecursionGuard } from '../in-flight/recursion.js';
import type { Permit } from './settle.js';
import type { Entry, SharedStore } from '../store/store.js';
import type { Call } from './wrapper.js';

/** Start the run of a flight that is in the registry: ask other processes first where the store can, then call `fn`. */
export function startRun<V>(call: Call<V>, flight: Flight<V>, seen?: Entry<V>): void {
  if (flight.mayBeAbandoned) planFor(call, flight, abandon);
  const mayFallBack = flight.fallback !== undefined;
  if (mayFallBack || call.wrapper.options.timeout !== Infinity) limit(call, flight, mayFallBack);
  const shared = call.place.store?.shared;
  if (shared === undefined) invoke(call, flight, undefined);
  else askShared(call, flight, shared, seen);
}

// Functions of their own, for one that makes a closure on any way through it pays for it on every way.

/** What is to be done when the last caller has left. */
export function planFor<V>(
  call: Call<V>,
  flight: Flight<V>,
  act: (call: Call<V>, flight: Flight<V>, reason: unknown) => void,
): void {
  flight.onAbandoned = (reason) => act(call, flight, reason);
}

function limit<V>(call: Call<V>, flight: Flight<V>, mayFallBack: boolean): void {
  const { timeout, softTimeout } = call.wrapper.options;
  // What callers get may differ from what `fn` returns, so they must not be given its promise.
  void flight.answer;
  flight.limit(
    mayFallBack && softTimeout !== Infinity ? startTimer(softTimeout, () => answerEarly(call, flight)) : undefined,
    timeout === Infinity ? undefined : startTimer(timeout, () => timeOut(call, flight)),
  );
}

function askShared<V>(call: Call<V>, flight: Flight<V>, shared: SharedStore<V>, seen: Entry<V> | undefined): void {
  void lead(call, flight, { shared, seen, run: (permit) => invoke(call, flight, permit) });
}

/** Let a flight wait for the run of another one. */
export function follow<V>(call: Call<V>, flight: Flight<V>, leader: Flight<V>): void {
  const { softTimeout } = call.wrapper.options;
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
  void nativeThen.call(
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

function invoke<V>(call: Call<V>, flight: Flight<V>, permit: Permit): void {
  const { observer, options } = call.wrapper;
  if (observer.isHeard || options.earlyRefresh > 0) flight.startedAt = performance.now();
  observer.started();
  flight.isRunning = true;
  const result = resultOf(call, flight);
  // Ahead of every caller's handlers: a retry in a `catch` must find the flight gone.
  void nativeThen.call(
    result,
    (value) => fulfilled(call, flight, permit, value as V),
    (error: unknown) => rejected(call, flight, error),
  );
  flight.answerWith(result);
}

/** What `fn` returns or throws, as a promise. */
function resultOf<V>(call: Call<V>, flight: Flight<V>): Promise<V> {
  const { fn, recursion } = call.wrapper;
  try {
    const args = argumentsFor(call, flight) as unknown[];
    const returned = recursion === undefined ? fn.apply(call.receiver, args) : enter(recursion, call, flight, args);
    return Promise.resolve(returned) as Promise<V>;
  } catch (error) {
    return Promise.reject(error);
  }
}

function enter<V>(
  recursion: RecursionGuard,
  { wrapper, receiver }: Call<V>,
  flight: Flight<V>,
  args: unknown[],
): unknown {
  return recursion.enter(flight, () => wrapper.fn.apply(receiver, args));
}

function argumentsFor<V>({ args, signals }: Call<V>, flight: Flight<V>): readonly unknown[] {
  if (signals === undefined) return args;
  const controller = new AbortController();
  flight.controller = controller;
  return replaceSignals(args, controller.signal);
}
