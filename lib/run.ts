import { replaceSignals } from './in-flight/signals.js';
import { lead } from './lead.js';
import { abandon, answerEarly, close, fail, fulfilled, rejected, timeOut } from './settle.js';
import { then } from './thenable.js';
import { startTimer } from './timer.js';
import type { Flight } from './in-flight/flight.js';
import type { Permit } from './settle.js';
import type { Entry } from './store/store.js';
import type { Call } from './wrapper.js';

/** Start the run of a flight that is in the registry: ask other processes first where the store can, then call `fn`. */
export function startRun<V>(call: Call<V>, flight: Flight<V>, seen?: Entry<V>): void {
  const { timeout, softTimeout } = call.wrapper.options;
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
  else void lead(call, flight, { shared, seen, run: (permit) => invoke(call, flight, permit) });
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

function invoke<V>(call: Call<V>, flight: Flight<V>, permit: Permit): void {
  const { fn, observer, options, recursion } = call.wrapper;
  const startedAt = observer.isHeard || options.earlyRefresh > 0 ? performance.now() : undefined;
  observer.started();
  flight.startedAt = startedAt ?? NaN;
  flight.isRunning = true;
  let result: Promise<V>;
  try {
    const args = argumentsFor(call, flight) as unknown[];
    const start = (): unknown => fn.apply(call.receiver, args);
    result = Promise.resolve(recursion === undefined ? start() : recursion.enter(flight, start)) as Promise<V>;
  } catch (error) {
    result = Promise.reject(error);
  }
  // Ahead of every caller's handlers: a retry in a `catch` must find the flight gone.
  void then.call(
    result,
    (value) => fulfilled(call, flight, permit, value as V),
    (error: unknown) => rejected(call, flight, error),
  );
  flight.answerWith(result);
}

function argumentsFor<V>({ args, signals }: Call<V>, flight: Flight<V>): readonly unknown[] {
  if (signals === undefined) return args;
  const controller = new AbortController();
  flight.controller = controller;
  return replaceSignals(args, controller.signal);
}
