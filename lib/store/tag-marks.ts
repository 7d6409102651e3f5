/** How many tags have a mark of their own, in one store. */
const MAX_TAGS = 10_000;

const marksByStore = new WeakMap<object, TagMarks>();

/** The marks of a store object. All wrappers on that object share them. */
export function tagMarksOf(store: object): TagMarks {
  let marks = marksByStore.get(store);
  if (marks === undefined) marksByStore.set(store, (marks = new TagMarks()));
  return marks;
}

/**
 * Which tags have been invalidated, and when, in one process.
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
  readonly #marks = new Map<string, number>();
  readonly #maxTags: number;
  #latest = 0;
  #floor = 0;

  constructor(maxTags = MAX_TAGS) {
    this.#maxTags = maxTags;
  }

  /**
   * The present epoch: a run that begins now keeps it. Nothing that began in it is void, so a hit compares this one number
   * with that of its entry before it asks `isVoid`.
   */
  get latest(): number {
    return this.#latest;
  }

  /** How many tags have a mark of their own. */
  get size(): number {
    return this.#marks.size;
  }

  /** Makes void what carries one of `tags` and began before now. All of them, or none where the iterable throws. */
  mark(tags: Iterable<string>): void {
    const marked = [...tags];
    if (marked.length === 0) return;
    this.#latest += 1;
    for (const tag of marked) {
      // To the end of the order.
      this.#marks.delete(tag);
      this.#marks.set(tag, this.#latest);
    }
    this.#dropOldest();
  }

  /**
   * True where the result of a run may no longer be used.
   *
   * @param begunAt The epoch in which the run began.
   */
  isVoid(tags: Iterable<string>, begunAt: number): boolean {
    if (begunAt >= this.#latest) return false;
    for (const tag of tags) {
      if (begunAt < this.#floor || begunAt < (this.#marks.get(tag) ?? 0)) return true;
    }
    return false;
  }

  #dropOldest(): void {
    for (const [tag, epoch] of this.#marks) {
      if (this.#marks.size <= this.#maxTags) return;
      this.#marks.delete(tag);
      this.#floor = epoch;
    }
  }
}
