import { startTimer } from '../platform/timer.js';

/** One operation that must not take longer than the limit. */
export abstract class Deadline {
  /** @internal Neighbours in the list of those that have begun, and the list. */
  previous: Deadline | undefined;
  next: Deadline | undefined;
  owner: Deadlines | undefined;
  endsAt = 0;

  /** The limit has passed. */
  abstract expire(): void;

  /** The operation has ended in time. Harmless after the deadline, and before it was set. */
  stop(): void {
    this.owner?.remove(this);
  }
}

class Callback extends Deadline {
  constructor(readonly expire: () => void) {
    super();
  }
}

/**
 * Deadlines of one length, on one timer: as all last equally long they end in the order in which they began, so that a
 * list and a timer for its head are enough. A timer for each store operation would cost more than the operation.
 */
export class Deadlines {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  /** The one that the timer was set for, unless it was stopped since. */
  #awaited: Deadline | undefined;
  #isArmed = false;

  constructor(
    /** Milliseconds; `Infinity`: no deadline. */
    readonly limit: number,
  ) {}

  /** Call `expire` when the limit has passed, unless the deadline is stopped before. */
  start(expire: () => void): Deadline {
    const deadline = new Callback(expire);
    this.add(deadline);
    return deadline;
  }

  add(deadline: Deadline): void {
    deadline.owner = this;
    deadline.endsAt = performance.now() + this.limit;
    deadline.previous = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    if (!this.#isArmed) this.#arm(this.limit);
  }

  /** @internal Called by the deadline itself. */
  remove(deadline: Deadline): void {
    if (deadline.previous === undefined && this.#first !== deadline) return;
    if (this.#awaited === deadline) this.#awaited = undefined;
    if (deadline.previous === undefined) this.#first = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === undefined) this.#last = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.previous = deadline.next = undefined;
  }

  #arm(delay: number): void {
    this.#isArmed = true;
    this.#awaited = this.#first;
    startTimer(delay, () => this.#check());
  }

  #check(): void {
    const awaited = this.#awaited;
    this.#isArmed = false;
    this.#awaited = undefined;
    const now = performance.now();
    // Timers may fire a fraction of a millisecond early, and in a test by a clock that is not the host's.
    while (this.#first !== undefined && (this.#first === awaited || this.#first.endsAt <= now + 1)) {
      const deadline = this.#first;
      this.remove(deadline);
      deadline.expire();
    }
    if (this.#first !== undefined && !this.#isArmed) this.#arm(Math.max(1, this.#first.endsAt - now));
  }
}
