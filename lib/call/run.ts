import { TimeoutError } from '../errors.js';
import { onAbort, replaceSignals } from '../in-flight/signals.js';
import { NativePromise, nativeThen } from '../platform/promise.js';
import { startTimer } from '../platform/timer.js';
import { createEntry } from '../store/entry.js';
import { isStorable } from '../store/freshness.js';
import { isHeard, traceRun } from '../tracing.js';
import { errorTtlFor, ttlFor } from './durations.js';
import { acquireLease } from './lease.js';
import { describeReadOnce, readOnceError } from './read-once.js';
import { tagsFor } from './tags.js';
import { rejectCallers, serveFallback, settle } from './settle.js';
import { canChange, mayHaveChanged, withCopiedArguments } from './wrapper.js';
import type { Flight } from '../in-flight/flight.js';
import type { RecursionGuard } from '../in-flight/recursion.js';
import type { Coordinator } from '../store/coordinator.js';
import type { Result } from '../store/result-store.js';
import type { Entry, Grant } from '../store/store.js';
import type { TracingChannel } from '../tracing.js';
import type { Call } from './wrapper.js';

export interface RunOptions<V> {
  /** An entry that was read and cannot be served. */
  readonly seen?: Entry<V> | undefined;
  /** How long the call has waited for the store, in milliseconds. */
  readonly spent?: number | undefined;
}

/**
 * One run of `fn` for a flight that is in the registry: the lease where processes share the store, the limits, `fn`, and
 * what becomes of its result. The flight settles before its callers are told: a retry in a `catch` must start a new run.
 */
export class Run<V> {
  #call: Call<V>;
  readonly #flight: Flight<V>;
  /** `fn` has been called. */
  #isStarted = false;
  /** The epoch of the tags in which it was. */
  #begun = 0;
  /** When it was, by the monotonic clock; `undefined` where the duration is not needed. */
  #startedAt: number | undefined;
  /** Aborts the signal that `fn` got, if it got one. */
  #controller: AbortController | undefined;
  /** Gives the lease back (`why`: see `Grant.release`), or ends the wait for it. */
  #release: ((why: 'again' | 'alone') => void) | undefined;
  /** False where this process runs without a grant: its result is not written. */
  #mayWrite = true;
  /** The key when `fn` had begun, where the caller could change an argument since; else `undefined`. */
  #keyAtStart: string | undefined;

  constructor(call: Call<V>, flight: Flight<V>) {
    this.#call = call;
    this.#flight = flight;
    if (flight.kind === 'call') flight.run();
    if (flight.canBeAbandoned) this.#watchCallers();
  }

  // Closures stand in functions of their own: one that contains a closure allocates for it on every path.

