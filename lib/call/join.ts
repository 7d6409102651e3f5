import { abortedSignal, onAbort, reasonOf } from '../in-flight/signals.js';
import { NativePromise, nativeThen } from '../platform/promise.js';
import { freshnessOf } from '../store/freshness.js';
import type { Flight } from '../in-flight/flight.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Call, Wrapper } from './wrapper.js';

/** Share the flight of the key. */
export function join<V>(wrapper: Wrapper<V>, flight: Flight<V>, signals: Call<V>['signals']): Promise<V> {
  const cycle = wrapper.recursion?.cycle(flight);
  // A call that waits for itself is no caller of the flight.
  if (cycle === undefined) flight.admit(signals);
  wrapper.observer.received('join', flight.key);
  if (flight.isFallbackServed) {
    if (freshnessOf(flight.fallback!, Date.now(), wrapper.options) === 'expired') flight.reopen();
    else wrapper.observer.fellBack(flight.key, 'soft-timeout');
  }
  return cycle === undefined
    ? waitFor(wrapper, flight, signals)
    : NativePromise.reject(recursionError(wrapper.name, cycle));
}

/** The promise of one caller, which the flight has admitted. A caller with a signal can leave; no other caller notices. */
export function waitFor<V>(
  wrapper: Wrapper<V>,
  flight: Flight<V>,
  signals: readonly AbortSignalLike[] | undefined,
): Promise<V> {
  return signals === undefined ? flight.promise : waitUntilAborted(wrapper, flight, signals);
}

function waitUntilAborted<V>(
  { observer }: Wrapper<V>,
  flight: Flight<V>,
  signals: readonly AbortSignalLike[],
): Promise<V> {
  return new NativePromise((resolve, reject) => {
    const leave = (reason: unknown): void => {
      reject(reason);
      observer.left(flight.key);
      flight.leave(reason);
    };
    // `fn` may have aborted it while it started.
    const aborted = abortedSignal(signals);
    if (aborted !== undefined) return leave(reasonOf(aborted));
    const stop = watch(signals, leave);
    void nativeThen.call(
      flight.promise,
      (value) => {
        stop();
        resolve(value as V);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

/** A caller whose signal cannot be watched leaves at once. */
function watch(signals: readonly AbortSignalLike[], leave: (reason: unknown) => void): () => void {
  try {
    return onAbort(signals, leave);
  } catch (error) {
    leave(error);
    return () => undefined;
  }
}

/** @param cycle The keys of the runs from the one that the call would wait for to the call itself. */
export function recursionError(name: string, cycle: readonly string[]): Error {
  return new Error(`${name}: this call would wait for itself, by way of ${cycle.join(' → ')}`);
}
