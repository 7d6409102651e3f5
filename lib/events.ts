import createDebug from 'debug';
import { isThenable } from './thenable.js';
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

export type RunOutcome = 'fulfilled' | 'rejected' | 'timeout' | 'aborted';

export const emptyStats: Stats = {
  hits: 0,
  stale: 0,
  joins: 0,
  misses: 0,
  runs: 0,
  errors: 0,
  fallbacks: 0,
  discards: 0,
  timeouts: 0,
  aborts: 0,
  storeErrors: 0,
  unleased: 0,
  inFlight: 0,
} satisfies Stats;

type Received = 'hit' | 'stale' | 'join' | 'miss';

/** Reads the properties of `debug` as an heir: as an object of its own it is a dictionary, where a read costs a search. */
const settings = Object.create(createDebug) as { readonly namespaces?: unknown };

/** The one observer of a wrapper: counts, tells the listener, writes the debug log. Nothing it does can hurt a call. */
export class Observer {
  readonly #name: string;
  readonly #listener: ((event: MemoizeEvent) => unknown) | undefined;
  readonly #log: createDebug.Debugger;
  /** The setting of `debug` that `#isLogging` was read from: comparing it costs less than asking `enabled`. */
  #namespaces: unknown;
  #isLogging = false;
  readonly #counts = { ...emptyStats };

  constructor(name: string, listener: ((event: MemoizeEvent) => unknown) | undefined) {
    this.#name = name;
    this.#listener = listener;
    this.#log = createDebug(`aiocachetools:${namespaceOf(name)}`);
  }

  /** True if somebody listens, so that it is worth measuring. */
  get isHeard(): boolean {
    return this.#listener !== undefined || this.#logs();
  }

  stats(): Stats {
    return { ...this.#counts };
  }

  /** A call was received. */
  received(type: Received, key: string): void {
    this.#count(type);
    if (this.isHeard) this.#tell({ type, name: this.#name, key });
  }

  started(): void {
    this.#counts.runs += 1;
    this.#counts.inFlight += 1;
  }

  ended(key: string, outcome: RunOutcome, duration: number): void {
    this.#counts.inFlight -= 1;
    if (outcome === 'rejected') this.#counts.errors += 1;
    if (outcome === 'timeout') {
      this.#counts.timeouts += 1;
      if (this.isHeard) this.#tell({ type: 'timeout', name: this.#name, key });
    }
    if (this.isHeard) this.#tell({ type: 'run', name: this.#name, key, duration, outcome });
  }

  fellBack(key: string, reason: 'error' | 'soft-timeout' | 'timeout'): void {
    this.#counts.fallbacks += 1;
    if (this.isHeard) this.#tell({ type: 'fallback', name: this.#name, key, reason });
  }

  discarded(key: string): void {
    this.#counts.discards += 1;
    if (this.isHeard) this.#tell({ type: 'discard', name: this.#name, key });
  }

  left(key: string): void {
    this.#counts.aborts += 1;
    if (this.isHeard) this.#tell({ type: 'abort', name: this.#name, key });
  }

  storeFailed(operation: StoreOperation, key: string, error: unknown): void {
    this.#counts.storeErrors += 1;
    if (this.isHeard) this.#tell({ type: 'store-error', name: this.#name, key, operation, error });
  }

  unleased(key: string, reason: string): void {
    this.#counts.unleased += 1;
    if (this.isHeard) this.#tell({ type: 'unleased', name: this.#name, key, reason });
  }

  /** A name that is known when this is compiled is found at once, one that is put together is looked up. */
  #count(type: Received): void {
    if (type === 'hit') this.#counts.hits += 1;
    else if (type === 'join') this.#counts.joins += 1;
    else if (type === 'miss') this.#counts.misses += 1;
    else this.#counts.stale += 1;
  }

  #logs(): boolean {
    const { namespaces } = settings;
    if (namespaces !== this.#namespaces) {
      this.#namespaces = namespaces;
      this.#isLogging = this.#log.enabled;
    }
    return this.#isLogging;
  }

  #tell(event: MemoizeEvent): void {
    if (this.#logs()) this.#write(event);
    const listener = this.#listener;
    if (listener === undefined) return;
    try {
      const answer = listener(event);
      if (isThenable(answer)) Promise.resolve(answer).catch((error: unknown) => this.#listenerFailed(error));
    } catch (error) {
      this.#listenerFailed(error);
    }
  }

  #write(event: MemoizeEvent): void {
    const { type, name: _name, key, ...details } = event;
    const values = Object.values(details);
    this.#attempt(() => this.#log(`%s %s${' %o'.repeat(values.length)}`, type, printable(key), ...values));
  }

  /** A listener that fails is told to the log; it must change no outcome. */
  #listenerFailed(error: unknown): void {
    this.#attempt(() => this.#log('onEvent failed: %o', error));
  }

  /** A log that throws must change no outcome either, and there is nobody left to tell. */
  #attempt(log: () => void): void {
    try {
      log();
    } catch {
      return;
    }
  }
}

/** An argument may hold line breaks and escape sequences: without them a line of the log is one event. */
function printable(key: string): string {
  return key.replace(/[\p{Cc}\u2028\u2029]/gu, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `DEBUG` splits at spaces and commas, takes `*` for a pattern and a leading `-` for an exclusion. */
function namespaceOf(name: string): string {
  return name.replace(/[\s,*%]|^-/gu, '_');
}