  #watchCallers(): void {
    this.#flight.onAbandoned = (reason) => this.#abandon(reason);
  }

  /** Whatever is thrown here settles the flight: otherwise its key would wait for ever. */
  start(options: RunOptions<V>): void {
    try {
      this.#start(options);
    } catch (error) {
      if (this.#hasSettled()) throw error;
      this.reject(error);
    }
  }

  #start({ seen, spent = 0 }: RunOptions<V>): void {
    const isLimited = this.#flight.fallback !== undefined || this.#call.wrapper.options.timeout !== Infinity;
    if (isLimited) this.#startTimers();
    const { coordinator } = this.#call.namespace.store;
    if (coordinator === undefined) this.#callFn(undefined);
    else this.#startLeased(coordinator, { seen, spent }).catch((error: unknown) => this.#failStart(error));
  }

  #failStart(error: unknown): void {
    if (!this.#flight.isSettled) this.reject(error);
  }

  /** Fails the flight: no run is possible, or starting it threw. */
  reject(error: unknown): void {
    settle(this.#call, this.#flight, 'failed');
    this.#flight.reject(error);
  }

  #startTimers(): void {
    const { timeout, softTimeout } = this.#call.wrapper.options;
    const flight = this.#flight;
    const canFallBack = flight.fallback !== undefined;
    // Made now: callers do not share the promise of `fn`, for they may get something else.
    void flight.promise;
    flight.setTimers(
      canFallBack && softTimeout !== Infinity
        ? startTimer(softTimeout, () => serveFallback(this.#call, flight))
        : undefined,
      timeout === Infinity ? undefined : startTimer(timeout, () => this.#timeOut()),
    );
  }

  async #startLeased(
    coordinator: Coordinator<V>,
    { seen, spent }: { readonly seen: Entry<V> | undefined; readonly spent: number },
  ): Promise<void> {
    const flight = this.#flight;
    // `fn` starts later: with the arguments of now.
    this.#call = withCopiedArguments(this.#call);
    const waiting = new AbortController();
    this.#release = () => waiting.abort();
    const outcome = await acquireLease(this.#call, flight, { coordinator, seen, spent, signal: waiting.signal });
    if (flight.isSettled) {
      if (outcome !== undefined && 'grant' in outcome) outcome.grant.release('again');
    } else if (outcome === undefined) {
      settle(this.#call, flight, 'abandoned');
    } else if ('grant' in outcome) {
      this.#startGranted(outcome.grant);
    } else if ('hit' in outcome) {
      this.#serveForeign(outcome.hit);
    } else {
      this.#release = undefined;
      this.#mayWrite = false;
      this.#call.wrapper.observer.unleased(this.#call.key, outcome.unleased);
      this.#callFn(undefined);
    }
  }

  #startGranted(grant: Grant<V>): void {
    this.#release = (why) => grant.release(why);
    if (grant.unleased !== undefined) {
      const error: unknown = grant.unleased;
      this.#call.wrapper.observer.unleased(this.#call.key, error instanceof Error ? error.message : String(error));
    }
    // A fence in another process.
    onAbort([grant.lost], () => this.#call.namespace.registry.detach(this.#flight));
    this.#callFn(grant);
  }

  /** Another process has stored the value: callers get it, and `fn` does not run here. */
  #serveForeign(hit: Entry<V>): void {
    const { namespace, key } = this.#call;
    const flight = this.#flight;
    if (!flight.isFenced) {
      namespace.errors.forget(key);
      if (flight.kind !== 'call' && namespace.registry.holds(flight)) namespace.registry.supply(key, hit);
    }
    settle(this.#call, flight, 'done');
    flight.resolve(hit.value as V);
  }

  #callFn(grant: Grant<V> | undefined): void {
    const { observer, options, pendingWork } = this.#call.wrapper;
    if (observer.isHeard || options.earlyRefresh > 0) this.#startedAt = performance.now();
    observer.started();
    this.#isStarted = true;
    this.#begun = this.#call.namespace.tagSpace.marks.latest;
    // Also when no caller waits any more: `fn` may still use what a shutdown closes.
    pendingWork.begin();
    // The flight settles before this promise does. It is a native promise, whatever `fn` returns.
    const settled = nativeThen.call(
      this.#produce(),
      (value) => {
        pendingWork.end();
        return this.#fulfil(value as V, grant);
      },
      (error: unknown) => {
        pendingWork.end();
        return this.#fail(error);
      },
    ) as Promise<V>;
    this.#flight.adopt(settled);
    // No caller handles the rejection of a background run.
    if (this.#flight.kind === 'background') settled.catch(noop);
  }

  /** What `fn` returns or throws, as a promise. */
  #produce(): Promise<V> {
    const { wrapper } = this.#call;
    try {
      if (mayHaveChanged(this.#call) && this.#keyNow() !== this.#call.key) throw changedError(wrapper.name);
      const args = this.#arguments() as unknown[];
      const runs = wrapper.observer.channels?.runs;
      const returned = isHeard(runs) ? this.#trace(runs, args) : this.#apply(args);
      if (canChange(this.#call)) this.#keyAtStart = this.#keyNow();
      return NativePromise.resolve(returned) as Promise<V>;
    } catch (error) {
      return NativePromise.reject(error);
    }
  }

  #trace(runs: TracingChannel, args: unknown[]): unknown {
    const { wrapper, key } = this.#call;
    return traceRun(runs, { name: wrapper.name, key }, () => this.#apply(args));
  }

  #apply(args: unknown[]): unknown {
    const { wrapper, receiver } = this.#call;
    const { fn, recursion } = wrapper;
    return recursion === undefined ? fn.apply(receiver, args) : this.#enter(recursion, args);
  }

  #enter(recursion: RecursionGuard, args: unknown[]): unknown {
    return recursion.enter(this.#flight, () => this.#call.wrapper.fn.apply(this.#call.receiver, args));
  }

  #arguments(): readonly unknown[] {
    const { args, signals } = this.#call;
    if (signals === undefined) return args;
    this.#controller = new AbortController();
    return replaceSignals(args, this.#controller.signal);
  }

  /** Returns the value for callers that share the promise of the run. */
  #fulfil(value: V, grant: Grant<V> | undefined): V {
    const { wrapper, namespace, key } = this.#call;
    const flight = this.#flight;
    if (flight.isSettled) return value;
    const once = describeReadOnce(value);
    if (once !== undefined) return this.#fail(readOnceError(wrapper.name, once));
    const duration = this.#elapsed();
    // The user's function may call controls, so fences must still find the flight.
    const mayStore = namespace.store.isKeeping && this.#mayWrite;
    const tags = mayStore ? tagsFor(this.#call, value) : undefined;
    const ttl = tags === undefined ? undefined : ttlFor(this.#call, value);
    const haveArgumentsChanged = this.#haveArgumentsChanged();
    if (this.#hasSettled()) return value;
    const isDiscarded =
      flight.isFenced || haveArgumentsChanged || namespace.tagSpace.marks.isVoid(tags ?? [], this.#begun);
    if (isDiscarded) {
      this.#release?.('again');
    } else {
      namespace.registry.supersede(flight);
      namespace.errors.forget(key);
      if (ttl === undefined) this.#release?.('alone');
      else {
        const kept = wrapper.options.earlyRefresh > 0 ? duration : undefined;
        this.#store({ value, ttl, duration: kept, tags, begun: this.#begun }, grant);
      }
    }
    settle(this.#call, flight, 'done');
    wrapper.observer.ended(key, 'fulfilled', duration);
    if (isDiscarded && namespace.store.isKeeping) wrapper.observer.discarded(key);
    flight.resolve(value);
    return value;
  }

  #store(result: Result<V>, grant: Grant<V> | undefined): void {
    const { wrapper, namespace, key } = this.#call;
    const { store, registry } = namespace;
    const isSupplied = this.#flight.kind !== 'call';
    let written: Promise<unknown> | undefined;
    if (isStorable(result.ttl, wrapper.options)) {
      written = store.write(key, result, grant);
      if (grant !== undefined) written = written?.then((answer) => reportRefusal(this.#call, answer));
      if (isSupplied) registry.supply(key, createEntry(result, Date.now()));
      if (!registry.holds(this.#flight)) registry.offer(this.#flight, createEntry(result, Date.now()));
    } else {
      grant?.release('alone');
      // A function that gives 0 for this value means an older entry too.
      if (typeof wrapper.options.ttl === 'function') {
        written = store.remove(key);
        if (isSupplied) registry.supply(key, undefined);
      }
    }
    if (written !== undefined) wrapper.pendingWork.track(written);
  }

  /** Throws for callers that share the promise of the run; otherwise rejects the flight's own promise. */
  #fail(error: unknown): V {
    const { wrapper, namespace, key } = this.#call;
    const flight = this.#flight;
    if (flight.isSettled) return this.#failLate(error);
    const duration = this.#elapsed();
    const ttl = errorTtlFor(this.#call, error);
    const haveArgumentsChanged = this.#haveArgumentsChanged();
    if (this.#hasSettled()) return this.#failLate(error);
    // What began before an invalidation of tags tells nothing about later calls.
    const isCurrent = !flight.isFenced && namespace.registry.holds(flight);
    const isRemembered = ttl !== undefined && ttl > 0 && isCurrent && !haveArgumentsChanged;
    if (isRemembered) namespace.errors.remember(key, error, Date.now() + ttl);
    this.#release?.(flight.isFenced ? 'again' : 'alone');
    settle(this.#call, flight, 'failed');
    wrapper.observer.ended(key, 'rejected', duration, error);
    if (flight.isShared) throw error;
    rejectCallers(this.#call, flight, error, 'error');
    return undefined as V;
  }

  /** The flight has settled before `fn` failed: no caller waits. */
  #failLate(error: unknown): V {
    if (!this.#flight.isShared) return undefined as V;
    this.#flight.promise.catch(noop);
    throw error;
  }

  /**
   * True where the caller has changed an argument since `fn` began: the result may belong to another key. What `fn` itself
   * changes before its first `await` does not count, and a key from `keyOf` is the user's word.
   */
  #haveArgumentsChanged(): boolean {
    return this.#keyAtStart !== undefined && this.#keyAtStart !== this.#keyNow();
  }

  #keyNow(): string | undefined {
    const { wrapper, receiver, args } = this.#call;
    try {
      return wrapper.keys.build(receiver, args);
    } catch {
      // An argument that can no longer be keyed has changed too.
      return undefined;
    }
  }

  /** Settles the callers and detaches the run. A late result is discarded. */
  #timeOut(): void {
    const { wrapper, key } = this.#call;
    const { timeout } = wrapper.options;
    const error = new TimeoutError(`${wrapper.name}: the run did not settle within ${timeout} ms`, timeout);
    settle(this.#call, this.#flight, 'timed-out');
    this.#release?.('alone');
    if (this.#isStarted) wrapper.observer.ended(key, 'timeout', this.#elapsed());
    rejectCallers(this.#call, this.#flight, error, 'timeout');
    this.#controller?.abort(error);
  }

  /** The last caller has left. Detached before it is aborted, so that a new call starts a new run. */
  #abandon(reason: unknown): void {
    const { wrapper, key } = this.#call;
    settle(this.#call, this.#flight, 'abandoned');
    this.#release?.('again');
    if (this.#isStarted) wrapper.observer.ended(key, 'aborted', this.#elapsed());
    this.#controller?.abort(reason);
  }

  /** Asked again after user code; the compiler would keep what it knew before. */
  #hasSettled(): boolean {
    return this.#flight.isSettled;
  }

  #elapsed(): number {
    return this.#startedAt === undefined ? NaN : performance.now() - this.#startedAt;
  }
}

/** An instance that `encode` reads cannot be copied, so the run would have other arguments than its key. */
function changedError(name: string): TypeError {
  return new TypeError(`${name}: an argument has changed between the call and the start of its run`);
}

/** A commit that lost to a fence in another process discards its result. */
export function reportRefusal<V>({ wrapper, key }: Call<V>, answer: unknown): void {
  if (answer === 'refused') wrapper.observer.discarded(key);
}

function noop(): void {}
