import { show } from '../platform/show.js';
import { isSharedStore } from '../store/store-like.js';
import { TagMarks } from '../store/tag-marks.js';
import type { StoreLike } from '../store/store-like.js';
import type { SharedStore } from '../store/store.js';

/** How long a store that processes share may take to invalidate tags, in milliseconds. */
const TIMEOUT = 1_000;

/** In what tags are invalidated: one store, with the runs whose results it is to keep. */
export class TagSpace {
  readonly marks = new TagMarks();
  #registries: Set<{ loosenAll(): void }> | undefined;
  readonly #store: StoreLike<never> | undefined;

  /** @param store Left out for the private store of a wrapper, and where nothing is stored. */
  constructor(store?: StoreLike<never>) {
    this.#store = store;
  }

  /** The results of its flights may have tags. */
  add(registry: { loosenAll(): void }): void {
    (this.#registries ??= new Set()).add(registry);
  }

  /** @throws {TypeError} for a store in which tags cannot be invalidated for all who use it. */
  assertPossible(): void {
    const store = this.#store;
    if (store === undefined) return;
    const isPossible = isSharedStore(store)
      ? typeof (store as SharedStore).invalidateTags === 'function'
      : !answersLater(store);
    if (isPossible) return;
    throw new TypeError(
      `Expected a store that answers at once, \`redisStore\` or \`tiered\` over it beside tags, got ${show(store)}: others who use it could not be told in order`,
    );
  }

  /** Rejects with the error of a store that processes share. Also then, no run of this process from before is stored. */
  async invalidate(tags: readonly string[], isSoft: boolean): Promise<void> {
    this.marks.mark(tags, isSoft);
    this.#loosenAll();
    const store = this.#store;
    if (store === undefined || !isSharedStore(store)) return;
    try {
      await (store as SharedStore).invalidateTags?.(tags, { isSoft, timeout: TIMEOUT });
    } finally {
      // What has been read meanwhile may be from before.
      this.#loosenAll();
    }
  }

  #loosenAll(): void {
    for (const registry of this.#registries ?? []) registry.loosenAll();
  }
}

/** True for a store of which this can be seen before it is asked. */
function answersLater(store: StoreLike<never>): boolean {
  return (
    Object.prototype.toString.call((store as { readonly get: unknown }).get) === '[object AsyncFunction]' ||
    (store as { readonly keepsDeadlines?: unknown }).keepsDeadlines === true
  );
}

interface TagSpaces {
  tagSpaces(): Iterable<TagSpace>;
}

const spacesOfOwners = new WeakMap<object, TagSpaces>();

/** `owner` stands for these spaces where tags are invalidated. */
export function setTagSpaces(owner: object, spaces: TagSpaces): void {
  spacesOfOwners.set(owner, spaces);
}

/** `undefined` for what is no wrapper, memoizer or private store. */
export function tagSpacesOf(owner: object): Iterable<TagSpace> | undefined {
  return spacesOfOwners.get(owner)?.tagSpaces();
}
