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
  for (const key of await keysOf(store, prefix, deadlines)) {
    try {
      await inTime(removeFrom(store, key), deadlines);
    } catch (error) {
      if (error instanceof TimeoutError) throw error;
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}

/** The keys of a prefix, all of them before the first is deleted: some stores list wrongly while they change. */
export async function keysOf(store: object, prefix: string, deadlines: Deadlines): Promise<string[]> {
  const own: string[] = [];
  const collect = (key: unknown): void => {
    if (typeof key === 'string' && key.startsWith(prefix)) own.push(key);
  };
  const listed = await listKeys(store, deadlines);
  if (Symbol.iterator in listed) {
    for (const key of listed) collect(key);
    return own;
  }
  const iterator = listed[Symbol.asyncIterator]();
  for (;;) {
    const step = (await inTime(iterator.next(), deadlines)) as IteratorResult<unknown>;
    // As `for await` has it: a store that answers anything else would be asked forever.
    if (typeof step !== 'object' || step === null) {
      throw new TypeError(`Expected the iterator of the store to return objects, got ${show(step)}`);
    }
    if (step.done === true) return own;
    collect(step.value);
  }
}

async function listKeys(store: object, deadlines: Deadlines): Promise<Iterable<unknown> | AsyncIterable<unknown>> {
  const { keys, iterator } = store as { keys?: unknown; iterator?: unknown };
  if (typeof keys !== 'function') {
    return typeof iterator === 'function'
      ? firstOfPairs(iterator.call(store) as AsyncIterable<readonly unknown[]>)
      : [];
  }
  // unstorage and others answer with a promise.
  const listed = await inTime(keys.call(store), deadlines);
  if (typeof listed === 'object' && listed !== null && (Symbol.iterator in listed || Symbol.asyncIterator in listed)) {
    return listed as Iterable<unknown> | AsyncIterable<unknown>;
  }
  throw new TypeError(`Expected \`keys\` of the store to list its keys, got ${show(listed)}`);
}

async function* firstOfPairs(pairs: AsyncIterable<readonly unknown[]>): AsyncGenerator {
  for await (const pair of pairs) yield pair[0];
}

function inTime(answer: unknown, deadlines: Deadlines): unknown {
  return isThenable(answer) ? withDeadline(answer, deadlines, 'clear') : answer;
}
