import { isThenable } from '../platform/promise.js';
import { listKeys, removeFrom } from './store-like.js';
import type { StoreLike } from './store-like.js';
import type { Entry, Store } from './store.js';

/** A read from far that may be kept near, unless something happens to its key meanwhile. */
export interface Fill {
  readonly key: string;
  isVoid: boolean;
}

/** What stands near: the far entry as it is, and what it takes to tell whether it may still be used. */
interface Kept<V> {
  readonly entry: Entry<V>;
  /** Of which life of its namespace. */
  readonly life: string;
  readonly since: number;
  /** `null`: as long as the entry is fresh. */
  readonly until: number | null;
}

/** Before every key: no wrapper can have an empty name, so a store that is also used directly stays apart. */
const PREFIX = '|';

/**
 * The near store of a `tiered` one. What is forgotten here is gone at once, however slow the store is; a store that
 * fails costs a read from far, never an answer.
 */
export class Near<V> {
  readonly #store: StoreLike<unknown>;
  readonly #passesTtl: boolean;
  readonly #fills = new Map<string, Set<Fill>>();
  /** Keys whose removal is under way in a slow store. */
  readonly #leaving = new Map<string, number>();
  /** Values of an earlier life are gone, also where the store cannot list them. */
  readonly #lives = new Map<string, number>();
  /** The store may outlive this process, or be shared. */
  readonly #self = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  #life = 0;

  constructor(store: StoreLike<unknown>) {
    this.#store = store;
    this.#passesTtl = store.set.length >= 3;
  }

  /** An entry that is fresh; never throws. */
  get(key: string): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    if (this.#leaving.has(key)) return undefined;
    const life = this.#lifeOf(key);
    try {
      const found = this.#store.get(PREFIX + key);
      if (!isThenable(found)) return this.#usable(key, found, life);
      return found.then(
        (entry) => this.#usable(key, entry, this.#lifeOf(key)),
        () => undefined,
      );
    } catch {
      return undefined;
    }
  }

  /** A read from far begins. */
  begin(key: string): Fill {
    const fill = { key, isVoid: false };
    const fills = this.#fills.get(key);
    if (fills === undefined) this.#fills.set(key, new Set([fill]));
    else fills.add(fill);
    return fill;
  }

  /** The read has ended, and is kept if nothing has overtaken it. */
  end(fill: Fill, entry: Entry<V> | undefined, longest: number): void {
    this.#close(fill);
    if (entry !== undefined && !fill.isVoid) this.#keep(fill.key, entry, longest);
  }

  /** The same for a value of our own, which what is read meanwhile must not replace. */
  replace(fill: Fill, entry: Entry<V>, longest: number): void {
    this.#close(fill);
    if (fill.isVoid) return;
    this.#voidFills(fill.key);
    this.#keep(fill.key, entry, longest);
  }

  forget(key: string): void {
    this.#voidFills(key);
    this.#remove(key);
  }

  /** @param prefix Where it is no namespace, more is forgotten than asked for. */
  forgetAll(prefix = ''): void {
    const isNamespace = prefix.indexOf('|') === prefix.length - 1 && prefix !== '';
    if (isNamespace) this.#lives.set(prefix, (this.#lives.get(prefix) ?? 0) + 1);
    else this.#life += 1;
    for (const key of this.#fills.keys()) if (key.startsWith(prefix)) this.#voidFills(key);
    this.#sweep(prefix);
  }

  #usable(key: string, found: unknown, life: string): Entry<V> | undefined {
    const kept = (found as Entry<Kept<V>> | null | undefined)?.value;
    if (kept === undefined || kept === null || kept.life !== life || this.#leaving.has(key)) return undefined;
    const now = Date.now();
    const { entry, since, until } = kept;
    if (since > now || (until !== null && until <= now)) return undefined;
    return entry.freshUntil === undefined || now < entry.freshUntil ? entry : undefined;
  }

  #keep(key: string, entry: Entry<V>, longest: number): void {
    const now = Date.now();
    const remaining = Math.min(longest, entry.freshUntil === undefined ? Infinity : entry.freshUntil - now);
    if (!(remaining > 0)) return;
    const until = longest === Infinity ? null : now + longest;
    const kept: Entry<Kept<V>> = { v: 1, value: { entry, life: this.#lifeOf(key), since: now, until }, storedAt: now };
    const hint = remaining === Infinity ? undefined : Math.ceil(remaining);
    try {
      const written = this.#passesTtl
        ? (this.#store as Store).set(PREFIX + key, kept, hint)
        : this.#store.set(PREFIX + key, kept);
      if (!isThenable(written)) return;
      const fill = this.begin(key);
      const landed = (): void => {
        this.#close(fill);
        // What was forgotten while it was on its way may stand there again.
        if (fill.isVoid) this.#remove(key);
      };
      written.then(landed, landed);
    } catch {
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    try {
      const removed = removeFrom(this.#store, PREFIX + key);
      if (!isThenable(removed)) return;
      this.#leaving.set(key, (this.#leaving.get(key) ?? 0) + 1);
      removed.then(
        () => this.#left(key),
        () => {
          this.#life += 1;
          this.#left(key);
        },
      );
    } catch {
      // What cannot be removed must not be used.
      this.#life += 1;
    }
  }

  #left(key: string): void {
    const count = this.#leaving.get(key) ?? 1;
    if (count > 1) this.#leaving.set(key, count - 1);
    else this.#leaving.delete(key);
  }

  /** Room for the living: what is swept has ended already. */
  #sweep(prefix: string): void {
    try {
      const keys = listKeys(this.#store);
      if (keys === undefined) return;
      if (Symbol.iterator in keys) this.#sweepKeys([...keys], prefix);
      else void collect(keys).then((all) => this.#sweepKeys(all, prefix));
    } catch {
      return;
    }
  }

  #sweepKeys(keys: readonly unknown[], prefix: string): void {
    for (const key of keys) {
      if (typeof key === 'string' && key.startsWith(PREFIX + prefix)) this.#remove(key.slice(PREFIX.length));
    }
  }

  #voidFills(key: string): void {
    for (const fill of this.#fills.get(key) ?? []) fill.isVoid = true;
  }

  #close(fill: Fill): void {
    const fills = this.#fills.get(fill.key);
    if (fills?.delete(fill) === true && fills.size === 0) this.#fills.delete(fill.key);
  }

  #lifeOf(key: string): string {
    const life = this.#lives.size === 0 ? 0 : (this.#lives.get(key.slice(0, key.indexOf('|') + 1)) ?? 0);
    return `${this.#self}.${this.#life}.${life}`;
  }
}

/** All there is; what comes before a failure is what can be had. */
async function collect(keys: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const key of keys) all.push(key);
  } catch {
    return all;
  }
  return all;
}
