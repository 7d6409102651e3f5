import { endEntry } from './entry.js';
import type { Entry } from './store.js';

/** How many tags have a mark of their own, in one store. */
const MOST_TAGS = 10_000;

/** When a tag was last invalidated, in epochs. */
interface Mark {
  readonly hard: number;
  readonly soft: number;
  /** When it was last invalidated softly, in milliseconds of the wall clock. */
  readonly softAt: number;
  /** The soft one before that. */
  readonly softBefore: number;
}

const NEVER: Mark = { hard: -Infinity, soft: -Infinity, softAt: Infinity, softBefore: -Infinity };

/**
 * Which tags have been invalidated, and when, for one store in one process.
 *
 * Time is counted in epochs: each invalidation begins another one. A run keeps the epoch in which it began, and a tag has
 * a mark: the epoch that its last invalidation began. An entry is void where its run began before the mark of one of its
 * tags. So an invalidation reaches runs under way too, whose tags are known only from their results.
 *
 * Memory is bounded. Beyond the limit the oldest marks are dropped and the floor rises to the latest of them: what began
 * before the floor is void, whatever its tags are. An entry can be void too early that way, never too late.
 */
export class TagMarks {
  /** In the order of their epochs. */
  #marks: Map<string, Mark> | undefined;
  readonly #maxTags: number;
  #latest: number;
  #floor: number;

  /**
   * @param start What began before it is void. By default the time: what an earlier process has stored is void, for nobody
   *   knows what was invalidated there.
   */
  constructor({
    maxTags = MOST_TAGS,
    start = Date.now(),
  }: { readonly maxTags?: number; readonly start?: number } = {}) {
    this.#maxTags = maxTags;
    this.#latest = start;
    this.#floor = start;
  }

  /** The present epoch: a run that begins now keeps it, and nothing that begins in it is void. */
  get latest(): number {
    return this.#latest;
  }

  /** How many tags have a mark of their own. */
  get size(): number {
    return this.#marks?.size ?? 0;
  }

  /**
   * Makes void what carries one of `tags` and began before now.
   * @param isSoft As if its `ttl` ended now, instead.
   */
  mark(tags: readonly string[], isSoft = false): void {
    if (tags.length > 0) this.markAt(this.#latest + 1, tags, isSoft);
  }

  /** The same by another clock than epochs. */
  markAt(moment: number, tags: readonly string[], isSoft: boolean): void {
    const marks = (this.#marks ??= new Map<string, Mark>());
    this.#latest = Math.max(this.#latest, moment);
    for (const tag of tags) {
      const before = marks.get(tag) ?? NEVER;
      // To the end of the order.
      marks.delete(tag);
      marks.set(tag, isSoft ? withSoft(before, moment) : withHard(before, moment));
    }
    this.#dropOldest(marks);
  }

  /** True where a run with these tags that began in the epoch `begun` may not be stored any more. */
  isVoid(tags: readonly string[], begun: number): boolean {
    if (begun >= this.#latest || tags.length === 0) return false;
    if (begun < this.#floor) return true;
    return tags.some((tag) => begun < latestOf(this.#marks?.get(tag) ?? NEVER));
  }

  /** True for an entry that needs no judgement. */
  covers({ tags, begun = -Infinity }: Entry<unknown>): boolean {
    return tags === undefined || begun >= this.#latest;
  }

  /** The entry as it counts now: `undefined` where it is void, expired where one of its tags was invalidated softly. */
  judge<V>(entry: Entry<V>): Entry<V> | undefined {
    const { tags, begun = -Infinity } = entry;
    if (tags === undefined || begun >= this.#latest) return entry;
    if (begun < this.#floor) return undefined;
    let endsAt = Infinity;
    for (const tag of tags) {
      const { hard, soft, softAt, softBefore } = this.#marks?.get(tag) ?? NEVER;
      if (begun < hard) return undefined;
      // A second one must not lengthen the life of what an earlier one has ended at an unknown time since it was stored.
      if (begun < soft) endsAt = Math.min(endsAt, begun < softBefore ? entry.storedAt : softAt);
    }
    return endsAt === Infinity ? entry : endEntry(entry, endsAt);
  }

  #dropOldest(marks: Map<string, Mark>): void {
    for (const [tag, mark] of marks) {
      if (marks.size <= this.#maxTags) return;
      marks.delete(tag);
      this.#floor = Math.max(this.#floor, latestOf(mark));
    }
  }
}

/** By another clock, marks may come out of order: an older one changes nothing. */
function withHard(before: Mark, moment: number): Mark {
  return { ...before, hard: Math.max(before.hard, moment) };
}

function withSoft(before: Mark, moment: number): Mark {
  return moment > before.soft ? { ...before, soft: moment, softAt: Date.now(), softBefore: before.soft } : before;
}

function latestOf({ hard, soft }: Mark): number {
  return Math.max(hard, soft);
}
