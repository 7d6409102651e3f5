import { isThenable, NativePromise } from '../platform/promise.js';
import { show } from '../platform/show.js';
import type { Call } from './wrapper.js';

/** The tags of a result, each once; `undefined` where the user's function gave none, which is reported. */
export function tagsFor<V>(call: Call<V>, value: V): readonly string[] | undefined {
  const { tags } = call.wrapper.options;
  if (typeof tags !== 'function') return tags;
  try {
    const given: unknown = tags(value, ...call.args);
    // An async function is reported for being one. Its own rejection must not end the process.
    if (isThenable(given)) NativePromise.resolve(given).catch(() => undefined);
    return distinct(given, 'give');
  } catch (error) {
    call.wrapper.observer.storeFailed('set', call.key, error);
    return undefined;
  }
}

/**
 * The strings of an iterable, each once.
 * @param verb What `tags` should do with strings, for the message: a function gives them.
 * @throws {TypeError} for anything else. A string is refused too: its characters are hardly meant.
 */
export function distinct(tags: unknown, verb: 'be' | 'give'): string[] {
  const isIterable = typeof tags === 'object' && tags !== null && Symbol.iterator in tags;
  const found = new Set<unknown>(isIterable ? (tags as Iterable<unknown>) : [tags]);
  for (const tag of found) {
    if (!isIterable || typeof tag !== 'string')
      throw new TypeError(`Expected \`tags\` to ${verb} strings, got ${show(tag)}`);
  }
  return [...found] as string[];
}
