import { Activity } from './activity.js';
import { createControls } from './controls.js';
import { Observer } from './events.js';
import { createKeyBuilder } from './hashing/key-of.js';
import { Flight } from './in-flight/flight.js';
import { abortedSignal, findSignals } from './in-flight/signals.js';
import { LONGEST_NAME, resolveOptions, show } from './options.js';
import { Places } from './place.js';
import { close, follow, isOver, startRun } from './run.js';
import { freshnessOf, isDueEarly } from './store/entry.js';
import { hasNoEnd, resultOf } from './store/memory-store.js';
import { wait } from './wait.js';
import type { AnyFunction, AsyncFunction } from './functions.js';
import type { Memoized } from './memoized.js';
import type { MemoizeOptions, ResolvedOptions } from './options.js';
import type { Entry } from './store/store.js';
import type { Call, Wrapper } from './wrapper.js';

/**
 * A function like `fn` whose concurrent calls with equal arguments share one run and whose results are kept in `cache`.
 * With options alone it returns a function that wraps, for any `pipe`.
 *
 * A call never throws synchronously: what goes wrong is a rejection. Callers share one value, so treat it as read-only.
 *
 * @throws {TypeError} at once, for a non-function, an unknown option or one of the wrong kind.
 * @example
 * const getUser = memoizeAsync(async (id: number, db: Database) => db.user(id), { ignore: [1], ttl: 60_000 });
 * await Promise.all([getUser(7, db), getUser(7, db)]); // one query
 */
export function memoizeAsync<F extends AsyncFunction>(fn: F, options?: MemoizeOptions<F>): Memoized<F>;
export function memoizeAsync<This, Args extends unknown[], R>(
  fn: (this: This, ...args: Args) => R,
  options?: MemoizeOptions<(this: This, ...args: Args) => Promise<Awaited<R>>>,
): Memoized<(this: This, ...args: Args) => Promise<Awaited<R>>>;
// One signature, for composition infers nothing from several; written out, here and above, for a consumer's declaration
// files cannot name a type that is not public.
export function memoizeAsync(
  options: MemoizeOptions,
): // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any function, as in AsyncFunction
<F extends { (...args: any[]): unknown; <_T>(...args: any[]): unknown }>(
  fn: F,
) => Memoized<
  ReturnType<F> extends Promise<unknown>
    ? F
    : (this: ThisParameterType<F>, ...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>>
>;
export function memoizeAsync(fnOrOptions: unknown, options?: unknown): unknown {
  return memoizeWith(fnOrOptions, options, resolveOptions, wrap);
}

/** With a function: its wrapper. With options alone: what wraps a function. */
export function memoizeWith(
  fnOrOptions: unknown,
  options: unknown,
  resolve: (options: unknown) => ResolvedOptions,
  wrapOne: (fn: AnyFunction, options: ResolvedOptions) => unknown,
): unknown {
  if (typeof fnOrOptions === 'function') {
    return wrapOne(fnOrOptions as AnyFunction, resolve(options === undefined ? {} : options));
  }
  if (typeof fnOrOptions !== 'object' || fnOrOptions === null || options !== undefined) {
    throw new TypeError(`Expected a function to memoize, got ${show(fnOrOptions)}`);
  }
  const resolved = resolve(fnOrOptions);
  return (fn: unknown) => {
    if (typeof fn !== 'function') throw new TypeError(`Expected a function to memoize, got ${show(fn)}`);
    return wrapOne(fn as AnyFunction, resolved);
  };
}

/** What several wrappers have in common. */
export interface Owner {
  /** Stands before each wrapper's name, with a dot. */
  readonly name: string | undefined;
  /** Counts what is under way in any of them. */
  readonly activity?: Activity;
}

export function wrap(fn: AnyFunction, options: ResolvedOptions, owner?: Owner): unknown {
  const wrapper = createWrapper(fn, options, owner);
  const memoized = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return receive(wrapper, this, args);
  };
  return Object.defineProperties(memoized, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
    ...Object.getOwnPropertyDescriptors(createControls(wrapper, fn)),
  });
}

