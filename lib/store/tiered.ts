import { isThenable } from '../platform/promise.js';
import { Deadlines } from './deadline.js';
import { isEntry } from './entry.js';
import { Near } from './near-cache.js';
import { withDeadline } from './ordered-store.js';
import { isSharedStore, isStore, listKeys, removeFrom } from './store-like.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { StoreLike } from './store-like.js';
import type {
  Acquired,
  AnnouncingStore,
  Change,
  Entry,
  Grant,
  Settled,
  SharedStore,
  Store,
  WatchedStore,
} from './store.js';

/** How a near and a far store go together. */
export interface TieredOptions {
  /**
   * The longest, in milliseconds, that the near store answers where the far one does not tell of changes: so old may an
   * answer be at most.
   *
   * @default 5_000
   */
  readonly nearTtl?: number | undefined;
}

/** How long one operation may take where nobody says, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/**
 * A memory store in front of a shared one. What is read from `far` is kept in `near` while it is fresh, and answers there
 * without asking. Where `far` tells of changes (`redisStore` with a subscriber), a write, `delete` or `clear` in one
 * process reaches the near stores of all, and a lost connection empties them; elsewhere answers may be `nearTtl` old.
 *
 * @param near Any store, usually in memory. Its entries are of use only to this one.
 * @param far Any store, usually shared with other processes.
 * @throws {TypeError} at once, for what is no store, or for an option of the wrong kind.
 * @example
 * const cache = tiered(new QuickLRU({ maxSize: 1_000 }), redisStore(client));
 */
export function tiered<V = never>(
  near: StoreLike<never>,
  // Not `SharedStore<V>`: there is nothing to infer `V` from, and compilers before 5.5 infer `undefined`.
  far: StoreLike<never> & {
    acquire(key: string, options: never): unknown;
    begin(key: string, options: never): unknown;
  },
  options?: TieredOptions,
): SharedStore<V>;
export function tiered<V = never>(near: StoreLike<never>, far: StoreLike<never>, options?: TieredOptions): Store<V>;
export function tiered<V>(near: StoreLike<never>, far: StoreLike<V>, options: TieredOptions = {}): Store<V> {
  assertStore('near', near);
  assertStore('far', far);
  const { nearTtl = 5_000 } = options;
  if (typeof nearTtl !== 'number' || !(nearTtl >= 0)) {
    throw new TypeError(`Expected \`nearTtl\` to be a number of milliseconds >= 0, got ${String(nearTtl)}`);
  }
  const kept = new Near<V>(near);
  return isSharedStore(far) ? new TieredSharedStore(kept, far, nearTtl) : new TieredStore(kept, far, nearTtl);
}

/** What a near store needs to know of the far one. */
abstract class Tiers<V> {
  protected readonly near: Near<V>;
  /** The longest that an entry is kept near. */
  protected longest: number;
  /** False while changes may be missed. */
  protected isInStep = true;

  constructor(near: Near<V>, nearTtl: number) {
    this.near = near;
    this.longest = nearTtl;
  }

  /** What stands near under `key`, or else what `read` brings from far. */
  protected through(
    key: string,
    timeout: number,
    read: (timeout: number) => unknown,
  ): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    if (!this.isInStep) return this.#fetch(key, () => read(timeout));
    const found = this.near.get(key);
    if (!isThenable(found)) return found ?? this.#fetch(key, () => read(timeout));
    // A near store that takes its time must leave some to the far one.
    const half = Math.max(1, Math.ceil(timeout / 2));
    return withDeadline(found, new Deadlines(half), 'get').then(
      (entry) => (entry as Entry<V> | undefined) ?? this.#fetch(key, () => read(half)),
      () => this.#fetch(key, () => read(half)),
    );
  }

  /** Carry out a change far away; what stands near is gone from its beginning, and so is what was read meanwhile. */
  protected async change<T>(forget: () => void, act: () => T | PromiseLike<T>): Promise<T> {
    forget();
    try {
      return await act();
    } finally {
      forget();
    }
  }

  /** Write far away, and near where nothing has come between. */
  protected async writeThrough<T>(
    key: string,
    entry: Entry<V>,
    act: () => T | PromiseLike<T>,
    isWritten: (answer: T) => boolean,
  ): Promise<T> {
    const fill = this.near.begin(key);
    try {
      const answer = await act();
      if (isWritten(answer) && this.isInStep) this.near.replace(fill, entry, this.longest);
      else this.near.end(fill, undefined, 0);
      return answer;
    } catch (error) {
      this.near.end(fill, undefined, 0);
      // Nobody knows what stands there now.
      this.near.forget(key);
      throw error;
    }
  }

  protected keep(fill: ReturnType<Near<V>['begin']>, entry: Entry<V> | undefined): void {
    this.near.end(fill, this.isInStep ? entry : undefined, this.longest);
  }

  async #fetch(key: string, read: () => unknown): Promise<Entry<V> | undefined> {
    const fill = this.near.begin(key);
    let found: unknown;
    try {
      found = await read();
    } finally {
      this.keep(fill, isEntry(found) ? found : undefined);
    }
    return (found ?? undefined) as Entry<V> | undefined;
  }
}

/** In front of a store that knows nothing of processes. */
class TieredStore<V> extends Tiers<V> implements Store<V> {
  readonly #far: StoreLike<V>;
  readonly #passesTtl: boolean;
  /** Where the far store can neither list nor delete by prefix, there is none: the caller copes with that. */
  readonly deleteByPrefix?: (prefix: string) => Promise<void>;

