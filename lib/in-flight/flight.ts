import { NativePromise } from '../platform/promise.js';
import type { StartedTimer, Timer } from '../platform/timer.js';
import type { Entry } from '../store/store.js';

/** Why a flight exists: a call, a `refresh`, a `prime`, or a stale entry that is refreshed in the background. */
export type FlightKind = 'call' | 'refresh' | 'prime' | 'background';

/** What a call uses in place of what the store brings, because the key changed while the store was read. */
export type ReadOverride<V> =
  /** Invalidated (no entry), or refreshed meanwhile. */
  | { readonly type: 'use'; readonly entry: Entry<V> | undefined }
  | { readonly type: 'follow'; readonly prime: Flight<V> };

export type FlightState<V> =
  /** Waiting for the store. */
  | { readonly name: 'reading'; readonly override: ReadOverride<V> | undefined }
  /** Waiting for `fn`, or for the lease that allows to call it. */
  | { readonly name: 'running' }
  /** Waiting for the run of another flight. */
  | { readonly name: 'following'; readonly leader: Flight<V> }
  | { readonly name: 'settled'; readonly how: 'done' | 'failed' | 'timed-out' | 'abandoned' };

type Outcome = Extract<FlightState<unknown>, { name: 'settled' }>['how'];

const READING = { name: 'reading', override: undefined } as const;
const RUNNING = { name: 'running' } as const;
const SETTLED = {
  done: { name: 'settled', how: 'done' },
  failed: { name: 'settled', how: 'failed' },
  'timed-out': { name: 'settled', how: 'timed-out' },
  abandoned: { name: 'settled', how: 'abandoned' },
} as const;

/**
 * A pending result shared by all callers of one key.
 *
 * A call starts in `reading`; it then runs, follows another flight, or settles. If a primed value that it follows fails, it
 * follows another flight or runs. `settled` is final: no caller joins any more, and the promise settles right after. A fence
 * stands beside the state, because it does not change who waits.
 */
export class Flight<V> {
  /** Invalidated after its run began: its callers get the result, the store does not. */
  isFenced = false;
  /** The old value that may be served where the run fails or takes too long. */
  fallback: Entry<V> | undefined;
  /** The fallback was served at `softTimeout`; the run goes on. */
  isFallbackServed = false;
  /** Called when the last caller has left. */
  onAbandoned: ((reason: unknown) => void) | undefined;
  #state: FlightState<V>;
  #promise: Promise<V> | undefined;
  #resolve: ((value: V) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** Callers that can leave. */
  #callers = 0;
  /** At least one caller has no signal, so the flight can no longer be abandoned. */
  #isPinned = false;
  #softTimer: Timer | undefined;
  #timer: StartedTimer | undefined;

  constructor(
    readonly key: string,
    readonly kind: FlightKind,
  ) {
    this.#state = kind === 'call' ? READING : RUNNING;
  }

  get state(): FlightState<V> {
    return this.#state;
  }

  get isReading(): boolean {
    return this.#state.name === 'reading';
  }

  get isSettled(): boolean {
    return this.#state.name === 'settled';
  }

  /** The flight whose run this one waits for. */
  get leader(): Flight<V> | undefined {
    return this.#state.name === 'following' ? this.#state.leader : undefined;
  }

  /** Its leader has settled, so it settles within a microtask: too late to join. */
  get isEnding(): boolean {
    return this.#state.name === 'following' && this.#state.leader.isSettled;
  }

  /** The key changed while the store is read. */
  override(override: ReadOverride<V>): void {
    if (this.#state.name !== 'reading') throw misuse(this.#state, 'reading');
    this.#state = { name: 'reading', override };
  }

  run(): void {
    if (this.#state.name === 'running' || this.isSettled) throw misuse(this.#state, 'running');
    this.#state = RUNNING;
  }

  /** Wait for the run of another flight, as one of its callers. */
  follow(leader: Flight<V>): void {
    if (this.#state.name === 'running' || this.isSettled) throw misuse(this.#state, 'following');
    this.#state = { name: 'following', leader };
    if (this.#isPinned) leader.pin();
    else leader.#callers += 1;
  }

  settle(how: Outcome): void {
    if (this.isSettled) throw misuse(this.#state, 'settled');
    this.#state = SETTLED[how];
    this.#softTimer?.stop();
    this.#timer?.stop();
  }

  /** Timers that stop when the flight settles. */
  setTimers(softTimer: Timer | undefined, timer: StartedTimer | undefined): void {
    this.#softTimer = softTimer;
    this.#timer = timer;
  }

  /** Its time is over, and its timer has not said so: some hosts drop the timers of a request that has ended. */
  get isOverdue(): boolean {
    return this.#timer?.isOverdue === true;
  }

  /** Do what the timer would do. */
  expire(): void {
    this.#timer?.fire();
  }

  /** The promise that all callers share; made at the first use, unless one was adopted. */
  get promise(): Promise<V> {
    return this.#promise ?? this.#createPromise();
  }

  /** A function of its own: one that contains a closure allocates for it on every path. */
  #createPromise(): Promise<V> {
    return (this.#promise = new NativePromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }));
  }

  /** Callers share a promise that was adopted. */
  get isShared(): boolean {
    return this.#promise !== undefined && this.#resolve === undefined;
  }

  /** Let callers share `promise`, unless they wait for another one: `resolve` and `reject` settle that. */
  adopt(promise: Promise<V>): void {
    this.#promise ??= promise;
  }

  /** Also before the first caller has asked for the promise. */
  resolve(value: V): void {
    if (this.#promise === undefined) void this.#createPromise();
    this.#resolve?.(value);
  }

  /** Also before the first caller has asked for the promise. */
  reject(error: unknown): void {
    if (this.#promise === undefined) void this.#createPromise();
    if (this.#reject === undefined) return;
    this.#reject(error);
    // No caller may be waiting: a background run, or one that was primed.
    this.#promise?.catch(noop);
  }

  /** Let later callers wait for the run again, after the fallback was served and has expired since. */
  reopen(): void {
    this.isFallbackServed = false;
    this.#promise = undefined;
  }

  /** A caller joins. Before any user code runs, so that the flight is not abandoned for want of callers. */
  admit(signals: readonly unknown[] | undefined): void {
    if (signals === undefined) this.pin();
    else this.#callers += 1;
  }

  /** A caller without a signal: the flight can no longer be abandoned. */
  pin(): void {
    if (this.#isPinned) return;
    this.#isPinned = true;
    this.leader?.pin();
  }

  get canBeAbandoned(): boolean {
    return !this.#isPinned;
  }

  get isAwaited(): boolean {
    return this.#isPinned || this.#callers > 0;
  }

  /** A caller leaves. The last one abandons the flight, unless it is a background run. */
  leave(reason: unknown): void {
    this.#callers -= 1;
    if (!this.isAwaited && this.kind !== 'background' && !this.isSettled) this.onAbandoned?.(reason);
  }
}

function misuse({ name }: { readonly name: string }, next: string): Error {
  return new Error(`Expected a flight that can go on to \`${next}\`, got one that is ${name}`);
}

function noop(): void {}
