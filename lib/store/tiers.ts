import { isThenable } from '../platform/promise.js';
import { Deadlines, withDeadline } from './deadline.js';
import { isEntry } from './entry.js';
import { NearCache } from './near-cache.js';
import type { Fill } from './near-cache.js';
import type { StoreLike } from './store-like.js';
import type { Entry } from './store.js';

/** How long the near store serves where changes made elsewhere are not heard of, in milliseconds. */
const DEFAULT_NEAR_TTL = 5_000;

/** A write to far and what it writes. */
export interface FarWrite<V, T> {
  readonly entry: Entry<V>;
  /** How long the entry can be of use, in milliseconds. */
  readonly lifetime: number | undefined;
  readonly act: () => T | PromiseLike<T>;
  /** False where far has answered and has not stored the entry, or where near must not keep it. */
  readonly isKept: (answer: T) => boolean;
}

/** What a near store does for a far one of any kind. */
export abstract class Tiers<V> {
  protected readonly near: NearCache<V>;
  /** The longest that an entry is served near where changes made elsewhere are not heard of. */
  protected readonly nearTtl: number;
  /** Kinds of mistakes that were noted. */
  readonly #noted = new Set<string>();
  /** To be told by the next write. */
  #note: Error | undefined;

  constructor(near: StoreLike<never>, nearTtl: number = DEFAULT_NEAR_TTL) {
    this.near = new NearCache<V>(near, (error) =>
      this.note('The near store does not take entries. They are in the far store only', error),
    );
    this.nearTtl = nearTtl;
  }

  /** The longest that an entry is served near now; 0: near is bypassed. */
  protected abstract longest(): number;

  /** An operation on far has failed. */
  protected abstract farFailed(): void;

  /** The near entry of `key`, or else what `readFar` brings. */
  protected readThrough(
    key: string,
    timeout: number,
    readFar: (timeout: number) => unknown,
  ): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    const longest = this.longest();
    if (longest === 0) return this.#fetch(key, () => readFar(timeout));
    const found = this.near.get(key, longest);
    if (!isThenable(found)) return found ?? this.#fetch(key, () => readFar(timeout));
    // A slow near store must leave some time to the far one.
    const half = Math.max(1, Math.ceil(timeout / 2));
    return withDeadline(found, new Deadlines(half), 'get').then(
      (entry) => (entry as Entry<V> | undefined) ?? this.#fetch(key, () => readFar(half)),
      () => this.#fetch(key, () => readFar(half)),
    );
  }

  /** Carry out an invalidation far away. The near copy is void from its beginning, and so is every read meanwhile. */
  protected async invalidateAround<T>(forget: () => void, act: () => T | PromiseLike<T>): Promise<T> {
    forget();
    try {
      return await act();
    } catch (error) {
      this.farFailed();
      throw error;
    } finally {
      forget();
    }
  }

  /** Write far away, and near unless the key changes meanwhile. Where far fails, near keeps the entry for `nearTtl`. */
  protected async writeThrough<T>(key: string, { entry, lifetime, act, isKept }: FarWrite<V, T>): Promise<T> {
    const fill = this.near.begin(key);
    let answer: T;
    try {
      answer = await act();
    } catch (error) {
      this.farFailed();
      const isKeptLocally = !fill.isVoid && this.nearTtl > 0;
      this.keepLocally(fill, entry, lifetime);
      // What far holds now is unknown.
      if (!isKeptLocally) this.near.forget(key);
      throw error;
    }
    if (isKept(answer) && this.longest() > 0) this.near.replace(fill, entry, { lifetime });
    else this.near.end(fill, undefined);
    this.#tellNote();
    return answer;
  }

  /** Keep an entry that the far store does not have. */
  protected keepLocally(fill: Fill, entry: Entry<V>, lifetime: number | undefined): void {
    if (this.nearTtl === 0) this.near.end(fill, undefined);
    else this.near.replace(fill, entry, { lifetime, longest: this.nearTtl });
  }

  protected keep(fill: Fill, entry: Entry<V> | undefined): void {
    this.near.end(fill, this.longest() > 0 ? entry : undefined);
  }

  async #fetch(key: string, readFar: () => unknown): Promise<Entry<V> | undefined> {
    const fill = this.near.begin(key);
    let found: unknown;
    try {
      found = await readFar();
    } catch (error) {
      this.near.end(fill, undefined);
      this.farFailed();
      const old = this.nearTtl === 0 ? undefined : await this.near.getInOutage(key, this.nearTtl);
      if (old === undefined) throw error;
      return old;
    }
    this.keep(fill, isEntry(found) ? found : undefined);
    return (found ?? undefined) as Entry<V> | undefined;
  }

  /** A mistake of the set-up, which costs no call its answer: the next write, which far has carried out, tells it once. */
  protected note(message: string, cause: unknown): void {
    const kind = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    if (this.#noted.has(kind) || this.#noted.size >= MOST_NOTES) return;
    this.#noted.add(kind);
    this.#note = new Error(message, { cause });
  }

  #tellNote(): void {
    const note = this.#note;
    this.#note = undefined;
    if (note !== undefined) throw note;
  }
}

/** A message may hold a key, so kinds are no more than this. */
const MOST_NOTES = 3;
