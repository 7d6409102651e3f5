/** How many failures in a row open the breaker. */
const FAILURES = 5;

/** How often an open breaker lets one operation try, in milliseconds. */
const PAUSE = 1_000;

/** Keeps calls from waiting for a server that is gone. Has no timer: the next operation is the probe. */
export class Breaker {
  #failures = 0;
  #triedAt = 0;

  /** False while the server counts as gone. */
  admits(): boolean {
    if (this.#failures < FAILURES) return true;
    const now = performance.now();
    if (now - this.#triedAt < PAUSE) return false;
    this.#triedAt = now;
    return true;
  }

  /** The server has answered, be it with an error. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** A deadline has passed, or there is no connection. */
  failed(): void {
    this.#failures += 1;
    if (this.#failures === FAILURES) this.#triedAt = performance.now();
  }
}
