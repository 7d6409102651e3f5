import { possibleTags, tagsOf } from './redis-messages.js';

/** A value that was made, and the number of the event that made it. */
interface Made {
  readonly key: string;
  readonly at: number;
}

/** By the name of what was invalidated: the event before which nothing can have been made that is there. */
export interface Floors {
  readonly gone: ReadonlyMap<string, number>;
  /** The same for what is there and is fresh. */
  readonly ended: ReadonlyMap<string, number>;
}

export interface Invalidation {
  /** Of `entryName` and `tagName`. */
  readonly names: readonly string[];
  /** The event that asked for it. */
  readonly at: number;
  /** The old value may answer still, if it is not taken for a fresh one. */
  readonly isSoft: boolean;
  /** The process that has had it acknowledged. */
  readonly owner: string;
}

export const entryName = (key: string): string => `entry ${key}`;
export const tagName = (tag: string): string => `tag ${tag}`;

/**
 * Which values may be read. Every value is unique, so each answer names the run that it comes from. The cost of an answer
 * does not grow with the history: only the last invalidation of each name counts.
 */
export class Law {
  readonly #made = new Map<string, Made>();
  readonly #gone = new Map<string, number>();
  readonly #ended = new Map<string, number>();

  /** How many values were made, and how many names were invalidated. */
  get size(): { readonly made: number; readonly invalidated: number } {
    return { made: this.#made.size, invalidated: this.#gone.size + this.#ended.size };
  }

  knows(value: string): boolean {
    return this.#made.has(value);
  }

  /** @param at `Infinity`: at any time. */
  made(value: string, key: string, at: number): void {
    this.#made.set(value, { key, at });
  }

  invalidated({ names, at, isSoft, owner }: Invalidation): void {
    const floors = isSoft ? this.#ended : this.#gone;
    for (const name of names) {
      for (const scoped of [name, `${owner} ${name}`]) floors.set(scoped, Math.max(at, floors.get(scoped) ?? 0));
    }
  }

  /**
   * What holds for `key` now: what is acknowledged later must not count against what is asked for now.
   * @param owner Only what this process itself has had acknowledged.
   */
  floorsOf(key: string, owner?: string): Floors {
    const floors = { gone: new Map<string, number>(), ended: new Map<string, number>() };
    for (const name of [entryName(key), ...possibleTags(key).map(tagName)]) {
      const scoped = owner === undefined ? name : `${owner} ${name}`;
      floors.gone.set(name, this.#gone.get(scoped) ?? 0);
      floors.ended.set(name, this.#ended.get(scoped) ?? 0);
    }
    return floors;
  }

  /** What is wrong with a value that was found under `key`. `isJudged`: its tags, too, were looked at by what found it. */
  violation(
    value: string,
    { key, floors, isFresh, isJudged }: { key: string; floors: Floors; isFresh: boolean; isJudged: boolean },
  ): string | undefined {
    const made = this.#made.get(value);
    if (made === undefined) return 'was not made in this history';
    if (made.key !== key) return `belongs to ${made.key}`;
    for (const name of [entryName(key), ...(isJudged ? tagsOf(key, value).map(tagName) : [])]) {
      const { gone, ended } = floors;
      if (made.at < gone.get(name)!) return `was made at ${made.at}, and ${name} invalidated at ${gone.get(name)}`;
      if (isFresh && made.at < ended.get(name)!) {
        return `is fresh and was made at ${made.at}, and ${name} has ended at ${ended.get(name)}`;
      }
    }
    return undefined;
  }
}
