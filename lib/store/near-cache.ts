import { isThenable } from '../platform/promise.js';
import { Deadlines } from './deadline.js';
import { collectKeys, isIterable, listKeys, ofPrefix } from './delete-by-prefix.js';
import { removeFrom, takesTtl } from './store-like.js';
import { TagMarks } from './tag-marks.js';
import type { StoreLike } from './store-like.js';
import type { Entry, Store } from './store.js';

/** A read from far, or a write to far, whose result may be kept near. It is void once its key changes meanwhile. */
export interface Fill {
  readonly key: string;
  isVoid: boolean;
}

/** What the near store holds: the far entry as it is, and what decides whether it may still be served. */
interface Kept<V> {
  readonly entry: Entry<V>;
  /** Of its namespace, when it was kept. */
  readonly generation: string;
  /** When the far store confirmed the entry, or a run brought it. */
  readonly since: number;
  /** Set for an entry that the far store does not have: how long it is served, in milliseconds. */
  readonly longest?: number;
}

interface KeepOptions {
  /** How long the entry can be of use, stale windows included, in milliseconds. */
  readonly lifetime?: number | undefined;
  /** For an entry that the far store does not have: how long it is served, in milliseconds. */
  readonly longest?: number | undefined;
}

/** Before every key: no wrapper can have an empty name, so a store that is also used directly is not disturbed. */
const PREFIX = '|';

/** How long the near store may take to list its keys, in milliseconds for each step. */
const LISTING_LIMIT = 1_000;

/**
 * The near store of a `tiered` one.
 *
 * A near copy goes wrong in two ways: a slow fill puts back what was invalidated while it was under way, and an entry that
 * cannot be removed is served for good. Both are mended without trust in the store that holds the copies:
 *
 * - Every read from far opens a **fill**. An invalidation voids the open fills of its key, and what a void fill brings is not
 *   kept. This is the lease of Facebook's memcache paper (NSDI 2013, section 3.2.1), inside one process. It also covers
 *   messages that overtake replies, as in Redis' client-side caching.
 * - Every copy carries the **generation** of its namespace. `forgetAll` begins a new one, so that older copies are void at
 *   once, also in a store that cannot list its keys. Sweeping them only frees memory.
 * - A store that fails costs a read from far, never an answer. Where a removal fails, a new generation begins.
 */
export class NearCache<V> {
  readonly #store: StoreLike<unknown>;
  readonly #takesTtl: boolean;
  readonly #fills = new Map<string, Set<Fill>>();
  /** How many removals of a key are under way in a slow store. */
  readonly #removals = new Map<string, number>();
  readonly #generations = new Map<string, number>();
  /** The store may outlive this process, or be shared. */
  readonly #self = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  /** The tags that were invalidated, by the clock by which the runs of its entries began. */
  readonly marks = new TagMarks({ start: -Infinity });
  readonly #onRefused: (error: unknown) => void;
  #generation = 0;

  /** @param onRefused Receives the errors of a store that does not take an entry. */
  constructor(store: StoreLike<unknown>, onRefused: (error: unknown) => void) {
    this.#store = store;
    this.#onRefused = onRefused;
    this.#takesTtl = takesTtl(store);
  }

