import { lifetimeOf } from './freshness.js';
import { TimeoutError } from '../errors.js';
import { isThenable } from '../platform/promise.js';
import { Deadline, Deadlines } from './deadline.js';
import { createEntry, isEntry } from './entry.js';
import { withDeadline, timeoutOf } from './ordered-store.js';
import type { StaleWindows } from './freshness.js';
import type { OrderedStore } from './ordered-store.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Acquired, Entry, Grant, Settled, SharedStore } from './store.js';

/** What a store was asked for when it failed. */
export type StoreOperation = 'get' | 'set' | 'delete' | 'clear';

/** Told of every failure of a store. */
export type StoreFailure = (operation: StoreOperation, key: string, error: unknown) => void;

/**
 * A read that the store has not answered yet. Never fails: what does not come, or not in time, is a miss. No promise, for one
 * a step costs more than the store.
 */
export class Reading<V> extends Deadline {
  readonly #store: GuardedStore<V>;
  readonly #key: string;
  readonly #answer: PromiseLike<unknown>;
  #tell: ((entry: Entry<V> | undefined) => void) | undefined;

  constructor(store: GuardedStore<V>, key: string, answer: PromiseLike<unknown>) {
    super();
    this.#store = store;
    this.#key = key;
    this.#answer = answer;
  }

  /** To be called once. */
  then(tell: (entry: Entry<V> | undefined) => void): void {
    this.#tell = tell;
    this.#store.limit(this);
    try {
      Promise.resolve(this.#answer).then(
        (found) => {
          if (this.#tell !== undefined) this.#end(this.#store.accept(this.#key, found));
        },
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      // Not now: callers must find the lookup under way.
      queueMicrotask(() => this.#fail(error));
    }
  }

  override expire(): void {
    this.#fail(this.#store.timeoutOf('get'));
  }

  #fail(error: unknown): void {
    if (this.#tell === undefined) return;
    this.#store.report('get', this.#key, error);
    this.#end(undefined);
  }

  #end(entry: Entry<V> | undefined): void {
    const tell = this.#tell;
    this.#tell = undefined;
    this.stop();
    tell?.(entry);
  }
}

/**
 * A store that cannot hurt a call: reads that fail, hang or bring garbage are misses, writes that fail are reported and
 * lose no result. Only what a user asked for in so many words (`delete`, `prime`, `clear`) rejects.
 */
export class GuardedStore<V> {
  readonly #ordered: OrderedStore<V>;
  readonly #deadlines: Deadlines;
  /** @internal */
  readonly report: StoreFailure;
  /** Coordinates runs with other processes, where the store can. */
  readonly shared: SharedStore<V> | undefined;
  readonly #prefix: string;
  readonly #windows: StaleWindows;

  constructor(
    ordered: OrderedStore<V>,
    options: {
      readonly prefix: string;
      readonly shared: SharedStore<V> | undefined;
      readonly storeTimeout: number;
      readonly windows: StaleWindows;
    },
    report: StoreFailure,
  ) {
    this.#ordered = ordered;
    this.#prefix = options.prefix;
    this.#windows = options.windows;
    this.shared = options.shared;
    this.#deadlines = new Deadlines(options.storeTimeout);
    this.report = report;
  }

  /** Never throws, never rejects; a store that answers at once is answered for at once. */
  read(key: string): Entry<V> | undefined | Reading<V> {
    const known = this.#ordered.known(key);
    if (known !== undefined) return known ?? undefined;
    try {
      const found = this.#ordered.get(key, this.#deadlines.limit);
      if (!isThenable(found)) return this.accept(key, found);
      return new Reading(this, key, found);
    } catch (error) {
      this.report('get', key, error);
      return undefined;
    }
  }

  /** Nobody waits for this write: a promise is returned only so that it can be told when it is over. */
  write(
    key: string,
    value: V,
    ttl: number,
    duration: number | undefined,
    grant?: Grant<V>,
  ): Promise<unknown> | undefined {
    return this.#inBackground('set', key, () => this.#set(key, value, ttl, duration, grant));
  }

  /** Remove an entry that a new result said is not to be kept. */
  remove(key: string): Promise<unknown> | undefined {
    return this.#inBackground('delete', key, () => this.#ordered.delete(key, this.#deadlines));
  }

  /** Rejects with the store's error or a `TimeoutError`. */
  async prime(key: string, value: V, ttl: number, grant?: Grant<V>): Promise<unknown> {
    return this.#reported('set', key, () => this.#set(key, value, ttl, undefined, grant));
  }

  /** True where the store said that there was something to delete. Rejects with the store's error or a `TimeoutError`. */
  async delete(key: string): Promise<boolean> {
    return (await this.#reported('delete', key, () => this.#ordered.delete(key, this.#deadlines))) === true;
  }

  /** Rejects with the store's error or a `TimeoutError`. */
  async clear(): Promise<void> {
    await this.#reported('clear', '', () => this.#ordered.clear(this.#deadlines));
  }

  /**
   * The right to run `key`, from a store that coordinates processes. Rejects where it could not be asked in time.
   * @param spent What the call has waited for the store already, in milliseconds.
   */
  acquire(shared: SharedStore<V>, key: string, seen: Entry<V> | undefined, spent: number): Promise<Acquired<V>> {
    const { limit } = this.#deadlines;
    return this.#reported('get', key, () => {
      if (spent >= limit) throw new TimeoutError(`The store took the ${limit} ms of this call for the lookup`, limit);
      const timeout = Math.ceil(limit - spent);
      return this.#afterwards(key, () => shared.acquire(this.#prefix + key, { seen, timeout }));
    }) as Promise<Acquired<V>>;
  }

  /** The end of waiting for another process. Rejects where the store could not be asked any more. */
  wait(
    key: string,
    acquired: Extract<Acquired<V>, { wait: unknown }>,
    signal: AbortSignalLike,
  ): Promise<Settled<V> | { readonly alone: string }> {
    return this.#reported('get', key, () => acquired.wait(signal)) as Promise<Settled<V> | { readonly alone: string }>;
  }

  /** The right to run `key` whoever else is at it. Rejects where it could not be had. */
  begin(shared: SharedStore<V>, key: string, { drop }: { readonly drop: boolean }): Promise<Grant<V>> {
    const timeout = this.#deadlines.limit;
    return this.#reported('set', key, () =>
      this.#afterwards(key, () => shared.begin(this.#prefix + key, { drop, timeout })),
    ) as Promise<Grant<V>>;
  }

