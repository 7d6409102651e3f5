import type { Entry } from '../store/store.js';
import type { Timer } from '../platform/timer.js';

/** Why a flight exists: somebody called, somebody asked for a refresh or brought a value, or an old value needs one. */
export type FlightKind = 'call' | 'refresh' | 'prime' | 'background';

/** Where a flight is: asking the store, running `fn`, or settled, given up or left. */
export type FlightPhase = 'lookup' | 'run' | 'over';

/** The part of an `AbortController` that a flight needs. */
export interface AbortHandle {
  abort(reason: unknown): void;
}

/**
 * One shared answer under way: who waits for it, what may end it early, and whether its result may still be written.
 */
export class Flight<V> {
  phase: FlightPhase;
  /** A fence came after the run began: its callers get the result, the store does not. */
  isFenced = false;
  /** A fence came during the lookup: what the read brings counts for nothing. */
  isLookupVoid = false;
  /** What a flight in lookup goes by instead, if anything. */
  offered: Entry<V> | undefined;
  /** The prime that a flight in lookup follows instead. */
  successor: Flight<V> | undefined;
  /** The old value that may answer where the run fails or takes too long. */
  fallback: Entry<V> | undefined;
  /** The old value has answered ahead of the run, which goes on. */
  isAnsweredEarly = false;
  /** Aborts the signal that `fn` was given, if it was given one. */
  controller: AbortHandle | undefined;
  /** Called when the last caller has left. */
  onAbandoned: ((reason: unknown) => void) | undefined;
  /** `fn` has been called. */
  isRunning = false;
  hasTimedOut = false;
  hasFailed = false;
  /** When `fn` was called, by the monotonic clock; `undefined` where nobody asked. */
  startedAt: number | undefined;
  /** When a store that processes share was asked, by the monotonic clock; `undefined` where none was. */
  askedAt: number | undefined;
  /** Gives back what a shared store has granted, or stops waiting for it. */
  release: ((why: 'again' | 'alone') => void) | undefined;
  #leader: Flight<V> | undefined;
  #answer: Promise<V> | undefined;
  #resolve: ((value: V) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #callers = 0;
  #isPinned = false;
  #softTimer: Timer | undefined;
  #timer: Timer | undefined;

  constructor(
    readonly key: string,
    readonly kind: FlightKind,
    phase: FlightPhase,
  ) {
    this.phase = phase;
  }

  /** What all callers share. Until a promise is known that can stand for it, asking makes one. */
  get answer(): Promise<V> {
    return this.#answer ?? this.#createAnswer();
  }

  #createAnswer(): Promise<V> {
    return (this.#answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    }));
  }

  /** Let `promise` be the answer, unless callers wait for one already: then `resolve` and `reject` tell them. */
  answerWith(promise: Promise<V>): void {
    this.#answer ??= promise;
  }

  resolve(value: V): void {
    this.#resolve?.(value);
  }

  reject(error: unknown): void {
    this.hasFailed = true;
    if (this.#reject === undefined) return;
    this.#reject(error);
    // A flight that nobody waits for may fail.
    this.#answer?.catch(noop);
  }

  /** Let those who call from now on wait for the run again, after an old value has answered early and expired since. */
  reopen(): void {
    this.isAnsweredEarly = false;
    this.#answer = undefined;
  }

  /**
   * A caller has come; without a signal it never leaves. To be told before anything that may run user code, so that the
   * flight does not end for want of callers.
   */
  admit(signals: readonly unknown[] | undefined): void {
    if (signals === undefined) this.pin();
    else this.#callers += 1;
  }

  /** Somebody waits who never leaves. */
  pin(): void {
    if (this.#isPinned) return;
    this.#isPinned = true;
    this.#leader?.pin();
  }

  /** Wait for the run of another flight: whoever waits here is interested there. */
  follow(leader: Flight<V>): void {
    this.#leader = leader;
    if (this.#isPinned) leader.pin();
    else leader.#callers += 1;
  }

  /** Whose run this flight waits for, if it has none of its own. */
  get leader(): Flight<V> | undefined {
    return this.#leader;
  }

  /** The run that this flight waited for has brought nothing. */
  unfollow(): void {
    this.#leader = undefined;
  }

  /** The run that this flight waits for is over, so that its own end is a microtask away: too late to join. */
  get isEnding(): boolean {
    return this.#leader?.phase === 'over';
  }

  /** Nobody waits who never leaves: what is to be done when the last one has left must be said. */
  get mayBeAbandoned(): boolean {
    return !this.#isPinned;
  }

  /** Somebody is interested in the answer. */
  get isAwaited(): boolean {
    return this.#isPinned || this.#callers > 0;
  }

  /** A caller has left; the last one ends the flight, unless it is there for the sake of the store. */
  leave(reason: unknown): void {
    this.#callers -= 1;
    if (!this.isAwaited && this.kind !== 'background' && this.phase !== 'over') this.onAbandoned?.(reason);
  }

  limit(softTimer: Timer | undefined, timer: Timer | undefined): void {
    this.#softTimer = softTimer;
    this.#timer = timer;
  }

  end(): void {
    this.phase = 'over';
    this.#softTimer?.stop();
    this.#timer?.stop();
  }
}

function noop(): void {}
