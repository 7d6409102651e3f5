import { isWellFormed } from '../hashing/well-formed.js';
import { Flight } from '../in-flight/flight.js';
import { abortedSignal, findSignals, reasonOf } from '../in-flight/signals.js';
import { NativePromise } from '../platform/promise.js';
import { startTimer } from '../platform/timer.js';
import { freshnessOf, isDueEarly } from '../store/freshness.js';
import { PendingRead } from '../store/pending-read.js';
import { NOT_FRESH } from '../store/result-store.js';
import { follow } from './follow.js';
import { join, recursionError, waitFor } from './join.js';
import { Run } from './run.js';
import { withCopiedArguments } from './wrapper.js';
import type { Entry } from '../store/store.js';
import type { Namespace } from './namespace.js';
import type { Call, Wrapper } from './wrapper.js';

/**
 * One call, in this order: join the flight of its key, else serve the stored entry or a remembered error, else run `fn`.
 *
 * A `delete` or `clear` fences the flight of the key. If the flight is reading, the entry that is read is ignored and a run
 * starts. If it is running or following, it is detached: its callers get the result, no later call joins it, and its result
 * is not stored. A `prime` does the same, and reading calls follow the primed value. A `refresh` detaches runs only.
 */
export function answerCall<V>(wrapper: Wrapper<V>, receiver: unknown, args: readonly unknown[]): Promise<V> {
  try {
    const namespace = wrapper.namespaces.of(receiver);
    const key = wrapper.keys.recall(args);
    return key === undefined
      ? answerNewKey(wrapper, namespace, receiver, args)
      : answerKey(wrapper, namespace, { key, receiver, args });
  } catch (error) {
    return NativePromise.reject(error);
  }
}

/**
 * The same for a lone string, which is most often its own key: no list of arguments is made, which takes a third off a join
 * (C2).
 */
export function answerString<V>(wrapper: Wrapper<V>, receiver: unknown, text: string): Promise<V> {
  try {
    if (!wrapper.keys.isKey(text)) return answerCall(wrapper, receiver, [text]);
    return answerKey(wrapper, wrapper.namespaces.of(receiver), { key: text, receiver, args: undefined });
  } catch (error) {
    return NativePromise.reject(error);
  }
}

/** A call whose key took no building. It holds no signal. */
interface Keyed {
  readonly key: string;
  readonly receiver: unknown;
  /** `undefined`: the key is the only argument. */
  readonly args: readonly unknown[] | undefined;
}

function answerKey<V>(wrapper: Wrapper<V>, namespace: Namespace<V>, { key, receiver, args }: Keyed): Promise<V> {
  const { registry, store } = namespace;
  const flight = registry.joinable(key);
  if (flight !== undefined) {
    return flight.isOverdue
      ? retryAfterTimeout(wrapper, flight, receiver, args ?? [key])
      : join(wrapper, flight, undefined);
  }
  const { isForeign } = store;
  // A string that is its own key may hold lone surrogates, which a user's store may take for another string.
  if (isForeign && !isWellFormed(key)) return answerNewKey(wrapper, namespace, receiver, args ?? [key]);
  // A user's store may call the wrapper for the same key before it answers: such a call joins.
  if (isForeign) registry.beginRead(key);
  const stored = store.get(key);
  const reentered = isForeign ? registry.endRead(key) : undefined;
  const value = reentered === undefined ? store.freshValue(stored) : NOT_FRESH;
  if (value !== NOT_FRESH) return hit(wrapper, key, value as V);
  // In the private store nothing is stored under one that does.
  if (!isForeign && !isWellFormed(key)) return answerNewKey(wrapper, namespace, receiver, args ?? [key]);
  return answerRead({ wrapper, namespace, key, receiver, args: args ?? [key], signals: undefined }, stored, reentered);
}

/** The same for a key that must be built from the arguments, which may hold signals. */
function answerNewKey<V>(
  wrapper: Wrapper<V>,
  namespace: Namespace<V>,
  receiver: unknown,
  args: readonly unknown[],
): Promise<V> {
  const key = wrapper.keys.buildNew(receiver, args);
  const signals = findSignals(args);
  const aborted = signals && abortedSignal(signals);
  if (aborted !== undefined) return NativePromise.reject(reasonOf(aborted));
  const flight = namespace.registry.joinable(key);
  if (flight !== undefined) {
    return flight.isOverdue ? retryAfterTimeout(wrapper, flight, receiver, args) : join(wrapper, flight, signals);
  }
  return answerFrom({ wrapper, namespace, key, receiver, args, signals });
}

