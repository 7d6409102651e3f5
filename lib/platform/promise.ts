/** True for anything that `await` would wait for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** The `Promise` of the time of import. Test tools and APM agents may replace the global one later. */
export const NativePromise = Promise;

/** Not `promise.then`: a promise may have a `then` of its own. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the promise as its receiver
export const nativeThen = Promise.prototype.then;
