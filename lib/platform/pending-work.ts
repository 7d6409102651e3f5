/** Counts the runs, writes and controls under way in one wrapper, so that `settled()` can wait for them. */
export class PendingWork {
  /** The work that contains this: all wrappers of a memoizer. */
  readonly #whole: PendingWork | undefined;
  #underWay = 0;
  #waiters: (() => void)[] = [];

  constructor(whole?: PendingWork) {
    this.#whole = whole;
  }

  begin(): void {
    this.#underWay += 1;
    this.#whole?.begin();
  }

  end(): void {
    this.#underWay -= 1;
    this.#whole?.end();
    if (this.#underWay > 0) return;
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** @param work Never rejects. */
  track(work: Promise<unknown>): void {
    this.begin();
    void work.then(() => this.end());
  }

  settled(): Promise<void> {
    return this.#underWay === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }
}