  /** A fresh entry that is at most `longest` old. Never throws. */
  get(key: string, longest: number): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    return this.#read(key, (kept, now) => {
      const { freshUntil } = kept.entry;
      const isFresh = freshUntil === undefined || now < freshUntil;
      return isFresh && now - kept.since < Math.min(longest, kept.longest ?? Infinity) ? kept.entry : undefined;
    });
  }

  /**
   * An entry for the time in which the far store cannot be reached. It counts as stale once it is older than `longest`, so
   * that it answers inside the stale windows of its wrapper only. Never throws.
   */
  getInOutage(key: string, longest: number): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    return this.#read(key, ({ entry, since }) => {
      const freshUntil = Math.min(entry.freshUntil ?? Infinity, since + longest);
      return freshUntil === Infinity ? entry : { ...entry, freshUntil };
    });
  }

  /** A read from far, or a write to it, begins. */
  begin(key: string): Fill {
    const fill = { key, isVoid: false };
    const fills = this.#fills.get(key);
    if (fills === undefined) this.#fills.set(key, new Set([fill]));
    else fills.add(fill);
    return fill;
  }

  /** The read has ended. Its entry is kept, unless the key has changed meanwhile. */
  end(fill: Fill, entry: Entry<V> | undefined): void {
    this.#close(fill);
    if (entry !== undefined && !fill.isVoid) this.#keep(fill.key, entry, {});
  }

  /** The same for a value of this process, which an older read must not replace. */
  replace(fill: Fill, entry: Entry<V>, { lifetime = Infinity, longest }: KeepOptions): void {
    this.#close(fill);
    if (fill.isVoid) return;
    this.#voidFills(fill.key);
    this.#keep(fill.key, entry, { lifetime, longest });
  }

  forget(key: string): void {
    this.#voidFills(key);
    this.#remove(key);
  }

  /** @param prefix `name|`. For any other, all namespaces are forgotten. */
  forgetAll(prefix = ''): void {
    const isNamespace = prefix.indexOf('|') === prefix.length - 1 && prefix !== '';
    if (isNamespace) this.#generations.set(prefix, (this.#generations.get(prefix) ?? 0) + 1);
    else this.#generation += 1;
    for (const key of this.#fills.keys()) if (key.startsWith(prefix)) this.#voidFills(key);
    this.#sweep(PREFIX + prefix);
  }

  #read(
    key: string,
    judge: (kept: Kept<V>, now: number) => Entry<V> | undefined,
  ): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    if (this.#removals.has(key)) return undefined;
    const generation = this.#generationOf(key);
    const use = (found: unknown, current: string): Entry<V> | undefined => {
      const kept = (found as Entry<Kept<V>> | null | undefined)?.value;
      if (kept === undefined || kept === null || kept.generation !== current) return undefined;
      const now = Date.now();
      if (this.#removals.has(key) || kept.since > now) return undefined;
      const entry = this.marks.judge(kept.entry);
      return entry && judge(entry === kept.entry ? kept : { ...kept, entry }, now);
    };
    try {
      const found = this.#store.get(PREFIX + key);
      if (!isThenable(found)) return use(found, generation);
      return found.then(
        (later) => use(later, this.#generationOf(key)),
        () => undefined,
      );
    } catch {
      // A near store that cannot be read is an empty one.
      return undefined;
    }
  }

  #keep(key: string, entry: Entry<V>, { lifetime, longest }: KeepOptions): void {
    const now = Date.now();
    const remaining = lifetime ?? (entry.freshUntil === undefined ? Infinity : entry.freshUntil - now);
    if (!(remaining > 0)) return;
    const value: Kept<V> = {
      entry,
      generation: this.#generationOf(key),
      since: now,
      ...(longest === undefined ? undefined : { longest }),
    };
    const kept: Entry<Kept<V>> = { v: 1, value, storedAt: now };
    const hint = remaining === Infinity ? undefined : Math.ceil(remaining);
    try {
      const written = this.#takesTtl
        ? (this.#store as Store).set(PREFIX + key, kept, hint)
        : this.#store.set(PREFIX + key, kept);
      if (!isThenable(written)) return;
      const fill = this.begin(key);
      const landed = (): void => {
        this.#close(fill);
        // The key was invalidated while the copy was on its way.
        if (fill.isVoid) this.#remove(key);
      };
      written.then(landed, (error: unknown) => {
        landed();
        this.#onRefused(error);
      });
    } catch (error) {
      this.#remove(key);
      this.#onRefused(error);
    }
  }

  #remove(key: string): void {
    try {
      const removed = removeFrom(this.#store, PREFIX + key);
      if (!isThenable(removed)) return;
      this.#removals.set(key, (this.#removals.get(key) ?? 0) + 1);
      removed.then(
        () => this.#removed(key),
        () => {
          this.#generation += 1;
          this.#removed(key);
        },
      );
    } catch {
      // What cannot be removed must not be served.
      this.#generation += 1;
    }
  }

  #removed(key: string): void {
    const count = this.#removals.get(key) ?? 1;
    if (count > 1) this.#removals.set(key, count - 1);
    else this.#removals.delete(key);
  }

  /** Frees the memory of void copies. They are void in any case, also where the store cannot list or remove them. */
  #sweep(prefix: string): void {
    try {
      const listing = listKeys(this.#store);
      if (isIterable(listing)) return this.#sweepKeys(ofPrefix(listing, prefix));
      collectKeys(listing, prefix, new Deadlines(LISTING_LIMIT)).then(
        (keys) => this.#sweepKeys(keys),
        () => undefined,
      );
    } catch {
      return;
    }
  }

  #sweepKeys(names: readonly string[]): void {
    for (const name of names) this.#remove(name.slice(PREFIX.length));
  }

  #voidFills(key: string): void {
    for (const fill of this.#fills.get(key) ?? []) fill.isVoid = true;
  }

  #close(fill: Fill): void {
    const fills = this.#fills.get(fill.key);
    if (fills?.delete(fill) === true && fills.size === 0) this.#fills.delete(fill.key);
  }

  #generationOf(key: string): string {
    const own = this.#generations.size === 0 ? 0 : (this.#generations.get(key.slice(0, key.indexOf('|') + 1)) ?? 0);
    return `${this.#self}.${this.#generation}.${own}`;
  }
}
