/** Counts what is under way for one wrapper, so that `settled()` can wait for the end of it. */
export class Activity {
  /** The activity of which this one is a part: idle when all its parts are. */
  readonly #whole: Activity | undefined;
  #underWay = 0;
  #waiters: (() => void)[] = [];

  constructor(whole?: Activity) {
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
