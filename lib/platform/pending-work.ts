import { NativePromise } from './promise.js';
import { show } from './show.js';
import { startTimer } from './timer.js';
/** Counts the runs, writes and controls under way in one wrapper, so that `settled()` can wait for them. */
export class PendingWork {
  /** The work that contains this: all wrappers of a memoizer. */
  readonly #whole: PendingWork | undefined;
  #underWay = 0;
  #waiters: Set<() => void> | undefined;

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
    if (this.#waiters === undefined) return;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const settle of waiters) settle();
  }

  /** @param work Never rejects. */
  track(work: Promise<unknown>): void {
    this.begin();
    void work.then(() => this.end());
  }

  /** @param limit Resolve after so many milliseconds at the latest. */
  settled(limit = Infinity): Promise<void> {
    if (typeof limit !== 'number' || !(limit >= 0)) {
      return NativePromise.reject(
        new TypeError(`Expected \`limit\` to be a number of milliseconds >= 0, got ${show(limit)}`),
      );
    }
    if (this.#underWay === 0) return NativePromise.resolve();
    return new NativePromise((resolve) => {
      const timer = startTimer(limit, () => {
        this.#waiters?.delete(settle);
        resolve();
      });
      const settle = (): void => {
        timer.stop();
        resolve();
      };
      (this.#waiters ??= new Set()).add(settle);
    });
  }
}
