import { nativeThen } from '../platform/promise.js';
import { startTimer } from '../platform/timer.js';
import { Run } from './run.js';
import { rejectCallers, serveFallback, settle } from './settle.js';
import { withCopiedArguments } from './wrapper.js';
import type { Flight } from '../in-flight/flight.js';
import type { Call } from './wrapper.js';

/** Let a flight share the run of another one. */
export function follow<V>(given: Call<V>, flight: Flight<V>, leader: Flight<V>): void {
  // A primed value may fail, and then `fn` starts later: with the arguments of now.
  const call = leader.kind === 'prime' ? withCopiedArguments(given) : given;
  const { softTimeout } = call.wrapper.options;
  flight.follow(leader);
  flight.onAbandoned = (reason) => {
    settle(call, flight, 'abandoned');
    leader.leave(reason);
  };
  // Made now: callers do not share the promise of the leader, for they may get a fallback.
  void flight.promise;
  if (flight.fallback !== undefined && softTimeout !== Infinity) {
    flight.setTimers(
      startTimer(softTimeout, () => serveFallback(call, flight)),
      undefined,
    );
  }
  void nativeThen.call(
    leader.promise,
    (value) => {
      if (flight.isSettled) return;
      settle(call, flight, 'done');
      flight.resolve(value as V);
    },
    (error: unknown) => {
      if (flight.isSettled) return;
      if (leader.kind === 'prime') return startOver(call, flight);
      const { state } = leader;
      settle(call, flight, 'failed');
      rejectCallers(call, flight, error, state.name === 'settled' && state.how === 'timed-out' ? 'timeout' : 'error');
    },
  );
}

/** The primed value was never brought. */
function startOver<V>(call: Call<V>, flight: Flight<V>): void {
  const { registry } = call.namespace;
  const leader = registry.underWay(call.key);
  if (leader !== undefined) return follow(call, flight, leader);
  registry.add(flight);
  new Run(call, flight).start({});
}
