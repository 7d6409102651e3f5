import { setTagSpaces, tagSpacesOf } from './call/tag-space.js';
import { emptyStats } from './observer.js';
import { PendingWork } from './platform/pending-work.js';
import { memoizeWith, wrap } from './memoize-async.js';
import { givenOptions, resolveOptions } from './resolve-options.js';
import type { Stats } from './events.js';
import type { AnyFunction } from './functions.js';
import type { memoizeAsync } from './memoize-async.js';
import type { Owner } from './call/wrapper.js';
import type { Controls, Memoized } from './memoized.js';
import type { MemoizeOptions } from './options.js';

/** `memoizeAsync` with defaults, and what concerns all its wrappers. */
export type Memoizer = typeof memoizeAsync & {
  /**
   * Forgets the entries of all wrappers, and no others.
   *
   * All are tried, then it rejects with the first error. Where `cache` is a selector, it is the store of the receiver
   * `undefined`.
   */
  clear(): Promise<void>;

  /**
   * Resolves when no run, refresh or write is under way in any wrapper.
   *
   * @param limit The longest to wait, in milliseconds. Then it resolves all the same.
   */
  settled(limit?: number): Promise<void>;

  /** The sum over all wrappers. */
  stats(): Stats;
};

/**
 * One set of defaults for many functions. A wrapper's options override them one by one, its `keyOf` also their `ignore`,
 * its `cache` their `maxSize` and the other way round; the `name` of the defaults prefixes every wrapper's as `prefix.name`.
 * Wrappers live as long as their memoizer: make them once, not for each request.
 *
 * @throws {TypeError} at once, for an unknown option or one of the wrong kind.
 * @example
 * const memoize = createMemoizer({ name: 'users', ttl: 60_000 });
 * export const getUser = memoize(async (id: number) => fetchUser(id), { name: 'getUser' });
 * export const listUsers = memoize(async () => fetchUsers(), { name: 'listUsers', ttl: 5_000 });
 * await memoize.clear(); // after a write
 */
export function createMemoizer(defaults: MemoizeOptions = {}): Memoizer {
  const shared = givenOptions(defaults);
  const pendingWork = new PendingWork();
  const owner: Owner = { name: shared.name, pendingWork };
  const wrappers: Controls<AnyFunction>[] = [];
  const memoize = (fnOrOptions: unknown, options?: unknown): unknown =>
    memoizeWith(
      fnOrOptions,
      options,
      (own) => resolveOptions(own, shared),
      (fn, resolved) => {
        const wrapper = wrap(fn, resolved, owner) as Memoized<AnyFunction>;
        wrappers.push(wrapper);
        return wrapper;
      },
    );
  setTagSpaces(memoize, { tagSpaces: () => wrappers.flatMap((wrapper) => [...(tagSpacesOf(wrapper) ?? [])]) });
  return Object.assign(memoize as typeof memoizeAsync, {
    clear: async () => {
      const outcomes = await Promise.allSettled(wrappers.map((wrapper) => wrapper.clear()));
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    },
    settled: (limit?: number) => pendingWork.settled(limit),
    stats: () => sum(wrappers.map((wrapper) => wrapper.stats())),
  });
}

function sum(all: readonly Stats[]): Stats {
  const total = { ...emptyStats };
  for (const stats of all) {
    for (const count of Object.keys(total) as (keyof Stats)[]) total[count] += stats[count];
  }
  return total;
}
