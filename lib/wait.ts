import { abortedSignal, onAbort } from './in-flight/signals.js';
import type { AbortSignalLike } from './abort-signal.js';
import type { Flight } from './in-flight/flight.js';
import type { Wrapper } from './wrapper.js';

/** Not `promise.then`: a promise may have a `then` of its own. */
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the promise as its receiver
const then = Promise.prototype.then;

/** One caller's share of a flight that has admitted it. With a signal it may leave, and nobody else notices. */
export function wait<V>(
  { observer }: Wrapper<V>,
  flight: Flight<V>,
  signals: readonly AbortSignalLike[] | undefined,
): Promise<V> {
  if (signals === undefined) return flight.answer;
  return new Promise((resolve, reject) => {
    const leave = (reason: unknown): void => {
      reject(reason);
      observer.left(flight.key);
      flight.leave(reason);
    };
    // `fn` may have aborted it while it started.
    const aborted = abortedSignal(signals);
    if (aborted !== undefined) return leave(aborted.reason);
    const stop = onAbort(signals, leave);
    void then.call(
      flight.answer,
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
