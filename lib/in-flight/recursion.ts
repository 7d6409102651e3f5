import { builtInModule } from '../platform/built-in-module.js';

/** The part of `AsyncLocalStorage` that is used; declared here so that no Node types are needed. */
interface AsyncContext<T> {
  getStore(): T | undefined;
  run<R>(store: T, callback: () => R): R;
}

interface AsyncHooks {
  readonly AsyncLocalStorage: new <T>() => AsyncContext<T>;
}

/** A flight, as far as it matters here. */
interface Marked {
  readonly key: string;
  /** Whose run it waits for, if it has none of its own. */
  readonly leader?: Marked | undefined;
  readonly isSettled: boolean;
}

/** The runs that a piece of code is part of, the innermost first. */
interface Runs {
  readonly flight: Marked;
  readonly within: Runs | undefined;
}

/** Notices a run that would wait for itself: by the asynchronous context, in which every run leaves its mark. */
export class RecursionGuard {
  readonly #context: AsyncContext<Runs>;

  constructor() {
    const { AsyncLocalStorage } = builtInModule<AsyncHooks>('node:async_hooks') ?? {};
    if (AsyncLocalStorage === undefined) {
      throw new TypeError('Expected `detectRecursion` only where there is an AsyncLocalStorage, as in Node');
    }
    this.#context = new AsyncLocalStorage<Runs>();
  }

  /** Call `fn` as part of the run of `flight`. */
  enter<R>(flight: Marked, fn: () => R): R {
    let within = this.#context.getStore();
    // A run that is over can no longer be waited for: as a link it would only be kept alive.
    while (within?.flight.isSettled === true) within = within.within;
    return this.#context.run({ flight, within }, fn);
  }

  /** The keys from the run of `flight` to here, if a call that joined it would wait for itself. */
  cycle(flight: Marked): readonly string[] | undefined {
    let awaited = flight;
    while (awaited.leader !== undefined) awaited = awaited.leader;
    const keys: string[] = [awaited.key];
    for (let runs = this.#context.getStore(); runs !== undefined; runs = runs.within) {
      keys.unshift(runs.flight.key);
      if (runs.flight === awaited) return keys;
    }
    return undefined;
  }
}
