import { NativePromise } from './promise.js';

/**
 * Runs jobs in the asynchronous context in which this object was made. What lives longer than a call (a socket, a timer
 * that is set again and again) belongs there: it would otherwise keep the context of the first caller alive, and pass it
 * to others. A reaction of a promise runs in the context of its `then`, so one that is kept for later is all it takes.
 */
export class HomeContext {
  #jobs: (() => void)[] = [];
  #wake: () => void = () => undefined;

  constructor() {
    this.#wait();
  }

  /** Runs `job` with the next microtasks. */
  run(job: () => void): void {
    this.#jobs.push(job);
    this.#wake();
  }

  #wait(): void {
    void new NativePromise<void>((resolve) => (this.#wake = resolve)).then(() => {
      this.#wait();
      for (const job of this.#jobs.splice(0)) job();
    });
  }
}