/**
 * The run is past its `timeout`, and its timer has not fired. One turn of the event loop passes, so that a result which is
 * ready can still arrive; then the flight times out and the call starts again.
 */
async function retryAfterTimeout<V>(
  wrapper: Wrapper<V>,
  flight: Flight<V>,
  receiver: unknown,
  args: readonly unknown[],
): Promise<V> {
  const copies = wrapper.keys.copyArguments(args);
  await new NativePromise<void>((resolve) => startTimer(0, resolve));
  flight.expire();
  return answerCall(wrapper, receiver, copies);
}

function answerFrom<V>(call: Call<V>): Promise<V> {
  const { registry, store } = call.namespace;
  registry.beginRead(call.key);
  const stored = store.get(call.key);
  return answerRead(call, stored, registry.endRead(call.key));
}

/** @param flight Of the key, if one was made while the store was asked. */
function answerRead<V>(call: Call<V>, stored: unknown, flight: Flight<V> | undefined): Promise<V> {
  const entry = call.namespace.store.entryOf(stored);
  if (entry instanceof PendingRead) return awaitRead(call, entry, flight);
  if (flight === undefined) return serveOrRun(call, entry);
  flight.admit(call.signals);
  afterRead(call, flight, { entry, spent: 0 });
  return waitFor(call.wrapper, flight, call.signals);
}

function hit<V>(wrapper: Wrapper<V>, key: string, value: V): Promise<V> {
  wrapper.observer.received('hit', key);
  return NativePromise.resolve(value);
}

/** The store answers later. Calls of the key join meanwhile. */
function awaitRead<V>(given: Call<V>, read: PendingRead<V>, joined: Flight<V> | undefined): Promise<V> {
  let call: Call<V>;
  try {
    call = withCopiedArguments(given);
  } catch (error) {
    // What the store answers is ignored, and its rejection is handled.
    read.onSettled(noop);
    throw error;
  }
  const { wrapper, namespace, key, signals } = call;
  const flight = joined ?? new Flight<V>(key, 'call');
  const startedAt = namespace.store.coordinator && performance.now();
  flight.admit(signals);
  if (flight.canBeAbandoned) flight.onAbandoned = () => endWithoutRun(call, 'miss', flight);
  if (joined === undefined) namespace.registry.add(flight);
  wrapper.pendingWork.begin();
  read.onSettled((entry) => {
    try {
      if (!flight.isSettled)
        afterRead(call, flight, { entry, spent: startedAt === undefined ? 0 : performance.now() - startedAt });
    } catch (error) {
      failRead(call, flight, error);
    } finally {
      wrapper.pendingWork.end();
    }
  });
  return waitFor(wrapper, flight, signals);
}

/** An error that no one expects must not leave the key waiting for ever. */
function failRead<V>({ namespace }: Call<V>, flight: Flight<V>, error: unknown): void {
  if (flight.isSettled) return;
  namespace.registry.remove(flight);
  flight.settle('failed');
  flight.reject(error);
}

/** Decides after the read. A `prime`, an invalidation, or a refresh that has finished overrides what was read. */
function afterRead<V>(
  call: Call<V>,
  flight: Flight<V>,
  { entry, spent }: { readonly entry: Entry<V> | undefined; readonly spent: number },
): void {
  const { registry } = call.namespace;
  const override = flight.state.name === 'reading' ? flight.state.override : undefined;
  if (override?.type !== 'follow') {
    void serveOrRun(call, override === undefined ? entry : override.entry, { flight, spent });
    return;
  }
  // A primed value that failed gives nothing to follow. `addPrime` replaced this flight in the registry, so it is added again.
  const { prime } = override;
  const hasFailed = prime.state.name === 'settled' && prime.state.how === 'failed';
  const leader = hasFailed ? registry.underWay(call.key) : prime;
  if (leader === undefined) registry.add(flight);
  runOrFollow(call, flight, { leader, spent });
}

/** The flight whose read has ended, and how long the read took. */
interface Read<V> {
  readonly flight: Flight<V>;
  /** Milliseconds; measured where processes share the store. */
  readonly spent: number;
}

