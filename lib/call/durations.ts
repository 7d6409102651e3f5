import { isThenable, NativePromise } from '../platform/promise.js';
import { show } from '../platform/show.js';
import type { Call } from './wrapper.js';

/** How long a value is fresh, in milliseconds; `undefined` where the user's function gave no duration. */
export function ttlFor<V>(call: Call<V>, value: V): number | undefined {
  const { ttl, jitter } = call.wrapper.options;
  const duration = typeof ttl === 'number' ? ttl : durationFrom(call, 'ttl', () => ttl(value, ...call.args));
  return duration === undefined || jitter === 0 ? duration : duration * (1 - jitter * Math.random());
}

/** How long an error is remembered, in milliseconds; `undefined` where the user's function gave no duration. */
export function errorTtlFor<V>(call: Call<V>, error: unknown): number | undefined {
  const { errorTtl } = call.wrapper.options;
  return typeof errorTtl === 'number' ? errorTtl : durationFrom(call, 'errorTtl', () => errorTtl(error, ...call.args));
}

/** A function that throws, or returns no duration, is reported. */
function durationFrom<V>({ wrapper, key }: Call<V>, option: string, choose: () => unknown): number | undefined {
  try {
    const chosen = choose();
    // A time that is over already, such as a token that has expired.
    if (typeof chosen === 'number' && chosen > -Infinity) return Math.max(0, chosen);
    // An async function is reported for being one. Its own rejection must not end the process.
    if (isThenable(chosen)) NativePromise.resolve(chosen).catch(() => undefined);
    throw new TypeError(`Expected \`${option}\` to give a number of milliseconds >= 0, got ${show(chosen)}`);
  } catch (error) {
    wrapper.observer.storeFailed('set', key, error);
    return undefined;
  }
}
