import { startTimer } from '../timer.js';

/** One operation that must not take longer than the limit. */
export interface Deadline {
  /** The operation has ended in time. Harmless after the deadline. */
  stop(): void;
}

class Watch implements Deadline {
  previous: Watch | undefined;
  next: Watch | undefined;

  constructor(
    readonly owner: Deadlines,
    readonly endsAt: number,
    readonly expire: () => void,
  ) {}

  stop(): void {
    this.owner.remove(this);
  }
}

/**
 * Deadlines of one length, on one timer: as all last equally long they end in the order in which they began, so that a
 * list and a timer for its head are enough. A timer for each store operation would cost more than the operation.
 */
export class Deadlines {
  #first: Watch | undefined;
  #last: Watch | undefined;
  #isArmed = false;

  constructor(
    /** Milliseconds; `Infinity`: no deadline. */
    readonly limit: number,
  ) {}

  /** Call `expire` when the limit has passed, unless the deadline is stopped before. */
  start(expire: () => void): Deadline {
    const watch = new Watch(this, performance.now() + this.limit, expire);
    watch.previous = this.#last;
    if (this.#last === undefined) this.#first = watch;
    else this.#last.next = watch;
    this.#last = watch;
    if (!this.#isArmed) this.#arm(this.limit);
    return watch;
  }

  /** @internal Called by the deadline itself. */
  remove(watch: Watch): void {
    if (watch.previous === undefined && this.#first !== watch) return;
    if (watch.previous === undefined) this.#first = watch.next;
    else watch.previous.next = watch.next;
    if (watch.next === undefined) this.#last = watch.previous;
    else watch.next.previous = watch.previous;
    watch.previous = watch.next = undefined;
  }

  #arm(delay: number): void {
    this.#isArmed = true;
    startTimer(delay, () => this.#check());
  }

  #check(): void {
    this.#isArmed = false;
    const now = performance.now();
    // Timers may fire a fraction of a millisecond early.
    while (this.#first !== undefined && this.#first.endsAt <= now + 1) {
      const watch = this.#first;
      this.remove(watch);
      watch.expire();
    }
    if (this.#first !== undefined && !this.#isArmed) this.#arm(Math.max(1, this.#first.endsAt - now));
  }
}
