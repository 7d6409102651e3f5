import { abortedSignal, onAbort } from './in-flight/signals.js';
import type { AbortSignalLike } from './abort-signal.js';
import type { Flight } from './in-flight/flight.js';
import type { Wrapper } from './wrapper.js';

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
    flight.answer.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
