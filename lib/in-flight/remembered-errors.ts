import { HomeContext } from '../platform/home-context.js';
import { currentClock, startTimer } from '../platform/timer.js';
import type { Timer } from '../platform/timer.js';

/** How many rejections are remembered at most; the oldest is dropped first. */
const CAPACITY = 1_000;

/** The least time between two sweeps, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

interface Remembered {
  readonly error: unknown;
  readonly until: number;
}

/** Rejections that are served for a while instead of another run. They never leave this process. */
export class RememberedErrors {
  #errors: Map<string, Remembered> | undefined;
  /** The timer of the sweep belongs to no caller. */
  #home: HomeContext | undefined;
  /** Drops errors whose time is over. One timer for all of them, set while there are any. */
  #sweeper: Timer | undefined;
  #sweepsAt = Infinity;
  /** What the sweeper was set with: fake timers may have gone since. */
  #clock: unknown;

  /** To be called before errors are remembered, in no caller's context. */
  prepare(): void {
    this.#home ??= new HomeContext();
  }

  get size(): number {
    return this.#errors?.size ?? 0;
  }

  /** @param until Milliseconds of the wall clock. */
  remember(key: string, error: unknown, until: number): void {
    const errors = (this.#errors ??= new Map<string, Remembered>());
    errors.delete(key);
    errors.set(key, { error, until });
    if (errors.size > CAPACITY) dropOldest(errors);
    const isSweptInTime = this.#sweepsAt <= until + SWEEP_INTERVAL && this.#clock === currentClock();
    if (!isSweptInTime) this.#sweepAt(until);
  }

  recall(key: string, now: number): { readonly error: unknown } | undefined {
    const remembered = this.#errors?.get(key);
    if (remembered === undefined || now < remembered.until) return remembered;
    this.#errors?.delete(key);
    return undefined;
  }

  forget(key: string): void {
    this.#errors?.delete(key);
  }

  forgetAll(): void {
    this.#errors = undefined;
    this.#sweeper?.stop();
    this.#sweepsAt = Infinity;
  }

  #sweepAt(until: number): void {
    const delay = Math.max(SWEEP_INTERVAL, until - Date.now() + 1);
    this.#sweepsAt = Date.now() + delay;
    this.#clock = currentClock();
    this.prepare();
    this.#home!.run(() => {
      this.#sweeper?.stop();
      if (this.size > 0) this.#sweeper = startTimer(delay, () => this.#sweep());
    });
  }

  #sweep(): void {
    this.#sweepsAt = Infinity;
    const now = Date.now();
    let first = Infinity;
    for (const [key, { until }] of this.#errors ?? []) {
      if (until <= now) this.#errors?.delete(key);
      else first = Math.min(first, until);
    }
    if (first < Infinity) this.#sweepAt(first);
  }
}

function dropOldest(errors: Map<string, unknown>): void {
  for (const oldest of errors.keys()) {
    errors.delete(oldest);
    return;
  }
}
