/** How many failures in a row open a breaker. */
const FAILURES = 5;

/** How often an open breaker lets one operation through, in milliseconds. */
const PAUSE = 1_000;

/** Refuses operations while the other side does not answer. It has no timer: the next operation is the probe. */
export class CircuitBreaker {
  #failures = 0;
  #triedAt = 0;

  /** False while the breaker is open and no probe is due. */
  admits(): boolean {
    if (this.#failures < FAILURES) return true;
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
