import { TimeoutError } from '../errors.js';
import { isThenable, NativePromise } from '../platform/promise.js';
import { show } from '../platform/show.js';
import { Deadlines, timeoutOf, withDeadline } from './deadline.js';
import { createEntry, isEntry, markAsWritten } from './entry.js';
import { isPlainlyFresh, lifetimeOf } from './freshness.js';
import { PendingRead } from './pending-read.js';
import { NOT_FRESH } from './result-store.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Coordinator } from './coordinator.js';
import type { StaleWindows } from './freshness.js';
import type { OrderedStore } from './ordered-store.js';
import type { ReadRules } from './pending-read.js';
import type { Result, ResultStore } from './result-store.js';
import type { Acquired, Entry, Grant, Settled, SharedStore } from './store.js';

/** The operation in which a store failed. */
export type StoreOperation = 'get' | 'set' | 'delete' | 'clear';

/** Receives every failure of a store. */
export type StoreFailure = (operation: StoreOperation, key: string, error: unknown) => void;

/** How many entries of no use a store may offer to one run. */
const MOST_OFFERS = 5;

export interface GuardOptions<V> {
  /** Before every key. */
  readonly prefix: string;
  readonly shared: SharedStore<V> | undefined;
  /** Milliseconds. */
  readonly storeTimeout: number;
  readonly windows: StaleWindows;
  /** True where results may have tags. */
  readonly isTagged: boolean;
  readonly validate: ((value: unknown) => unknown) | undefined;
}

/**
 * A user's store that cannot hurt a call: reads that fail, hang or return garbage are misses, and writes that fail are
 * reported and lose no result. Only the explicit operations (`delete`, `prime`, `clear`) reject.
 */
export class GuardedStore<V> implements ResultStore<V>, ReadRules<V>, Coordinator<V> {
  readonly isKeeping = true;
  readonly isForeign = true;
  readonly coordinator: Coordinator<V> | undefined;
  readonly #ordered: OrderedStore<V>;
  readonly #deadlines: Deadlines;
  readonly #report: StoreFailure;
  readonly #shared: SharedStore<V> | undefined;
  readonly #prefix: string;
  readonly #windows: StaleWindows;
  readonly #isTagged: boolean;
  readonly #validate: ((value: unknown) => unknown) | undefined;
  /** Entries whose values need not be asked about again. */
  readonly #valid = new WeakSet<object>();

  constructor(
    ordered: OrderedStore<V>,
    { prefix, shared, storeTimeout, windows, isTagged, validate }: GuardOptions<V>,
    report: StoreFailure,
  ) {
    this.#ordered = ordered;
    this.#prefix = prefix;
    this.#windows = windows;
    this.#isTagged = isTagged;
    this.#validate = validate;
    this.#shared = shared;
    this.coordinator = shared === undefined ? undefined : this;
    this.#deadlines = new Deadlines(storeTimeout);
    this.#report = report;
  }

  /** A store that answers at once is read at once. */
  get(key: string): Entry<V> | PendingRead<V> | undefined {
    return this.#read(key, false);
  }

  peek(key: string): Entry<V> | PendingRead<V> | undefined {
    return this.#read(key, true);
  }

