/** How many failures in a row open a breaker. */
const FAILURES = 5;

/** How often an open breaker lets the other side be tried, in milliseconds. */
const PAUSE = 1_000;

/**
 * Refuses operations while the other side does not answer. It has no timer: an operation that is refused after a while starts
 * a probe, for which no caller waits.
 */
export class CircuitBreaker {
  #failures = 0;
  #triedAt = 0;

  /** False while the breaker is open. */
  admits(): boolean {
    return this.#failures < FAILURES;
  }

  /** True once a second while the breaker is open. */
  isProbeDue(): boolean {
    const now = performance.now();
    if (now - this.#triedAt < PAUSE) return false;
    this.#triedAt = now;
    return true;
  }

  /** The other side has answered. An error reply is an answer. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** A deadline has passed while this process was not busy, or there is no connection. */
  failed(): void {
    this.#failures += 1;
    if (this.#failures === FAILURES) this.#triedAt = performance.now();
  }

  /** Opens at once. */
  open(): void {
    this.#failures = FAILURES;
    this.#triedAt = performance.now();
  }
}
