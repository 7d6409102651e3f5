import { isThenable } from '../platform/promise.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { Deadlines, withDeadline } from './deadline.js';
import { canDeleteByPrefix, deleteByPrefix } from './delete-by-prefix.js';
import { endEntry, isEntry } from './entry.js';
import { removeFrom, takesTtl } from './store-like.js';
import { Tiers } from './tiers.js';
import type { StoreLike } from './store-like.js';
import type { Entry, Store } from './store.js';

/** How long one operation may take where no limit is given, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/** In front of a store that knows nothing of processes. */
export class TieredStore<V> extends Tiers<V> implements Store<V> {
  /** `get` takes the limit of its caller, and leaves time for the answer of the near store. */
  readonly keepsDeadlines = true;
  /** Absent where the far store can neither list nor delete by prefix: its caller then hides old entries itself. */
  readonly deleteByPrefix?: (prefix: string, timeout?: number) => Promise<void>;
  readonly #far: StoreLike<V>;
  readonly #takesTtl: boolean;
  readonly #breaker = new CircuitBreaker();
  /** By their length: wrappers on one store have few `storeTimeout`s. */
  readonly #deadlines = new Map<number, Deadlines>();

  constructor(near: StoreLike<never>, far: StoreLike<V>, nearTtl: number | undefined) {
    super(near, nearTtl);
    this.#far = far;
    this.#takesTtl = takesTtl(far);
    if (canDeleteByPrefix(far)) {
      this.deleteByPrefix = (prefix, timeout = DEFAULT_TIMEOUT) =>
        this.invalidateAround(
          () => this.near.forgetAll(prefix),
          () => deleteByPrefix(far as StoreLike<never>, prefix, this.#deadlinesOf(timeout)),
        );
    }
  }

  get(key: string, timeout: number = DEFAULT_TIMEOUT): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    return this.readThrough(key, timeout, (left) =>
      this.#ask(key, { operation: 'get', timeout: (left * 3) / 4 }, () => this.#far.get(key)),
    );
  }

  set(key: string, entry: Entry<V>, ttl?: number, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    this.near.forget(key);
    return this.writeThrough(key, {
      entry,
      lifetime: ttl,
      act: () => this.#ask(key, { operation: 'set', timeout }, () => this.#write(key, entry, ttl)),
      isKept: () => true,
    });
  }

  delete(key: string): Promise<unknown> {
    return this.invalidateAround(
      () => this.near.forget(key),
      () => removeFrom(this.#far as StoreLike<never>, key),
    );
  }

  /** What is near may be older than what is far, so far is asked. */
  async expire(
    key: string,
    { window, timeout }: { readonly window: number; readonly timeout: number },
  ): Promise<boolean> {
    const far = this.#far;
    const half = timeout / 2;
    return this.invalidateAround(
      () => this.near.forget(key),
      async () => {
        const found = await this.#insist('get', () => far.get(key), half);
        const now = Date.now();
        if (!isEntry(found) || now - (found.freshUntil ?? Infinity) >= window) return false;
        const entry: Entry<V> = endEntry(found, now);
        const left = Math.ceil(entry.freshUntil! + window - now);
        await this.#insist('set', () => this.#write(key, entry, left === Infinity ? undefined : left), half);
        return true;
      },
    );
  }

  #write(key: string, entry: Entry<V>, ttl: number | undefined): unknown {
    const far = this.#far;
    return this.#takesTtl ? (far as Store<V>).set(key, entry, ttl) : far.set(key, entry);
  }

  protected override longest(): number {
    return this.nearTtl;
  }

  /** Entries are served for `nearTtl` at any time. */
  protected override farFailed(): void {}

  /** A read or write, which a store that hangs is spared. */
  async #ask(
    key: string,
    { operation, timeout }: { readonly operation: string; readonly timeout: number },
    act: () => unknown,
  ): Promise<unknown> {
    if (!this.#breaker.admits()) {
      // No caller waits for the probe.
      if (this.#breaker.isProbeDue()) this.#insist('get', () => this.#far.get(key), timeout).catch(noop);
      throw new Error('The far store has not answered for a while. It is asked again within a second');
    }
    return this.#insist(operation, act, timeout);
  }

  /** The same for a control, which has to try. */
  async #insist(operation: string, act: () => unknown, timeout: number): Promise<unknown> {
    let hasHung = false;
    try {
      const answer = act();
      if (!isThenable(answer)) return answer;
      return await withDeadline(answer, this.#deadlinesOf(Math.max(1, Math.ceil(timeout))), operation, () => {
        hasHung = true;
      });
    } finally {
      if (hasHung) this.#breaker.failed();
      else this.#breaker.succeeded();
    }
  }

  #deadlinesOf(limit: number): Deadlines {
    let deadlines = this.#deadlines.get(limit);
    if (deadlines === undefined) this.#deadlines.set(limit, (deadlines = new Deadlines(limit)));
    return deadlines;
  }
}

function noop(): void {}
