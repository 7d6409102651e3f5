import { openDebugLog } from './debug-log.js';
import { isThenable, NativePromise } from './platform/promise.js';
import { openChannels, publish } from './tracing.js';
import type { DebugLog } from './debug-log.js';
import type { MemoizeEvent, Stats } from './events.js';
import type { StoreOperation } from './store/guarded-store.js';

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

/** The one observer of a wrapper: counts, tells the listener, writes the debug log. Nothing it does can hurt a call. */
export class Observer {
  /** Tells APMs, where the host has a way to. */
  readonly channels = openChannels();
  readonly #name: string;
  readonly #listener: ((event: MemoizeEvent) => unknown) | undefined;
  #log: DebugLog | undefined;
  #isLogOpen = false;
  readonly #counts = { ...emptyStats };

  constructor(name: string, listener: ((event: MemoizeEvent) => unknown) | undefined) {
    this.#name = name;
    this.#listener = listener;
  }

  /** True if a listener or the log wants events, so that durations are measured. */
  get isHeard(): boolean {
    if (!this.#isLogOpen) this.#openLog();
    return this.#listener !== undefined || this.#log?.isEnabled === true;
  }

  /** Many a wrapper is never called. */
  #openLog(): void {
    this.#isLogOpen = true;
    this.#log = openDebugLog(this.#name);
  }

  stats(): Stats {
    return { ...this.#counts };
  }

  /** A call was received. */
  received(type: Received, key: string): void {
    this.#count(type);
    if (this.isHeard) this.#tell({ type, name: this.#name, key });
    const calls = this.channels?.calls;
    if (calls?.hasSubscribers === true) publish(calls, { type, name: this.#name, key });
  }

  started(): void {
    this.#counts.runs += 1;
    this.#counts.inFlight += 1;
  }

  /** @param error Why, where the outcome is `rejected`. */
  ended(key: string, outcome: RunOutcome, duration: number, error?: unknown): void {
    this.#counts.inFlight -= 1;
    if (outcome === 'rejected') this.#counts.errors += 1;
    if (outcome === 'timeout') {
      this.#counts.timeouts += 1;
      if (this.isHeard) this.#tell({ type: 'timeout', name: this.#name, key });
    }
    if (!this.isHeard) return;
    const event = { type: 'run', name: this.#name, key, duration, outcome } as const;
    this.#tell(outcome === 'rejected' ? { ...event, error } : event);
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

  #tell(event: MemoizeEvent): void {
    const log = this.#log;
    if (log?.isEnabled === true) this.#write(log, event);
    const listener = this.#listener;
    if (listener === undefined) return;
    try {
      const answer = listener(event);
      if (isThenable(answer)) NativePromise.resolve(answer).catch((error: unknown) => this.#listenerFailed(error));
    } catch (error) {
      this.#listenerFailed(error);
    }
  }

  #write(log: DebugLog, event: MemoizeEvent): void {
    const { type, name: _name, key, ...details } = event;
    // Of a run that failed the log tells why, not where.
    const values = Object.values(details).map((value: unknown) =>
      type === 'run' && value instanceof Error ? String(value) : value,
    );
    this.#attempt(() => log.write(`%s %s${' %o'.repeat(values.length)}`, type, printable(key), ...values));
  }

  /** A listener that fails is told to the log; it must change no outcome. */
  #listenerFailed(error: unknown): void {
    this.#attempt(() => this.#log?.write('onEvent failed: %o', error));
  }

  /** A log that throws must change no outcome either, and cannot be reported anywhere. */
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
