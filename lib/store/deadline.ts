import { TimeoutError } from '../errors.js';
import { currentClock, startTimer } from '../platform/timer.js';
import type { StartedTimer } from '../platform/timer.js';

/** One operation that must not take longer than the limit. */
export abstract class Deadline {
  /** True once it has passed while this process was busy. It then says nothing about the other side. */
  wasBusy = false;
  /** @internal The neighbours in the list of `Deadlines`, and the list. */
  previous: Deadline | undefined;
  next: Deadline | undefined;
  owner: Deadlines | undefined;
  endsAt = 0;
  /** @internal Lets `expire` be called, in the context in which the operation began. */
  pass: (() => void) | undefined;

  /** The limit has passed. */
  abstract expire(): void;

  /** The operation has ended in time. Harmless after the deadline, and before it was set. */
  stop(): void {
    this.owner?.remove(this);
    this.pass = undefined;
  }
}

class Callback extends Deadline {
  constructor(readonly expire: () => void) {
    super();
  }
}

/**
 * Deadlines of one length behind one timer. They all last equally long, so they end in the order in which they begin: a list
 * and a timer for its head are enough. A timer for each read takes 20 % more of a hit in an asynchronous store (A1).
 *
 * The timer belongs to the asynchronous context that armed it, and no operation may run in the context of another. So each
 * deadline has a promise that calls `expire`, for a promise calls back in the context of `then`. It costs 5 % of A1.
 */
export class Deadlines {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: StartedTimer | undefined;
  /** The deadline that the timer was set for, unless it was stopped since. */
  #awaited: Deadline | undefined;
  /** From this time on the next deadline sets the timer anew. */
  #renewsAt = -Infinity;
  #clock: unknown;

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

  /** `deadline.expire` is called in the asynchronous context of this call. */
  add(deadline: Deadline): void {
    const now = performance.now();
    deadline.owner = this;
    deadline.endsAt = now + this.limit;
    void new Promise<void>((resolve) => (deadline.pass = resolve)).then(() => {
      if (deadline.pass === undefined) return;
      deadline.pass = undefined;
      deadline.expire();
    });
    deadline.previous = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.next = deadline;
    this.#last = deadline;
    if (now >= this.#renewsAt || currentClock() !== this.#clock) this.#renew(now);
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

  /**
   * There is no timer, or it is one that will never fire because its clock is gone with the test that had faked it, or it was
   * set by the timer before it and holds the context of a caller from long ago.
   */
  #renew(now: number): void {
    if (this.#clock !== undefined && this.#clock !== currentClock()) {
      // Another clock: the times of the old one mean nothing.
      for (let each = this.#first; each !== undefined; each = each.next) each.endsAt = now + this.limit;
    }
    this.#timer?.stop();
    this.#arm(now);
    this.#renewsAt = now + 2 * this.limit;
  }

  #arm(now: number): void {
    this.#clock = currentClock();
    this.#awaited = this.#first;
    this.#renewsAt = -Infinity;
    // At most the limit, whatever has become of the clock. Below 0 where the head is overdue: a timer counts that as lateness.
    const delay = Math.min(this.limit, Math.ceil(this.#first!.endsAt - now));
    const timer = startTimer(delay, () => this.#check(timer));
    this.#timer = timer;
  }

  #check({ firedAt = 0, wasBusy }: StartedTimer): void {
    const awaited = this.#awaited;
    this.#timer = this.#awaited = undefined;
    this.#renewsAt = -Infinity;
    // Timers may fire a fraction of a millisecond early, and in a test by a clock that is not the host's. What has become due
    // since the timer fired gets a turn of the loop of its own.
    while (this.#first !== undefined && (this.#first === awaited || this.#first.endsAt <= firedAt + 1)) {
      const deadline = this.#first;
      this.remove(deadline);
      deadline.wasBusy = wasBusy;
      deadline.pass?.();
    }
    if (this.#first !== undefined) this.#arm(performance.now());
  }
}

/**
 * The value of a store's answer, or a rejection with a `TimeoutError` where it takes longer than the limit.
 * @param onHang Called where the store and not this process was too slow.
 */
export function withDeadline(
  answer: unknown,
  deadlines: Deadlines,
  operation: string,
  onHang?: () => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const deadline = deadlines.start(() => {
      if (!deadline.wasBusy) onHang?.();
      reject(timeoutOf(operation, deadlines));
    });
    // Not `Promise.resolve`: a `then` that throws is a rejection too.
    new Promise((adopt) => adopt(answer)).then(
      (value) => {
        deadline.stop();
        resolve(value);
      },
      (error: unknown) => {
        deadline.stop();
        reject(error);
      },
    );
  });
}

export function timeoutOf(operation: string, { limit }: Deadlines): TimeoutError {
  return new TimeoutError(`The store did not answer \`${operation}\` within ${limit} ms`, limit);
}
