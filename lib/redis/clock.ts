/** How fast the two clocks may drift apart, as a share of the time since they were compared. */
const DRIFT = 0.001;

/** After this long a comparison is worth a command of its own, in milliseconds. */
const GOOD_FOR = 60_000;

/** What the server's clock shows, learned from its replies: hosts whose own clocks are wrong agree on it. */
export class ServerClock {
  /** Server time less the monotonic time of this process. */
  #offset = NaN;
  /** Half the round trip of the reply it was learned from. */
  #error = Infinity;
  #learnedAt = -Infinity;

  get isKnown(): boolean {
    return this.#learnedAt !== -Infinity;
  }

  get isDue(): boolean {
    return performance.now() - this.#learnedAt > GOOD_FOR;
  }

  /**
   * @param time What the server said.
   * @param sentAt When it was asked, by the monotonic clock.
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

  /** A moment of the server's, as `Date.now()` showed it here; as it is while nothing is known. */
  toLocal(time: number): number {
    if (!this.isKnown) return time;
    return Math.round(time - this.#offset - performance.now() + Date.now());
  }
}