function createWrapper(fn: AnyFunction, options: ResolvedOptions, owner: Owner | undefined): Wrapper<unknown> {
  const prefix = owner?.name;
  const isNameGiven = options.name !== undefined && options.name !== '';
  const ownName = isNameGiven ? options.name : nameOf(fn);
  const name = prefix === undefined || prefix === '' ? ownName : `${prefix}.${ownName}`;
  if (name.length > LONGEST_NAME) {
    throw new TypeError(
      `Expected \`name\` to be at most ${LONGEST_NAME} characters with its prefix, got ${show(name)}`,
    );
  }
  const { keyOf, ignore } = options;
  const observer = new Observer(name, options.onEvent);
  return {
    fn: fn as Wrapper<unknown>['fn'],
    name,
    options,
    observer,
    buildKey: createKeyBuilder({ name, keyOf, ignore }),
    places: new Places({ fn, name, isNameGiven, keyOf, ignore }, options, (operation, key, error) =>
      observer.storeFailed(operation, key, error),
    ),
    activity: new Activity(owner?.activity),
  };
}

/** The order of one call: who is it, is it under way, is it known, else run. */
function receive<V>(wrapper: Wrapper<V>, receiver: unknown, args: readonly unknown[]): Promise<V> {
  try {
    const place = wrapper.places.of(receiver);
    const own = wrapper.buildKey.own(args);
    if (own !== undefined && place.memory !== undefined && place.registry.isIdle) {
      const kept = place.memory.get(own);
      if (hasNoEnd(kept)) return hit(wrapper, own, kept);
    }
    const key = wrapper.buildKey(receiver, args);
    const signals = findSignals(args);
    const aborted = signals && abortedSignal(signals);
    if (aborted !== undefined) return Promise.reject(aborted.reason);

    const flight = place.registry.joinable(key);
    if (flight !== undefined) return join(wrapper, flight, signals);

    const kept = place.memory?.get(key);
    if (hasNoEnd(kept)) return hit(wrapper, key, kept);
    const found = place.store?.read(key);
    const call: Call<V> = { wrapper, place, key, receiver, args, signals };
    return found instanceof Promise ? lookUp(call, found) : answer(call, found);
  } catch (error) {
    return Promise.reject(error);
  }
}

function hit<V>({ observer }: Wrapper<V>, key: string, kept: unknown): Promise<V> {
  observer.hit(key);
  return Promise.resolve(resultOf(kept) as V);
}

/** Share what is under way. */
function join<V>(wrapper: Wrapper<V>, flight: Flight<V>, signals: Call<V>['signals']): Promise<V> {
  flight.admit(signals);
  wrapper.observer.received('join', flight.key);
  if (flight.isAnsweredEarly) {
    if (freshnessOf(flight.fallback!, Date.now(), wrapper.options) === 'expired') flight.reopen();
    else wrapper.observer.fellBack(flight.key, 'soft-timeout');
  }
  return wait(wrapper, flight, signals);
}

/** Wait for a store that takes its time; who calls meanwhile joins. */
function lookUp<V>(call: Call<V>, reading: Promise<Entry<V> | undefined>): Promise<V> {
  const { wrapper, place, key } = call;
  const flight = new Flight<V>(key, 'call', 'lookup');
  flight.onAbandoned = () => received(call, 'miss', flight);
  flight.admit(call.signals);
  place.registry.add(flight);
  const lookedUp = reading.then((found) => {
    if (flight.phase === 'over') return;
    const { successor } = flight;
    if (successor === undefined) return void answer(call, flight.isLookupVoid ? flight.offered : found, flight);
    const leader = successor.hasFailed ? place.registry.underWay(key) : successor;
    if (leader === undefined) place.registry.add(flight);
    depart(call, flight, leader);
  });
  wrapper.activity.track(lookedUp);
  return wait(wrapper, flight, call.signals);
}

/** What a stored entry is worth now: the answer, or an old answer, or a run. */
function answer<V>(call: Call<V>, entry: Entry<V> | undefined, lookup?: Flight<V>): Promise<V> {
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
function depart<V>(call: Call<V>, flight: Flight<V>, leader: Flight<V> | undefined, seen?: Entry<V>): void {
  const { observer, activity } = call.wrapper;
  flight.phase = 'run';
  flight.onAbandoned = () => close(call, flight);
  activity.begin();
  observer.received(leader === undefined ? 'miss' : leader.phase === 'over' ? 'hit' : 'join', call.key);
  if (isOver(flight)) return;
  if (leader === undefined) startRun(call, flight, seen);
  else follow(call, flight, leader);
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
function received<V>(
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

function nameOf({ name }: AnyFunction): string {
  return typeof name === 'string' && name !== '' ? name.replaceAll('|', '_').slice(0, LONGEST_NAME / 2) : 'anonymous';
}
