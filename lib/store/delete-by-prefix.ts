import { TimeoutError } from '../errors.js';
import { isThenable } from '../platform/promise.js';
import { show } from '../platform/show.js';
import { withDeadline } from './deadline.js';
import { removeFrom } from './store-like.js';
import type { Deadlines } from './deadline.js';
import type { StoreLike } from './store-like.js';

/** True for a store that can find the keys of a prefix. Keyv has an `iterator`, which lists nothing where its adapter cannot. */
export function canDeleteByPrefix(store: object): boolean {
  const { deleteByPrefix, keys, iterator } = store as Partial<Record<string, unknown>>;
  return [deleteByPrefix, keys, iterator].some((method) => typeof method === 'function');
}

/**
 * Deletes every key that begins with `prefix` and no other. Each answer of the store has the limit of `deadlines`. A delete
 * that fails does not keep the others from being tried, but for one that hangs: the store would hang on each of them.
 */
export async function deleteByPrefix(store: StoreLike<never>, prefix: string, deadlines: Deadlines): Promise<void> {
  if (typeof store.deleteByPrefix === 'function') {
    await inTime(store.deleteByPrefix(prefix), deadlines);
    return;
  }
  let failure: { readonly error: unknown } | undefined;
  for (const key of await collectKeys(listKeys(store), prefix, deadlines)) {
    try {
      await inTime(removeFrom(store, key), deadlines);
    } catch (error) {
      if (error instanceof TimeoutError) throw error;
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}

/** What the store lists its keys with: an iterable, sync or async, or a promise of one. Anything else is refused later. */
export function listKeys(store: object): unknown {
  const { keys, iterator } = store as { keys?: unknown; iterator?: unknown };
  if (typeof keys === 'function') return keys.call(store);
  return typeof iterator === 'function' ? firstOfPairs(iterator.call(store) as AsyncIterable<readonly unknown[]>) : [];
}

/** The keys of a prefix, all of them before the first is deleted: some stores list wrongly while they change. */
export async function collectKeys(listing: unknown, prefix: string, deadlines: Deadlines): Promise<string[]> {
  // unstorage and others answer with a promise.
  const listed = await inTime(listing, deadlines);
  if (isIterable(listed)) return ofPrefix(listed, prefix);
  if (typeof listed !== 'object' || listed === null || !(Symbol.asyncIterator in listed)) {
    throw new TypeError(`Expected \`keys\` of the store to list its keys, got ${show(listed)}`);
  }
  const iterator = (listed as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const found: unknown[] = [];
  for (;;) {
    const step = (await inTime(iterator.next(), deadlines)) as IteratorResult<unknown>;
    // As `for await` has it: a store that answers anything else would be asked forever.
    if (typeof step !== 'object' || step === null) {
      throw new TypeError(`Expected the iterator of the store to return objects, got ${show(step)}`);
    }
    if (step.done === true) return ofPrefix(found, prefix);
    found.push(step.value);
  }
}

export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

export function ofPrefix(keys: Iterable<unknown>, prefix: string): string[] {
  return [...keys].filter((key): key is string => typeof key === 'string' && key.startsWith(prefix));
}

async function* firstOfPairs(pairs: AsyncIterable<readonly unknown[]>): AsyncGenerator {
  for await (const pair of pairs) yield pair[0];
}

function inTime(answer: unknown, deadlines: Deadlines): unknown {
  return isThenable(answer) ? withDeadline(answer, deadlines, 'clear') : answer;
}
