import { freshnessOf, isDueEarly } from '../store/freshness.js';
import { Flight } from '../in-flight/flight.js';
import { follow, planFor, startRun } from './run.js';
import { close, isOver } from './settle.js';
import { join, recursionError, wait } from './wait.js';
import type { Entry } from '../store/store.js';
import type { Call } from './wrapper.js';

/** What a stored entry is worth now: the answer, or an old answer, or a run. */
export function answer<V>(call: Call<V>, entry: Entry<V> | undefined, lookup?: Flight<V>): Promise<V> {
  const { wrapper, place, key } = call;
  const { options } = wrapper;
  const now = entry?.freshUntil === undefined && place.errors.size === 0 ? 0 : Date.now();
  const freshness = entry === undefined ? 'expired' : freshnessOf(entry, now, options);
  if (entry !== undefined && freshness === 'fresh') {
    received(call, 'hit', lookup);
    if (options.earlyRefresh > 0 && isDueEarly(entry, now, options.earlyRefresh, Math.random())) runBehind(call, entry);
    return deliver(lookup, entry.value as V);
  }
  const remembered = place.errors.size === 0 ? undefined : place.errors.recall(key, now);
  if (entry !== undefined && (freshness === 'stale' || (freshness === 'fallback' && remembered !== undefined))) {
    received(call, 'stale', lookup);
    if (remembered === undefined) runBehind(call, entry);
    return deliver(lookup, entry.value as V);
  }
  if (remembered !== undefined) {
    received(call, 'hit', lookup);
    return refuse(lookup, remembered.error);
  }
  return run(call, freshness === 'fallback' ? entry : undefined, entry, lookup);
}

/** Nothing answers: run, or share the run that goes on behind. */
function run<V>(
  call: Call<V>,
  fallback: Entry<V> | undefined,
  seen: Entry<V> | undefined,
  lookup: Flight<V> | undefined,
): Promise<V> {
  const { wrapper, place, key, signals } = call;
  const behind = place.registry.behind(key);
  if (behind !== undefined && lookup === undefined && fallback === undefined) return join(wrapper, behind, signals);
  const flight = lookup ?? new Flight<V>(key, 'call', 'run');
  flight.fallback = fallback;
  if (lookup === undefined) {
    flight.admit(signals);
    place.registry.add(flight);
  }
  depart(call, flight, behind, seen);
  return lookup === undefined ? wait(wrapper, flight, signals) : lookup.answer;
}

/** Where a flight runs, or follows one that does. From here on fences detach it, also those that its event calls for. */
export function depart<V>(call: Call<V>, flight: Flight<V>, leader: Flight<V> | undefined, seen?: Entry<V>): void {
  const { name, observer, activity, recursion } = call.wrapper;
  flight.phase = 'run';
  activity.begin();
  const how = leader === undefined ? 'miss' : leader.phase === 'over' ? 'hit' : 'join';
  const cycle = leader && recursion?.cycle(leader);
  // Ahead of the event, in which all others who wait for the leader may leave.
  if (leader !== undefined && cycle === undefined) follow(call, flight, leader);
  else if (flight.mayBeAbandoned) planFor(call, flight, close);
  observer.received(how, call.key);
  if (isOver(flight)) return;
  if (cycle !== undefined) {
    close(call, flight);
    // Its caller is still to ask for it.
    void flight.answer;
    return flight.reject(recursionError(name, cycle));
  }
  if (leader === undefined) startRun(call, flight, seen);
}

/** Refresh an old value while it answers; refreshes of a key never overlap. */
function runBehind<V>(call: Call<V>, seen: Entry<V>): void {
  const { wrapper, place, key } = call;
  if (place.registry.behind(key) !== undefined) return;
  const flight = new Flight<V>(key, 'background', 'run');
  place.registry.add(flight);
  wrapper.activity.begin();
  startRun(call, flight, seen);
}

/** No run is needed. The lookup ends before its event, in which a listener may forget the key and call again. */
export function received<V>(
  { wrapper, place, key }: Call<V>,
  how: 'hit' | 'stale' | 'miss',
  lookup: Flight<V> | undefined,
): void {
  if (lookup !== undefined) {
    place.registry.remove(lookup);
    lookup.end();
  }
  wrapper.observer.received(how, key);
}

/** The answer is known: to the one caller, or to all who waited for the lookup. */
function deliver<V>(lookup: Flight<V> | undefined, value: V): Promise<V> {
  if (lookup === undefined) return Promise.resolve(value);
  lookup.resolve(value);
  return lookup.answer;
}

function refuse<V>(lookup: Flight<V> | undefined, error: unknown): Promise<V> {
  if (lookup === undefined) return Promise.reject(error);
  lookup.reject(error);
  return lookup.answer;
}