  /** What this process has called for before must have reached the store: else a grant is fenced, or an old value found. */
  #afterwards<T>(key: string, act: () => Promise<T>): Promise<T> {
    const reached = this.#ordered.reached(key);
    return reached === undefined ? act() : withDeadline(reached, this.#deadlines, 'an earlier operation').then(act);
  }

  #set(key: string, value: V, ttl: number, duration: number | undefined, grant: Grant<V> | undefined): unknown {
    const entry = createEntry(value, { storedAt: this.#ordered.now(), ttl, duration });
    const lifetime = lifetimeOf(ttl, this.#windows);
    return grant === undefined
      ? this.#ordered.set(key, entry, lifetime, this.#deadlines)
      : this.#ordered.commit(key, entry, lifetime, grant, this.#deadlines);
  }

  async #reported(operation: StoreOperation, key: string, act: () => unknown): Promise<unknown> {
    try {
      return await act();
    } catch (error) {
      this.report(operation, key, error);
      throw error;
    }
  }

  #inBackground(operation: StoreOperation, key: string, act: () => unknown): Promise<unknown> | undefined {
    try {
      const answer = act();
      if (!isThenable(answer)) return undefined;
      return (answer as Promise<unknown>).then(undefined, (error: unknown) => this.report(operation, key, error));
    } catch (error) {
      this.report(operation, key, error);
      return undefined;
    }
  }

  /** @internal For a read under way. A shared store keeps deadlines itself. */
  limit(reading: Reading<V>): void {
    if (this.shared === undefined) this.#deadlines.add(reading);
  }

  /** @internal */
  timeoutOf(operation: StoreOperation): TimeoutError {
    return timeoutOf(operation, this.#deadlines);
  }

  /** @internal What the store has answered, if it is an entry. */
  accept(key: string, found: unknown): Entry<V> | undefined {
    if (found === undefined || found === null) return undefined;
    try {
      if (isEntry(found)) return this.#ordered.isVisible(found) ? found : undefined;
      throw new TypeError('Expected an entry written by aiocachetools; what the store holds is a miss');
    } catch (error) {
      this.report('get', key, error);
      return undefined;
    }
  }
}