  #read(key: string, isPeek: boolean): Entry<V> | PendingRead<V> | undefined {
    const pending = this.#ordered.pendingEntry(key);
    if (pending !== undefined) return pending ?? undefined;
    try {
      const found = isPeek
        ? this.#ordered.peek(key, this.#deadlines.limit)
        : this.#ordered.get(key, this.#deadlines.limit);
      if (!isThenable(found)) return this.accept(key, found);
      return new PendingRead(this, key, found);
    } catch (error) {
      this.#report('get', key, error);
      return undefined;
    }
  }

  freshValue(stored: unknown): unknown {
    if (stored === undefined || stored instanceof PendingRead) return NOT_FRESH;
    const entry = stored as Entry<V>;
    return entry.freshUntil === undefined || isPlainlyFresh(entry, Date.now()) ? entry.value : NOT_FRESH;
  }

  entryOf(stored: unknown): Entry<V> | PendingRead<V> | undefined {
    return stored as Entry<V> | PendingRead<V> | undefined;
  }

  write(key: string, result: Result<V>, grant?: Grant<V>): Promise<unknown> | undefined {
    return this.#inBackground('set', key, () => this.#set(key, result, grant));
  }

  remove(key: string): Promise<unknown> | undefined {
    return this.#inBackground('delete', key, () => this.#ordered.delete(key, this.#deadlines));
  }

  async prime(key: string, result: Result<V>, grant?: Grant<V>): Promise<unknown> {
    return this.#reported('set', key, () => this.#set(key, result, grant));
  }

  async delete(key: string): Promise<boolean> {
    const deleted = await this.#reported('delete', key, () => this.#ordered.delete(key, this.#deadlines));
    // Some stores answer with a count.
    return deleted === true || (typeof deleted === 'number' && deleted > 0);
  }

  async expire(key: string): Promise<boolean> {
    const expired = await this.#reported('delete', key, () =>
      this.#ordered.expire(key, this.#windows, this.#deadlines),
    );
    return expired === true;
  }

  async clear(): Promise<void> {
    await this.#reported('clear', '', () => this.#ordered.clear(this.#deadlines));
  }

  acquire(
    key: string,
    { seen, spent }: { readonly seen: Entry<V> | undefined; readonly spent: number },
  ): Promise<Acquired<V>> {
    const { limit } = this.#deadlines;
    const isTagged = this.#isTagged;
    return this.#orLocalGrant('get', key, async () => {
      if (spent >= limit) throw new TimeoutError(`The store took the ${limit} ms of this call for the lookup`, limit);
      const timeout = Math.ceil(limit - spent);
      return this.#afterPending(key, async (store) => {
        let unusable = seen;
        for (let offers = 0; offers < MOST_OFFERS; offers += 1) {
          const acquired = await store.acquire(this.#prefix + key, { seen: unusable, timeout, isTagged });
          if (!('hit' in acquired)) return acquired;
          const hit = this.#ordered.visible(key, acquired.hit);
          if (hit !== undefined && this.#isValid(key, acquired.hit)) return { hit };
          // From before a `delete` that the store did not carry out, or of no use here. It is not offered again.
          unusable = acquired.hit;
        }
        throw new Error('The store offers nothing but entries that are of no use');
      });
    });
  }

  wait(
    key: string,
    acquired: Extract<Acquired<V>, { wait: unknown }>,
    signal: AbortSignalLike,
  ): Promise<Settled<V> | { readonly unleased: string }> {
    return this.#orLocalGrant('get', key, async () => {
      const outcome = await acquired.wait(signal);
      if (!('hit' in outcome) || this.#isValid(key, outcome.hit)) return outcome;
      const next = await this.acquire(key, { seen: outcome.hit, spent: 0 });
      return 'wait' in next ? this.wait(key, next, signal) : next;
    });
  }

  async begin(key: string, { drop }: { readonly drop: boolean }): Promise<Grant<V>> {
    const timeout = this.#deadlines.limit;
    const begin = async (): Promise<{ readonly grant: Grant<V> }> => ({
      grant: await this.#afterPending(key, (store) =>
        store.begin(this.#prefix + key, { drop, timeout, isTagged: this.#isTagged }),
      ),
    });
    // A `prime` rejects where the store cannot be reached.
    return (await (drop ? this.#reported('set', key, begin) : this.#orLocalGrant('set', key, begin))).grant;
  }

  accept(key: string, found: unknown): Entry<V> | undefined {
    this.#ordered.answered();
    if (found === undefined || found === null) return undefined;
    try {
      if (isEntry(found)) {
        const entry = this.#ordered.visible(key, found);
        return entry === undefined || this.#isValid(key, found) ? entry : undefined;
      }
      throw new TypeError('Expected an entry written by aiocachetools; what the store holds is a miss');
    } catch (error) {
      this.#report('get', key, error);
      return undefined;
    }
  }

  /** False, and reported, for a value that the user's `validate` does not accept. */
  #isValid(key: string, entry: Entry<V>): boolean {
    if (this.#validate === undefined || this.#valid.has(entry)) return true;
    try {
      const answer = this.#validate(entry.value);
      if (answer !== true) {
        if (isThenable(answer)) NativePromise.resolve(answer).catch(() => undefined);
        throw new TypeError(`Expected \`validate\` to accept what the store holds, got ${show(answer)}; it is a miss`);
      }
      this.#valid.add(entry);
      return true;
    } catch (error) {
      this.#report('get', key, error);
      return false;
    }
  }

  /** A shared store has its own deadline for a read, so none is started here. */
  startDeadline(read: PendingRead<V>): void {
    if (this.#shared === undefined) this.#deadlines.add(read);
  }

  failed(key: string, error: unknown): void {
    this.#ordered.answered();
    this.#report('get', key, error);
  }

  timedOut(key: string, { wasBusy }: PendingRead<V>): void {
    if (!wasBusy) this.#ordered.hung();
    this.#report('get', key, timeoutOf('get', this.#deadlines));
  }

  /** Where the store cannot be asked, its near part may grant a run of this process alone. */
  async #orLocalGrant<T>(
    operation: StoreOperation,
    key: string,
    act: () => Promise<T>,
  ): Promise<T | { readonly grant: Grant<V> }> {
    try {
      return await this.#reported(operation, key, act);
    } catch (error) {
      const grant = this.#shared?.grantLocally?.(this.#prefix + key, error);
      if (grant === undefined) throw error;
      return { grant };
    }
  }

  /** Earlier operations of this process must have reached the store: else a grant is fenced, or an old value found. */
  #afterPending<T>(key: string, act: (store: SharedStore<V>) => Promise<T>): Promise<T> {
    const store = this.#shared as SharedStore<V>;
    const flushed = this.#ordered.whenFlushed(key);
    if (flushed === undefined) return act(store);
    if (this.#ordered.isClearLate) return Promise.reject(new Error('The store is still being cleared'));
    return withDeadline(flushed, this.#deadlines, 'an earlier operation').then(() => act(store));
  }

  #set(key: string, result: Result<V>, grant: Grant<V> | undefined): unknown {
    const entry = createEntry(result, this.#ordered.stamp());
    if (entry.tags !== undefined && this.#ordered.cannotTag) {
      throw new TypeError(
        'Expected a store that answers at once, `redisStore` or `tiered` over it beside tags: the result is not stored',
      );
    }
    const lifetime = lifetimeOf(result.ttl, this.#windows);
    markAsWritten(entry);
    if (this.#validate !== undefined) this.#valid.add(entry);
    return grant === undefined
      ? this.#ordered.set(key, entry, lifetime, this.#deadlines)
      : this.#ordered.commit(key, entry, lifetime, grant, this.#deadlines);
  }

  async #reported<T>(operation: StoreOperation, key: string, act: () => T | Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.#report(operation, key, error);
      throw error;
    }
  }

  #inBackground(operation: StoreOperation, key: string, act: () => unknown): Promise<unknown> | undefined {
    try {
      const answer = act();
      if (!isThenable(answer)) return undefined;
      return (answer as Promise<unknown>).then(undefined, (error: unknown) => this.#report(operation, key, error));
    } catch (error) {
      this.#report(operation, key, error);
      return undefined;
    }
  }
}
