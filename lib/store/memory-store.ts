import QuickLRU from 'quick-lru';
import { createEntry, isEntry } from './entry.js';
import type { Entry, Store } from './store.js';

/** How many results the store of a wrapper that was given none holds at least. */
const SIZE = 1_000;

/** Stands for a result of `undefined`, which quick-lru could not tell from none. */
const UNDEFINED = Symbol('undefined');

/** A result that has an end. Classes of our own, so that no result of a user's can be taken for one. */
abstract class Ending {}

class Timed<V> extends Ending {
  constructor(readonly entry: Entry<V>) {
    super();
  }
}

/** The same where all results last equally long: half the memory, as the time fits into a small integer. */
class Brief<V> extends Ending {
  constructor(
    readonly value: V,
    /** Milliseconds since the store was made. */
    readonly freshUntil: number,
  ) {
    super();
  }
}

/**
 * The store of a wrapper that was given none: a quick-lru of its own. It answers at once and never fails, so nothing guards
 * it; and a result without an end is kept as it is, for an entry around each would double the memory.
 */
export class MemoryStore<V> {
  /** Other processes are not at it. */
  readonly shared = undefined;
  readonly #kept: QuickLRU<string, unknown>;
  readonly #madeAt = Date.now();
  readonly #ttl: number | undefined;

  /** @param ttl How long every result is fresh at most; `undefined` where that differs or its run time matters too. */
  constructor(ttl: number | undefined, maxSize = SIZE) {
    this.#ttl = ttl;
    this.#kept = new QuickLRU({ maxSize });
  }

  /** What is kept under `key`, as it is kept: `hasNoEnd` tells what it is worth. */
  get(key: string): unknown {
    return this.#kept.get(key);
  }

  read(key: string): Entry<V> | undefined {
    return this.entryOf(this.#kept.get(key));
  }

  /** What `get` gave, as an entry. */
  entryOf(kept: unknown): Entry<V> | undefined {
    if (kept === undefined) return undefined;
    if (hasNoEnd(kept)) return createEntry(resultOf(kept) as V, { storedAt: this.#madeAt, ttl: Infinity });
    if (kept instanceof Timed) return kept.entry as Entry<V>;
    const { value, freshUntil } = kept as Brief<V>;
    const ttl = this.#ttl ?? 0;
    return createEntry(value, { storedAt: this.#madeAt + freshUntil - ttl, ttl });
  }

  write(key: string, value: V, ttl: number, duration: number | undefined): undefined {
    this.#kept.set(
      key,
      ttl === Infinity ? (value === undefined ? UNDEFINED : value) : this.#timed(value, ttl, duration),
    );
    return undefined;
  }

  remove(key: string): undefined {
    this.#kept.delete(key);
    return undefined;
  }

  async prime(key: string, value: V, ttl: number): Promise<void> {
    this.write(key, value, ttl, undefined);
  }

  async delete(key: string): Promise<boolean> {
    return this.#kept.delete(key);
  }

  async clear(): Promise<void> {
    this.#kept.clear();
  }

  #timed(value: V, ttl: number, duration: number | undefined): Brief<V> | Timed<V> {
    const storedAt = Date.now();
    return this.#ttl === undefined
      ? new Timed(createEntry(value, { storedAt, ttl, duration }))
      : new Brief(value, Math.floor(storedAt - this.#madeAt + ttl));
  }

  /** The store as its owner sees it, with entries under `name|key`. */
  view(prefix: string): Store<V> {
    const bare = (name: string): string | undefined =>
      name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    const kept = this.#kept;
    return {
      get: (name) => this.read(bare(name) ?? ''),
      set: (name, entry) => {
        const key = bare(name);
        if (key !== undefined && isEntry(entry)) kept.set(key, new Timed(entry));
      },
      delete: (name) => kept.delete(bare(name) ?? ''),
      keys: () => Array.from(kept.keys(), (key) => prefix + key),
    };
  }
}

/** True for a result that is kept as it is, which it is for good. */
export function hasNoEnd(kept: unknown): boolean {
  try {
    return kept !== undefined && !(kept instanceof Ending);
  } catch {
    // A proxy that does not tell its prototype: nothing of ours.
    return true;
  }
}

/** The result itself. */
export function resultOf(kept: unknown): unknown {
  return kept === UNDEFINED ? undefined : kept;
}
