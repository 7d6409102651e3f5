import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Acquired, Entry, Grant, Settled } from './store.js';

/** Asks a store that processes share which of them runs. All of it rejects with the store's error or a `TimeoutError`. */
export interface Coordinator<V> {
  /**
   * Ask for the right to run.
   * @param options.seen An entry that the caller holds and cannot use.
   * @param options.spent How long the call has waited for the store already, in milliseconds.
   */
  acquire(key: string, options: { readonly seen: Entry<V> | undefined; readonly spent: number }): Promise<Acquired<V>>;
  /** Wait for the run of another process. */
  wait(
    key: string,
    acquired: Extract<Acquired<V>, { wait: unknown }>,
    signal: AbortSignalLike,
  ): Promise<Settled<V> | { readonly unleased: string }>;
  /** The right to run in any case; older runs are refused. `drop` removes the stored value in the same step. */
  begin(key: string, options: { readonly drop: boolean }): Promise<Grant<V>>;
}
