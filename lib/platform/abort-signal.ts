/** The part of an `AbortSignal` that this library uses; declared here so that no DOM or Node types are needed. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * True for an `AbortSignal` of any realm, and for a polyfill that calls itself one. A plain object never is: what this
 * accepts is left out of keys, so data must not be able to pose as a signal.
 */
export function isAbortSignal(value: unknown): value is AbortSignalLike {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return false;
  if (Object.prototype.toString.call(value) !== '[object AbortSignal]' || Object.hasOwn(value, Symbol.toStringTag))
    return false;
  return typeof (value as Partial<AbortSignalLike>).aborted === 'boolean';
}
