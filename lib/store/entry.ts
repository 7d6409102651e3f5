import { isThenable } from '../platform/promise.js';
import type { Result } from './result-store.js';
import type { Entry } from './store.js';

/** @param storedAt When the run settled, in milliseconds of the wall clock. */
export function createEntry<V>(result: Result<V>, storedAt: number): Entry<V> {
  const entry = createUntagged(result, storedAt);
  const { tags, begun } = result;
  return tags === undefined || tags.length === 0 ? entry : Object.assign(entry, { tags, begun });
}

function createUntagged<V>({ value, ttl, duration }: Result<V>, storedAt: number): Entry<V> {
  if (ttl === Infinity) return { v: 1, value, storedAt };
  if (duration === undefined) return { v: 1, value, storedAt, freshUntil: storedAt + ttl };
  return { v: 1, value, storedAt, freshUntil: storedAt + ttl, duration };
}

/** The entry as if its `ttl` had ended at `at`, in milliseconds of the wall clock, unless it ended before. */
export function endEntry<V>(entry: Entry<V>, at: number): Entry<V> {
  return { ...entry, freshUntil: Math.min(entry.freshUntil ?? Infinity, at) };
}

/** Gives back what it is given, so that a class derived from it adds its private fields to that. */
const Given = function (object: object): object {
  return object;
} as unknown as new (object: object) => object;

/**
 * A mark on the entries that this process has written, which nothing can forge or see: a store in memory gives them back, and
 * they need not be checked again. A check of each field takes a fifth of a hit in a `Map`.
 */
class Written extends Given {
  readonly #isWritten = true;

  static has(value: object): boolean {
    return #isWritten in value;
  }
}

export function markAsWritten(entry: object): void {
  if (!Written.has(entry)) new Written(entry);
}

/** True for an entry of this version with sound times; anything else in a store is foreign or damaged. */
export function isEntry(found: unknown): found is Entry<never> {
  if (typeof found !== 'object' || found === null) return false;
  if (Written.has(found)) return true;
  const { v, value, storedAt, freshUntil, duration, tags, begun } = found as Partial<
    Record<keyof Entry<never>, unknown>
  >;
  return (
    v === 1 &&
    // No run resolves with a thenable, and a promise would wait for it.
    !isThenable(value) &&
    isTime(storedAt) &&
    (freshUntil === undefined || isTime(freshUntil)) &&
    (duration === undefined || (isTime(duration) && duration >= 0)) &&
    (tags === undefined || (isTime(begun) && isTags(tags)))
  );
}

function isTags(value: unknown): boolean {
  return Array.isArray(value) && value.every((tag) => typeof tag === 'string');
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
