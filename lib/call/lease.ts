import { freshnessOf } from '../store/freshness.js';
import { onAbort } from '../in-flight/signals.js';
import { close, isOver } from './settle.js';
import type { Flight } from '../in-flight/flight.js';
import type { Permit } from './settle.js';
import type { GuardedStore } from '../store/guarded-store.js';
import type { Entry, Grant, SharedStore } from '../store/store.js';
import type { Call } from './wrapper.js';

/** Calls `fn`, and says what its result may be written with. */
type Run = (permit: Permit) => void;

export interface Leadership<V> {
  readonly shared: SharedStore<V>;
  /** An entry that was read and is of no use. */
  readonly seen: Entry<V> | undefined;
  readonly run: Run;
}

/** Ask a shared store who runs: this process, another one, or each for itself. */
export async function lead<V>(
  call: Call<V>,
  flight: Flight<V>,
  { shared, seen: held, run }: Leadership<V>,
): Promise<void> {
  const { place, key } = call;
  // Only a guarded store is shared.
  const store = place.store as GuardedStore<V>;
  const waiting = new AbortController();
  flight.release = () => waiting.abort(undefined);
  let seen = held;
  let waitedSince: number | undefined;
  try {
    if (flight.kind === 'refresh') return granted(call, flight, await store.begin(shared, key, { drop: false }), run);
    // The lookup and the question who runs are one delay to the caller.
    let spent = flight.askedAt === undefined ? 0 : performance.now() - flight.askedAt;
    for (;;) {
      let acquired: Awaited<ReturnType<typeof store.acquire | typeof store.wait>> = await store.acquire(
        shared,
        key,
        seen,
        spent,
      );
      spent = 0;
      if ('wait' in acquired && !isOver(flight)) {
        // Somebody else is at it, and nobody waits here.
        if (flight.kind === 'background' && !flight.isAwaited) return close(call, flight);
        waitedSince ??= Date.now();
        acquired = await store.wait(key, acquired, waiting.signal);
      }
      if ('grant' in acquired) return granted(call, flight, acquired.grant, run);
      if ('alone' in acquired) return unleased(call, flight, acquired.alone, run);
      if (isOver(flight) || 'wait' in acquired) return;
      if (answers(call, acquired.hit, waitedSince)) return adopt(call, flight, acquired.hit);
      seen = acquired.hit;
    }
  } catch (error) {
    unleased(call, flight, error instanceof Error ? error.message : String(error), run);
  }
}

/** True for a value that is fresh, or that came from the run this process waited for, as it would for a join. */
function answers<V>({ wrapper }: Call<V>, hit: Entry<V>, waitedSince: number | undefined): boolean {
  return freshnessOf(hit, Date.now(), wrapper.options) === 'fresh' || hit.storedAt >= (waitedSince ?? Infinity);
}

/** Another process has brought the value. */
function adopt<V>(call: Call<V>, flight: Flight<V>, hit: Entry<V>): void {
  if (!flight.isFenced) {
    call.place.errors.forget(call.key);
    if (flight.kind !== 'call') call.place.registry.offer(call.key, hit);
  }
  close(call, flight);
  flight.resolve(hit.value as V);
}

function granted<V>(call: Call<V>, flight: Flight<V>, grant: Grant<V>, run: Run): void {
  if (flight.phase === 'over') return grant.release('again');
  flight.release = (why) => grant.release(why);
  // A fence in another process: what runs here is not to be joined again.
  onAbort([grant.lost], () => {
    flight.isFenced = true;
    call.place.registry.remove(flight);
  });
  run(grant);
}

function unleased<V>(call: Call<V>, flight: Flight<V>, reason: string, run: Run): void {
  if (flight.phase === 'over') return;
  flight.release = undefined;
  call.wrapper.observer.unleased(call.key, reason);
  run('unwritten');
}
