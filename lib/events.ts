import type { StoreOperation } from './store/guarded-store.js';

interface Happening {
  /** The wrapper's name. */
  readonly name: string;
  /** The bare key of the call; empty where an event concerns all keys. */
  readonly key: string;
}

/**
 * What `onEvent` is told. Exactly one of `hit`, `stale`, `join` and `miss` for each call that was not aborted beforehand:
 * how it was received.
 */
export type MemoizeEvent = Happening &
  (
    | { readonly type: 'hit' | 'stale' | 'join' | 'miss' }
    /** A run of `fn` has ended; `duration` in milliseconds. */
    | {
        readonly type: 'run';
        readonly duration: number;
        readonly outcome: 'fulfilled' | 'rejected' | 'timeout' | 'aborted';
        /** Why `fn` failed; present where the outcome is `rejected`. */
        readonly error?: unknown;
      }
    /** An old value answered in place of an error or of a run that takes too long. */
    | { readonly type: 'fallback'; readonly reason: 'error' | 'soft-timeout' | 'timeout' }
    /** A fence refused a result: it was not written. */
    | { readonly type: 'discard' }
    /** A run outlived `timeout`. */
    | { readonly type: 'timeout' }
    /** One caller has left. */
    | { readonly type: 'abort' }
    | { readonly type: 'store-error'; readonly operation: StoreOperation; readonly error: unknown }
    /** A shared store could not coordinate this run. */
    | { readonly type: 'unleased'; readonly reason: string }
  );

/** Counts since the wrapper was made. */
export interface Stats {
  /** Calls answered by a stored result that was fresh, or by a remembered error. */
  readonly hits: number;
  /** Calls answered by an old value. */
  readonly stale: number;
  /** Calls that shared what was under way. */
  readonly joins: number;
  /** Calls that found nothing. */
  readonly misses: number;
  /** Runs of `fn` that were started. */
  readonly runs: number;
  /** Runs in which `fn` failed. */
  readonly errors: number;
  /** Old values that answered in place of an error or a slow run. */
  readonly fallbacks: number;
  /** Results that a fence refused. */
  readonly discards: number;
  /** Runs that outlived `timeout`. */
  readonly timeouts: number;
  /** Callers that left. */
  readonly aborts: number;
  /** Store operations that failed, and functions for `ttl` or `errorTtl` that gave no duration. */
  readonly storeErrors: number;
  /** Runs that a shared store could not coordinate. */
  readonly unleased: number;
  /** Runs under way now. */
  readonly inFlight: number;
}
