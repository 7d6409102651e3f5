/** The drift between the two clocks, as a share of the time since they were compared. */
const DRIFT = 0.001;

/** How old a comparison may be before the server is asked for its time, in milliseconds. */
const GOOD_FOR = 60_000;

/** The server's clock, learned from its replies, so that hosts whose clocks differ agree on the age of an entry. */
export class ServerClock {
  /** Server time less the monotonic time of this process. */
  #offset = NaN;
  /** Half the round trip of the reply that the offset was learned from. */
  #error = Infinity;
  #learnedAt = -Infinity;

  get isKnown(): boolean {
    return this.#learnedAt !== -Infinity;
  }

  get isDue(): boolean {
    return performance.now() - this.#learnedAt > GOOD_FOR;
  }

  /**
   * @param time The server's time.
   * @param sentAt When the command was sent, by the monotonic clock.
   */
  learn(time: number, sentAt: number): void {
    if (!Number.isFinite(time)) return;
    const receivedAt = performance.now();
    const error = (receivedAt - sentAt) / 2;
    if (error > this.#error + (receivedAt - this.#learnedAt) * DRIFT) return;
    this.#error = error;
    this.#learnedAt = receivedAt;
    this.#offset = time - (sentAt + receivedAt) / 2;
  }

  /** A moment of the server's clock as `Date.now()` of this process. Unchanged while the offset is unknown. */
  toLocal(time: number): number {
    if (!this.isKnown) return time;
    return Math.round(time - this.#offset - performance.now() + Date.now());
  }

  /** The same for a moment that has passed: the offset is known roughly, and what has ended must not seem to last. */
  toLocalPast(time: number): number {
    return Math.min(this.toLocal(time), Date.now());
  }
}
