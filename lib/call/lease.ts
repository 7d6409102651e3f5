import { freshnessOf } from '../store/freshness.js';
import type { Flight } from '../in-flight/flight.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Coordinator } from '../store/coordinator.js';
import type { Entry, Grant } from '../store/store.js';
import type { Call } from './wrapper.js';

export type LeaseOutcome<V> =
  /** This process runs, and may write. */
  | { readonly grant: Grant<V> }
  /** Another process has brought the value. */
  | { readonly hit: Entry<V> }
  /** The processes could not be coordinated: this one runs, and does not write. */
  | { readonly unleased: string }
  /** No run is needed: another process refreshes the entry, or the flight has settled meanwhile. */
  | undefined;

export interface LeaseRequest<V> {
  readonly coordinator: Coordinator<V>;
  /** An entry that was read and cannot be served. */
  readonly seen: Entry<V> | undefined;
  /** How long the call has waited for the store, in milliseconds: with the lease that is one delay. */
  readonly spent: number;
  /** Ends the wait for another process. */
  readonly signal: AbortSignalLike;
}

/** Decides which process runs: asks the shared store for the lease, and waits while another process holds it. */
export async function acquireLease<V>(
  call: Call<V>,
  flight: Flight<V>,
  { coordinator, seen, spent, signal }: LeaseRequest<V>,
): Promise<LeaseOutcome<V>> {
  const { key } = call;
  let unusable = seen;
  let left = spent;
  let waitedSince: number | undefined;
  try {
    if (flight.kind === 'refresh') return { grant: await coordinator.begin(key, { drop: false }) };
    for (;;) {
      const acquired = await coordinator.acquire(key, { seen: unusable, spent: left });
      left = 0;
      let outcome: Awaited<ReturnType<typeof coordinator.wait>>;
      if (!('wait' in acquired)) outcome = acquired;
      else {
        const isNeeded = !flight.isSettled && (flight.kind !== 'background' || flight.isAwaited);
        if (!isNeeded) return undefined;
        waitedSince ??= Date.now();
        outcome = await coordinator.wait(key, acquired, signal);
      }
      if ('grant' in outcome || 'unleased' in outcome) return outcome;
      if (flight.isSettled) return undefined;
      if (canServe(call, outcome.hit, waitedSince)) return outcome;
      unusable = outcome.hit;
    }
  } catch (error) {
    return { unleased: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * True for a fresh value, and for one from the run that this process waited for, as for a join, unless one of its tags was
 * softly invalidated before it was stored.
 */
function canServe<V>({ wrapper }: Call<V>, hit: Entry<V>, waitedSince: number | undefined): boolean {
  if (freshnessOf(hit, Date.now(), wrapper.options) === 'fresh') return true;
  const { storedAt, freshUntil = Infinity } = hit;
  return storedAt >= (waitedSince ?? Infinity) && freshUntil >= storedAt;
}
