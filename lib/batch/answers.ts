import { show } from '../platform/show.js';
import type { AnyFunction } from '../functions.js';

/**
 * What `fn` has returned for the item at an index, which throws where that is an error.
 *
 * @throws {TypeError} for what is neither a Map nor an array of one value for each item.
 */
export function answersOf<Item, Value>(
  result: unknown,
  items: readonly Item[],
  fn: AnyFunction,
): (index: number) => Value {
  if (Array.isArray(result)) {
    const { length } = items;
    if (result.length !== length) throw unexpected(fn, `${length} values, one for each item`, result.length);
    return (index) => valueOf<Value>(result[index]);
  }
  if (isLookup(result)) return (index) => valueOf<Value>(result.get(items[index]));
  throw unexpected(fn, 'an array or a Map', show(result));
}

function valueOf<Value>(answer: unknown): Value {
  if (isError(answer)) throw answer;
  return answer as Value;
}

/** Of any realm. */
function isError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Error) return true;
  const tag = Object.prototype.toString.call(value);
  return tag === '[object DOMException]' || (tag === '[object Error]' && !(Symbol.toStringTag in value));
}

/** A Map of any realm or of a library. */
function isLookup(value: unknown): value is ReadonlyMap<unknown, unknown> {
  const { get, has, size } = Object(value) as Record<string, unknown>;
  return typeof get === 'function' && typeof has === 'function' && typeof size === 'number';
}

function unexpected(fn: AnyFunction, expected: string, got: unknown): TypeError {
  const name: unknown = fn.name;
  const subject = typeof name === 'string' && name !== '' ? `\`${name}\`` : 'the batched function';
  return new TypeError(`Expected ${subject} to return ${expected}, got ${String(got)}`);
}
