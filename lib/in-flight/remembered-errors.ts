/** How many rejections are remembered at most; the oldest goes first. */
const CAPACITY = 1_000;

interface Remembered {
  readonly error: unknown;
  readonly until: number;
}

/** Rejections that are served for a while instead of another run. They never leave this process. */
export class RememberedErrors {
  readonly #errors = new Map<string, Remembered>();

  get size(): number {
    return this.#errors.size;
  }

  /** @param until Milliseconds of the wall clock. */
  remember(key: string, error: unknown, until: number): void {
    this.#errors.delete(key);
    this.#errors.set(key, { error, until });
    if (this.#errors.size <= CAPACITY) return;
    for (const oldest of this.#errors.keys()) {
      this.#errors.delete(oldest);
      return;
    }
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
  }
}
