import { answersErrors, freshnessOf } from '../store/freshness.js';
import type { Flight, FlightState } from '../in-flight/flight.js';
import type { Call } from './wrapper.js';

/** The flight is no longer under way, so a newer one may have its key. Its callers are told next. */
export function settle<V>(
  { namespace, wrapper }: Call<V>,
  flight: Flight<V>,
  how: Extract<FlightState<V>, { name: 'settled' }>['how'],
): void {
  namespace.registry.remove(flight);
  flight.settle(how);
  wrapper.pendingWork.end();
}

/** The run has failed: callers get the old value where `staleIfError` allows, else the error. */
export function rejectCallers<V>(call: Call<V>, flight: Flight<V>, error: unknown, reason: 'error' | 'timeout'): void {
  const { fallback } = flight;
  if (flight.isFallbackServed) return;
  if (fallback !== undefined && answersErrors(fallback, Date.now(), call.wrapper.options)) {
    call.wrapper.observer.fellBack(call.key, reason);
    flight.resolve(fallback.value as V);
  } else {
    flight.reject(error);
  }
}

/** `softTimeout` has passed: callers get the old value, unless it has expired. The run goes on, and is stored. */
export function serveFallback<V>(call: Call<V>, flight: Flight<V>): void {
  if (freshnessOf(flight.fallback!, Date.now(), call.wrapper.options) === 'expired') return;
  flight.isFallbackServed = true;
  flight.pin();
  call.wrapper.observer.fellBack(call.key, 'soft-timeout');
  flight.resolve(flight.fallback!.value as V);
}
