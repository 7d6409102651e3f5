import { tagSpaceOf } from './call/namespace.js';
import { tagSpacesOf } from './call/tag-space.js';
import { distinct } from './call/tags.js';
import { isPlainObject } from './platform/plain-object.js';
import { show } from './platform/show.js';
import { isStore } from './store/store-like.js';
import type { TagSpace } from './call/tag-space.js';
import type { Callable, OptionalFunction } from './functions.js';
import type { Memoizer } from './create-memoizer.js';
import type { Controls } from './memoized.js';
import type { StoreLike } from './store/store-like.js';

/** How tags are invalidated. */
export interface InvalidateTagsOptions {
  /**
   * As if the `ttl` of the results ended now, instead: inside a stale window the old value still answers, and the next call
   * refreshes it.
   *
   * @default false
   */
  readonly soft?: boolean | undefined;
}

/**
 * Forgets every result that carries one of `tags`, in all wrappers on the store; with `redisStore`, of all processes and
 * stores with its prefix.
 *
 * Runs that started before are joined by no later call, and a result is not stored where it turns out to carry one of the
 * tags. Takes the same time however many results there are. When it has resolved, no call of this process that begins later
 * gets a result from before; other processes with a near store follow within a message. A run under way in another process,
 * or through another store object on the server, is joined there until it ends; its result is judged when it is read.
 *
 * Memory is bounded: beyond 10,000 tags in one store the oldest invalidations are forgotten, and with them every result
 * with tags that began before them.
 *
 * @param cache The store, a wrapper, or a memoizer: then the stores of all its wrappers.
 * @throws {TypeError} as a rejection, for anything else, for tags that are no strings, and for an asynchronous store other
 *   than `redisStore` and `tiered` over it. Rejects with the error of the server; results from before may be used then.
 * @example
 * const getPost = memoizeAsync(loadPost, { tags: (post) => [`author:${post.authorId}`] });
 * await invalidateTags(getPost, ['author:7']);
 */
export async function invalidateTags(
  cache: StoreLike<never> | (Callable & Pick<Controls<OptionalFunction>, 'cache' | 'settled'>) | Memoizer,
  // A string is one too, and its characters are hardly meant.
  tags: Iterable<string> & object,
  options: InvalidateTagsOptions = {},
): Promise<void> {
  const marked = distinct(tags, 'be');
  const isSoft = readSoft(options);
  const spaces = new Set(spacesOf(cache));
  for (const space of spaces) space.assertPossible();
  if (marked.length === 0) return;
  const outcomes = await Promise.allSettled([...spaces].map((space) => space.invalidate(marked, isSoft)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

function spacesOf(cache: unknown): Iterable<TagSpace> {
  const isObject = (typeof cache === 'object' && cache !== null) || typeof cache === 'function';
  const owned = isObject ? tagSpacesOf(cache) : undefined;
  if (owned !== undefined) return owned;
  const space = isStore(cache) ? tagSpaceOf(cache) : undefined;
  if (space !== undefined) return [space];
  throw new TypeError(`Expected a store, a memoized function or a memoizer, got ${show(cache)}`);
}

function readSoft(options: unknown): boolean {
  if (!isPlainObject(options)) throw new TypeError(`Expected options to be a plain object, got ${show(options)}`);
  for (const option of Reflect.ownKeys(options)) {
    if (option !== 'soft')
      throw new TypeError(`Unknown option \`${String(option)}\`, got ${show(options[option as keyof typeof options])}`);
  }
  const { soft = false } = options as { readonly soft?: unknown };
  if (typeof soft === 'boolean') return soft;
  throw new TypeError(`Expected \`soft\` to be true or false, got ${show(soft)}`);
}
