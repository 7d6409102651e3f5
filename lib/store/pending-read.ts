import { NativePromise } from '../platform/promise.js';
import { Deadline } from './deadline.js';
import type { Entry } from './store.js';

/** What a read needs of the store that it reads. */
export interface ReadRules<V> {
  /** The entry in what the store answered, if it is one. */
  accept(key: string, found: unknown): Entry<V> | undefined;
  /** Start the deadline of a read. */
  startDeadline(read: PendingRead<V>): void;
  failed(key: string, error: unknown): void;
  timedOut(key: string, read: PendingRead<V>): void;
}

/**
 * A read that the store has not answered yet. It never fails: an error and a deadline are a miss. It is its own deadline
 * and no promise, because each object and each promise on this way costs more than a fast store.
 */
export class PendingRead<V> extends Deadline {
  readonly #rules: ReadRules<V>;
  readonly #key: string;
  readonly #answer: PromiseLike<unknown>;
  #callback: ((entry: Entry<V> | undefined) => void) | undefined;

  constructor(rules: ReadRules<V>, key: string, answer: PromiseLike<unknown>) {
    super();
    this.#rules = rules;
    this.#key = key;
    this.#answer = answer;
  }

  /** To be called once. */
  onSettled(callback: (entry: Entry<V> | undefined) => void): void {
    this.#callback = callback;
    this.#rules.startDeadline(this);
    try {
      NativePromise.resolve(this.#answer).then(
        (found) => {
          if (this.#callback !== undefined) this.#end(this.#rules.accept(this.#key, found));
        },
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      // A thenable that throws. Not now: callers must find the read under way.
      queueMicrotask(() => this.#fail(error));
    }
  }

  settled(): Promise<Entry<V> | undefined> {
    return new NativePromise((resolve) => this.onSettled(resolve));
  }

  override expire(): void {
    if (this.#callback === undefined) return;
    this.#rules.timedOut(this.#key, this);
    this.#end(undefined);
  }

  #fail(error: unknown): void {
    if (this.#callback === undefined) return;
    this.#rules.failed(this.#key, error);
    this.#end(undefined);
  }

  #end(entry: Entry<V> | undefined): void {
    const callback = this.#callback;
    this.#callback = undefined;
    this.stop();
    callback?.(entry);
  }
}