  constructor(near: Near<V>, far: StoreLike<V>, nearTtl: number) {
    super(near, nearTtl);
    this.#far = far;
    this.#passesTtl = far.set.length >= 3;
    if (typeof far.deleteByPrefix === 'function' || canList(far)) {
      this.deleteByPrefix = (prefix) =>
        this.change(
          () => this.near.forgetAll(prefix),
          () => this.#deleteByPrefix(prefix),
        );
    }
  }

  get(key: string): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    return this.through(key, DEFAULT_TIMEOUT, () => this.#far.get(key));
  }

  set(key: string, entry: Entry<V>, ttl?: number): Promise<unknown> {
    this.near.forget(key);
    const far = this.#far;
    const write = (): unknown => (this.#passesTtl ? (far as Store<V>).set(key, entry, ttl) : far.set(key, entry));
    return this.writeThrough(key, entry, write, () => true);
  }

  delete(key: string): Promise<unknown> {
    return this.change(
      () => this.near.forget(key),
      () => this.#remove(key),
    );
  }

  async #deleteByPrefix(prefix: string): Promise<void> {
    const far = this.#far;
    if (typeof far.deleteByPrefix === 'function') return void (await far.deleteByPrefix(prefix));
    const own: string[] = [];
    for await (const key of listKeys(far)!) if (typeof key === 'string' && key.startsWith(prefix)) own.push(key);
    for (const key of own) await this.#remove(key);
  }

  #remove(key: string): unknown {
    return removeFrom(this.#far, key);
  }
}

/** In front of a store that processes share. */
class TieredSharedStore<V> extends Tiers<V> implements SharedStore<V> {
  readonly #far: SharedStore<V>;
  readonly #watched: WatchedStore<V> | undefined;

  constructor(near: Near<V>, far: SharedStore<V>, nearTtl: number) {
    super(near, nearTtl);
    this.#watched = isAnnouncing(far) ? far.watch((change) => this.#heed(change)) : undefined;
    this.#far = this.#watched ?? far;
    if (this.#watched === undefined) return;
    this.isInStep = false;
    this.longest = Infinity;
  }

  get(key: string, timeout: number = DEFAULT_TIMEOUT): PromiseLike<Entry<V> | undefined> {
    // The wrapper takes an answer that is there at once as gladly as a promise of it.
    return this.through(this.#nameOf(key), timeout, (left) => this.#far.get(key, left)) as PromiseLike<
      Entry<V> | undefined
    >;
  }

  set(key: string, entry: Entry<V>, ttl?: number, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#nameOf(key);
    this.near.forget(name);
    return this.writeThrough(
      name,
      entry,
      () => this.#far.set(key, entry, ttl, timeout),
      () => true,
    );
  }

  delete(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#nameOf(key);
    return this.change(
      () => this.near.forget(name),
      () => this.#far.delete(key, timeout),
    );
  }

  deleteByPrefix(prefix: string, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#watched === undefined ? prefix : `${this.#watched.announcedAs(prefix).namespace}|`;
    return this.change(
      () => this.near.forgetAll(name),
      () => this.#far.deleteByPrefix(prefix, timeout),
    );
  }

  async acquire(
    key: string,
    options: { readonly seen?: Entry<V> | undefined; readonly timeout: number },
  ): Promise<Acquired<V>> {
    const name = this.#nameOf(key);
    const fill = this.near.begin(name);
    let acquired: Acquired<V> | undefined;
    try {
      acquired = await this.#far.acquire(key, options);
    } finally {
      this.keep(fill, acquired !== undefined && 'hit' in acquired ? acquired.hit : undefined);
    }
    if (!('wait' in acquired)) return this.#settled(name, acquired);
    const waiting = acquired;
    return {
      wait: async (signal: AbortSignalLike) => {
        const outcome = await waiting.wait(signal);
        return 'alone' in outcome ? outcome : this.#settled(name, outcome);
      },
    };
  }

  async begin(key: string, options: { readonly drop: boolean; readonly timeout: number }): Promise<Grant<V>> {
    const name = this.#nameOf(key);
    const begin = (): Promise<Grant<V>> => this.#far.begin(key, options);
    const grant = options.drop ? await this.change(() => this.near.forget(name), begin) : await begin();
    return this.#grant(name, grant);
  }

  #settled(name: string, settled: Settled<V>): Settled<V> {
    return 'grant' in settled ? { grant: this.#grant(name, settled.grant) } : settled;
  }

  #grant(name: string, grant: Grant<V>): Grant<V> {
    return {
      lost: grant.lost,
      release: (why) => grant.release(why),
      commit: (entry, ttl) =>
        this.writeThrough(
          name,
          entry,
          () => grant.commit(entry, ttl),
          (word) => word === 'stored',
        ),
    };
  }

  #nameOf(key: string): string {
    if (this.#watched === undefined) return key;
    const { namespace, hash } = this.#watched.announcedAs(key);
    return `${namespace}|${hash}`;
  }

  #heed(change: Change): void {
    if (change.type === 'key') this.near.forget(`${change.namespace}|${change.hash}`);
    else if (change.type === 'namespace') this.near.forgetAll(`${change.namespace}|`);
    else {
      this.isInStep = change.type === 'back';
      this.near.forgetAll();
    }
  }
}

function isAnnouncing<V>(store: SharedStore<V>): store is AnnouncingStore<V> {
  return typeof (store as Partial<AnnouncingStore<V>>).watch === 'function';
}

function canList(store: object): boolean {
  const { keys, iterator } = store as { keys?: unknown; iterator?: unknown };
  return typeof keys === 'function' || typeof iterator === 'function';
}

function assertStore(name: string, store: unknown): void {
  if (isStore(store)) return;
  throw new TypeError(
    `Expected \`${name}\` to be a store with get, set and delete, got ${store === null ? 'null' : typeof store}`,
  );
}
