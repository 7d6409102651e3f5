/** Counts what is under way for one wrapper, so that `settled()` can wait for the end of it. */
export class Activity {
  #underWay = 0;
  #waiters: (() => void)[] = [];

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
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
