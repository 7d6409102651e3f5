/** The longest delay that `setTimeout` takes; it fires at once beyond that. */
export const LONGEST_DELAY = 2 ** 31 - 1;

/** A timer this late, in milliseconds, is no sign of a busy loop. A single turn of the loop is enough then. */
const USUAL_LATENESS = 5;

/** The most that a late timer waits beyond its delay, in milliseconds. */
const LONGEST_GRACE = 100;

/** A timer this late, in milliseconds, says that this process was busy. */
const BUSY_LATENESS = 50;

/** Of the arithmetic with times, in milliseconds. */
const ROUNDING = 1e-6;

interface Host {
  readonly setTimeout: (callback: () => void, delay: number) => unknown;
  readonly setImmediate: ((callback: () => void) => unknown) | undefined;
}

/** Of Node, Deno and Bun. */
interface Immediates {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly clearImmediate?: (immediate: unknown) => void;
}

interface Handle {
  unref?(): unknown;
}

/** A timer under way. */
export interface Timer {
  /** Harmless once the timer has called back. */
  stop(): void;
}

export interface StartedTimer extends Timer {
  /** When the delay was over, by the monotonic clock; before that `undefined`. The callback follows a turn later. */
  readonly firedAt: number | undefined;
  /** True where the timer was late because this process was busy. It then says nothing about the other side. */
  readonly wasBusy: boolean;
  /** The delay is over, and the timer has not called back: the loop is busy, or the host has dropped the timer. */
  readonly isOverdue: boolean;
  /** Call back now, unless that has happened. */
  fire(): void;
}

/**
 * Call `callback` once after `delay` milliseconds, of any length, in the asynchronous context of this call. Keeps no process
 * alive. `Infinity`: never. Below 0: as soon as possible, as a timer that is late by so much.
 *
 * A timer fires before the loop reads from its sockets, so an answer that arrived while the loop was blocked would be late
 * by an instant. The loop therefore gets one more turn, or after a longer block as much time as the timer was late, at most
 * 100 ms. An answer that stops the timer meanwhile is in time.
 */
export function startTimer(delay: number, callback: () => void): StartedTimer {
  const timer = new RunningTimer(delay, callback);
  if (delay !== Infinity) timer.arm();
  return timer;
}

/** What timers are set with now. Another one than before means another clock: fake timers came or went. */
export function currentClock(): unknown {
  return globalThis.setTimeout;
}

class RunningTimer implements StartedTimer {
  firedAt: number | undefined;
  wasBusy = false;
  readonly #dueAt: number;
  /** From when the timer is started: a fake one that is installed later belongs to another clock. */
  readonly #host: Host = {
    setTimeout: globalThis.setTimeout,
    setImmediate: (globalThis as Partial<Host>).setImmediate,
  };
  #callback: (() => void) | undefined;
  #remaining: number;
  #handle: Handle | undefined;

  constructor(delay: number, callback: () => void) {
    this.#remaining = delay;
    this.#dueAt = performance.now() + delay;
    this.#callback = callback;
  }

  arm(): void {
    const step = Math.min(this.#remaining, LONGEST_DELAY);
    this.#remaining -= step;
    this.#wait(step, () => this.#fire());
  }

  get isOverdue(): boolean {
    return this.#callback !== undefined && performance.now() > this.#dueAt;
  }

  fire(): void {
    this.#end();
  }

  stop(): void {
    // First: `clearTimeout` may have been replaced since, and then clears nothing.
    this.#callback = undefined;
    if (this.#handle !== undefined) clearTimeout(this.#handle as number);
  }

  #fire(): void {
    if (this.#callback === undefined) return;
    if (this.#remaining > 0) return this.arm();
    const now = performance.now();
    this.firedAt = now;
    const lateness = now - this.#dueAt;
    // Exact, or early by more than a fraction: the clock of a test, for which nothing is in a socket.
    if (Math.abs(lateness) < ROUNDING || !(lateness > -1)) return this.#end();
    this.wasBusy = lateness >= BUSY_LATENESS;
    const { setImmediate } = this.#host;
    const end = (): void => this.#end();
    if (lateness > USUAL_LATENESS) this.#wait(Math.min(lateness, LONGEST_GRACE), end);
    else if (setImmediate === undefined) this.#wait(0, end);
    // Without `unref`, which would let the loop block. It keeps the process alive for one turn.
    else setImmediate.call(globalThis, end);
  }

  #end(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  #wait(delay: number, callback: () => void): void {
    try {
      // Node 24 warns of a delay below 0.
      this.#handle = this.#host.setTimeout.call(globalThis, callback, Math.max(0, delay)) as Handle | undefined;
      // A browser's handle is a number; one of a test may be anything.
      this.#handle?.unref?.();
    } catch {
      // A host without timers, as the global scope of a Worker: the operation has no limit there, and can still end.
    }
  }
}

/**
 * Call `callback` once after `delay` milliseconds, at most `LONGEST_DELAY`. `0`: at the end of this turn of the event
 * loop, after all promise jobs. Keeps the process alive, for a caller waits for the work that this starts.
 */
export function startWork(delay: number, callback: () => void): Timer {
  const { setImmediate, clearImmediate } = globalThis as Immediates;
  if (delay === 0 && setImmediate !== undefined) {
    const immediate = setImmediate(callback);
    return { stop: () => clearImmediate?.(immediate) };
  }
  const handle = setTimeout(callback, delay);
  return { stop: () => clearTimeout(handle) };
}
