import QuickLRU from 'quick-lru';
import { createEntry, endEntry, isEntry } from './entry.js';
import { CLOCK_TOLERANCE, freshnessOf, isPlainlyFresh } from './freshness.js';
import { NOT_FRESH } from './result-store.js';
import type { StaleWindows } from './freshness.js';
import type { Result, ResultStore } from './result-store.js';
import type { Entry, Store } from './store.js';
import type { TagMarks } from './tag-marks.js';

/** How many results the default store holds at least. */
const SIZE = 1_000;

/** Stands for a result of `undefined`, which quick-lru cannot tell from none. */
const UNDEFINED = Symbol('undefined');

/** A stored result that ends or has tags. The classes are private, so no result of a user can be taken for one. */
abstract class Ending {}

class Timed<V> extends Ending {
  /** So that it can be told from a `Brief` without a look at its class. */
  readonly value = undefined;
  readonly freshUntil = -Infinity;

  constructor(readonly entry: Entry<V>) {
    super();
  }
}

/** The same where every result has one `ttl`: half the memory, because the time fits into a small integer. */
class Brief<V> extends Ending {
  constructor(
    readonly value: V,
    /** Milliseconds since the store was made. */
    readonly freshUntil: number,
  ) {
    super();
  }
}

export interface MemoryStoreOptions {
  readonly windows: StaleWindows;
  readonly marks: TagMarks;
  readonly maxSize?: number | undefined;
}

/**
 * The default store: a quick-lru. It answers at once and never fails. A result without an end is kept as it is: 109 B for
 * a result, 174 B with an entry around it.
 */
export class MemoryStore<V> implements ResultStore<V> {
  readonly coordinator = undefined;
  readonly isKeeping = true;
  readonly isForeign = false;
  readonly #results: QuickLRU<string, unknown>;
  readonly #madeAt = Date.now();
  readonly #ttl: number | undefined;
  /** No result is kept as it is. */
  readonly #areBrief: boolean;
  /** What is fresh for longer was stored by a clock that has been set back since. */
  readonly #longestLeft: number;
  readonly #windows: StaleWindows;
  readonly #marks: TagMarks;

  /** @param ttl The `ttl` of every result; `undefined` where it differs, or where more than a time is kept with it. */
  constructor(ttl: number | undefined, { windows, marks, maxSize = SIZE }: MemoryStoreOptions) {
    this.#ttl = ttl;
    this.#areBrief = ttl !== undefined && ttl !== Infinity;
    this.#longestLeft = (ttl ?? 0) + CLOCK_TOLERANCE;
    this.#windows = windows;
    this.#marks = marks;
    this.#results = new QuickLRU({ maxSize });
  }

  get(key: string): unknown {
    return this.#results.get(key);
  }

  peek(key: string): unknown {
    return this.#results.peek(key);
  }

  freshValue(stored: unknown): unknown {
    if (stored === undefined) return NOT_FRESH;
    if (this.#areBrief) {
      const { freshUntil, value } = stored as Brief<V>;
      const left = freshUntil - (Date.now() - this.#madeAt);
      return left > 0 && left <= this.#longestLeft ? value : NOT_FRESH;
    }
    if (isTimeless(stored)) return unwrap(stored);
    const { entry } = stored as Timed<V>;
    const isFresh = entry.freshUntil === undefined || isPlainlyFresh(entry, Date.now());
    return isFresh && this.#marks.covers(entry) ? entry.value : NOT_FRESH;
  }

  entryOf(stored: unknown): Entry<V> | undefined {
    if (stored === undefined) return undefined;
    if (isTimeless(stored)) return createEntry({ value: unwrap(stored) as V, ttl: Infinity }, this.#madeAt);
    if (stored instanceof Timed) return this.#marks.judge(stored.entry as Entry<V>);
    const { value, freshUntil } = stored as Brief<V>;
    const ttl = this.#ttl ?? 0;
    return createEntry({ value, ttl }, this.#madeAt + freshUntil - ttl);
  }

  write(key: string, result: Result<V>): undefined {
    const isBare = result.ttl === Infinity && (result.tags === undefined || result.tags.length === 0);
    this.#results.set(key, isBare ? wrap(result.value) : this.#timed(result));
    return undefined;
  }

  remove(key: string): undefined {
    this.#results.delete(key);
    return undefined;
  }

  async prime(key: string, result: Result<V>): Promise<void> {
    this.write(key, result);
  }

  async delete(key: string): Promise<boolean> {
    return this.#results.delete(key);
  }

  async expire(key: string): Promise<boolean> {
    const entry = this.entryOf(this.#results.peek(key));
    const now = Date.now();
    if (entry === undefined || freshnessOf(entry, now, this.#windows) === 'expired') return false;
    this.#results.set(key, new Timed(endEntry(entry, now)));
    return true;
  }

  async clear(): Promise<void> {
    this.#results.clear();
  }

  #timed(result: Result<V>): Brief<V> | Timed<V> {
    const now = Date.now();
    return this.#ttl === undefined
      ? new Timed(createEntry(result, now))
      : new Brief(result.value, Math.floor(now - this.#madeAt + result.ttl));
  }

  /** The store as its owner sees it, with entries under `name|key`. */
  view(prefix: string): Store<V> & { readonly size: number } {
    return new View(this, this.#results, prefix);
  }
}

class View<V> implements Store<V> {
  readonly #store: MemoryStore<V>;
  readonly #results: QuickLRU<string, unknown>;
  readonly #prefix: string;

  constructor(store: MemoryStore<V>, results: QuickLRU<string, unknown>, prefix: string) {
    this.#store = store;
    this.#results = results;
    this.#prefix = prefix;
  }

  get size(): number {
    return this.#results.size;
  }

  get(name: string): Entry<V> | undefined {
    return this.#store.entryOf(this.#store.get(this.#bare(name) ?? ''));
  }

  set(name: string, entry: Entry<V>): void {
    const key = this.#bare(name);
    if (key !== undefined && isEntry(entry)) this.#results.set(key, new Timed(entry));
  }

  delete(name: string): boolean {
    return this.#results.delete(this.#bare(name) ?? '');
  }

  keys(): string[] {
    return Array.from(this.#results.keys(), (key) => this.#prefix + key);
  }

  #bare(name: string): string | undefined {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : undefined;
  }
}

/** True for a result that is kept as it is, and so is always fresh. */
function isTimeless(stored: unknown): boolean {
  try {
    return stored !== undefined && !(stored instanceof Ending);
  } catch {
    // A proxy that hides its prototype is a result.
    return true;
  }
}

function wrap(value: unknown): unknown {
  return value === undefined ? UNDEFINED : value;
}

function unwrap(stored: unknown): unknown {
  return stored === UNDEFINED ? undefined : stored;
}