/** Serves the stored entry if it is fresh or stale, or a remembered error; otherwise starts a run. */
function serveOrRun<V>(call: Call<V>, entry: Entry<V> | undefined, read?: Read<V>): Promise<V> {
  const { wrapper, namespace, key } = call;
  const { options } = wrapper;
  const { errors } = namespace;
  const now = entry?.freshUntil === undefined && errors.size === 0 ? 0 : Date.now();
  const freshness = entry === undefined ? 'expired' : freshnessOf(entry, now, options);
  if (entry !== undefined && freshness === 'fresh') {
    endWithoutRun(call, 'hit', read?.flight);
    const isDue = options.earlyRefresh > 0 && isDueEarly(entry, now, options.earlyRefresh, Math.random());
    if (isDue) refreshInBackground(call, entry);
    return serve(entry.value as V, read?.flight);
  }
  const remembered = errors.size === 0 ? undefined : errors.recall(key, now);
  if (entry !== undefined && (freshness === 'stale' || (freshness === 'fallback' && remembered !== undefined))) {
    endWithoutRun(call, 'stale', read?.flight);
    if (remembered === undefined) refreshInBackground(call, entry);
    return serve(entry.value as V, read?.flight);
  }
  if (remembered !== undefined) {
    endWithoutRun(call, 'hit', read?.flight);
    return refuse(remembered.error, read?.flight);
  }
  return miss(call, { entry, fallback: freshness === 'fallback' ? entry : undefined, read });
}

interface Missed<V> {
  /** The entry that was found and is of no use. */
  readonly entry: Entry<V> | undefined;
  readonly fallback: Entry<V> | undefined;
  readonly read: Read<V> | undefined;
}

/** Nothing can be served. A call without its own flight or fallback joins the background run; a flight follows it. Else `fn` runs. */
function miss<V>(call: Call<V>, { entry, fallback, read }: Missed<V>): Promise<V> {
  const { wrapper, namespace, key, signals } = call;
  const { registry } = namespace;
  let leader = registry.background(key);
  if (leader !== undefined && read === undefined && fallback === undefined) return join(wrapper, leader, signals);
  const flight = read?.flight ?? new Flight<V>(key, 'call');
  flight.fallback = fallback;
  if (read === undefined) {
    flight.admit(signals);
    registry.add(flight);
  } else if (!registry.holds(flight)) {
    // Tags were invalidated during the read. A later call may be under way.
    const later = registry.joinable(key);
    if (later === undefined) registry.add(flight);
    else leader = later;
  }
  runOrFollow(call, flight, { leader, seen: entry, spent: read?.spent });
  return read === undefined ? waitFor(wrapper, flight, signals) : flight.promise;
}

interface Departure<V> {
  /** The flight to follow, if there is one. */
  readonly leader: Flight<V> | undefined;
  /** The entry that was found and cannot be served. */
  readonly seen?: Entry<V> | undefined;
  readonly spent?: number | undefined;
}

/** Starts a run, or follows `leader`. The state changes before the event: a listener may invalidate the key. */
function runOrFollow<V>(call: Call<V>, flight: Flight<V>, { leader, seen, spent }: Departure<V>): void {
  const { name, observer, pendingWork, recursion } = call.wrapper;
  pendingWork.begin();
  const how = leader === undefined ? 'miss' : leader.isSettled ? 'hit' : 'join';
  const cycle = leader && recursion?.cycle(leader);
  const run = leader === undefined || cycle !== undefined ? new Run(call, flight) : undefined;
  if (leader !== undefined && cycle === undefined) follow(call, flight, leader);
  observer.received(how, call.key);
  if (flight.isSettled || run === undefined) return;
  if (cycle === undefined) run.start({ seen, spent });
  else run.reject(recursionError(name, cycle));
}

/** Refreshes a stale entry while it is served. Background runs of a key never overlap. */
function refreshInBackground<V>(call: Call<V>, seen: Entry<V>): void {
  const { wrapper, namespace, key } = call;
  if (namespace.registry.background(key) !== undefined) return;
  const flight = new Flight<V>(key, 'background');
  namespace.registry.add(flight);
  wrapper.pendingWork.begin();
  new Run(call, flight).start({ seen });
}

/** Ends the flight without a run, then emits the event: a listener may invalidate the key and call again. */
function endWithoutRun<V>(
  { wrapper, namespace, key }: Call<V>,
  how: 'hit' | 'stale' | 'miss',
  flight: Flight<V> | undefined,
): void {
  if (flight !== undefined) {
    namespace.registry.remove(flight);
    flight.settle(how === 'miss' ? 'abandoned' : 'done');
  }
  wrapper.observer.received(how, key);
}

/** To the one caller, or to all callers of the flight whose read has ended. */
function serve<V>(value: V, flight: Flight<V> | undefined): Promise<V> {
  if (flight === undefined) return NativePromise.resolve(value);
  flight.resolve(value);
  return flight.promise;
}

function refuse<V>(error: unknown, flight: Flight<V> | undefined): Promise<V> {
  if (flight === undefined) return NativePromise.reject(error);
  flight.reject(error);
  return flight.promise;
}

function noop(): void {}
