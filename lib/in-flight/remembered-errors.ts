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
  readonly #errors = new Map<string, Remembered>();
  /** The timer of the sweep belongs to no caller. */
  readonly #home = new HomeContext();
  /** Drops errors whose time is over. One timer for all of them, set while there are any. */
  #sweeper: Timer | undefined;
  #sweepsAt = Infinity;
  /** What the sweeper was set with: fake timers may have gone since. */
  #clock: unknown;

  get size(): number {
    return this.#errors.size;
  }

  /** @param until Milliseconds of the wall clock. */
  remember(key: string, error: unknown, until: number): void {
    this.#errors.delete(key);
    this.#errors.set(key, { error, until });
    if (this.#errors.size > CAPACITY) this.#dropOldest();
    const isSweptInTime = this.#sweepsAt <= until + SWEEP_INTERVAL && this.#clock === currentClock();
    if (!isSweptInTime) this.#sweepAt(until);
  }

  recall(key: string, now: number): { readonly error: unknown } | undefined {
    const remembered = this.#errors.get(key);
    if (remembered === undefined || now < remembered.until) return remembered;
    this.#errors.delete(key);
    return undefined;
  }

  forget(key: string): void {
    if (this.#errors.size !== 0) this.#errors.delete(key);
  }

  forgetAll(): void {
    this.#errors.clear();
    this.#sweeper?.stop();
    this.#sweepsAt = Infinity;
  }

  #dropOldest(): void {
    for (const oldest of this.#errors.keys()) {
      this.#errors.delete(oldest);
      return;
    }
  }

  #sweepAt(until: number): void {
    const delay = Math.max(SWEEP_INTERVAL, until - Date.now() + 1);
    this.#sweepsAt = Date.now() + delay;
    this.#clock = currentClock();
    this.#home.run(() => {
      this.#sweeper?.stop();
      if (this.#errors.size > 0) this.#sweeper = startTimer(delay, () => this.#sweep());
    });
  }

  #sweep(): void {
    this.#sweepsAt = Infinity;
    const now = Date.now();
    let first = Infinity;
    for (const [key, { until }] of this.#errors) {
      if (until <= now) this.#errors.delete(key);
      else first = Math.min(first, until);
    }
    if (first < Infinity) this.#sweepAt(first);
  }
}
