import { isAbortSignal } from '../platform/abort-signal.js';
import { isPlainObject } from '../platform/plain-object.js';

/**
 * True where two calls pass the same arguments, by `Object.is`. A missing one is `undefined`.
 */
export function isSameRest(one: readonly unknown[], other: readonly unknown[]): boolean {
  const length = Math.max(one.length, other.length);
  return Array.from({ length }).every((_, index) => isSameArgument(one[index], other[index]));
}

/** Signals are not compared: each call has its own. */
function isSameArgument(one: unknown, other: unknown): boolean {
  if (Object.is(withoutSignal(one), withoutSignal(other))) return true;
  if (!hasSignal(one) || !hasSignal(other)) return false;
  const names = new Set([...Reflect.ownKeys(one), ...Reflect.ownKeys(other)]);
  names.delete('signal');
  return [...names].every(
    (name) => Object.hasOwn(one, name) === Object.hasOwn(other, name) && Object.is(one[name], other[name]),
  );
}

function withoutSignal(value: unknown): unknown {
  return isAbortSignal(value) ? undefined : value;
}

function hasSignal(value: unknown): value is Record<PropertyKey, unknown> {
  if (!isPlainObject(value) || !Object.hasOwn(value, 'signal')) return false;
  return value['signal'] === undefined || isAbortSignal(value['signal']);
}
