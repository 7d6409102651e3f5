import { memoizeAsync } from 'aiocachetools';
import type { Entry, Memoized, MemoizeEvent, MemoizeOptions } from 'aiocachetools';

/** What callers ask for. */
export const topics = ['news', 'weather', 'prices'] as const;
export type Topic = (typeof topics)[number];

/** What a caller gets: the version says when it was made. */
export interface Report {
  readonly topic: Topic;
  readonly version: number;
}

/** How a call was received. */
export type Reception = 'hit' | 'stale' | 'join' | 'miss';

/** One run of the upstream. */
export interface Run {
  readonly topic: Topic;
  readonly startedAt: number;
  /** Refreshes an old value in the background; no caller waits for it. */
  readonly isBehind: boolean;
  /** `discarded`: everything was forgotten while it ran. */
  outcome: 'running' | 'fulfilled' | 'rejected' | 'aborted' | 'discarded';
  endedAt: number;
}

/** A signal is no part of the key. */
type Load = (topic: Topic, signal?: AbortSignal) => Promise<Report>;

/** Milliseconds that the upstream takes. */
export const latency = { healthy: 700, slow: 3_000 } as const;

/** The upstream, the memoized function before it, and all that happens there. */
export class World {
  readonly runs: Run[] = [];
  readonly upstream = { isSlow: false, isBroken: false };
  isMemoized = true;
  /** How often the upstream was asked. */
  requests = 0;
  #options: MemoizeOptions<Load> = {};
  #store = new Map<string, Entry<Report>>();
  #load: Memoized<Load>;
  #version = 0;
  #received: Reception = 'miss';
  readonly #onEvent: (event: MemoizeEvent) => void;

  constructor(onEvent: (event: MemoizeEvent) => void) {
    this.#onEvent = onEvent;
    this.#load = this.#memoize();
  }

  /** Other options from now on; entries stay, for the name does. */
  configure(options: MemoizeOptions<Load>): void {
    this.#options = options;
    this.#load = this.#memoize();
  }

  /** One call, and how it was received. */
  call(topic: Topic, signal: AbortSignal | undefined): { reception: Reception; report: Promise<Report> } {
    this.#received = 'miss';
    const get: Load = this.isMemoized ? this.#load : (...args) => this.#ask(...args);
    const report = signal === undefined ? get(topic) : get(topic, signal);
    return { reception: this.#received, report };
  }

  /** Runs that ended long ago are not drawn any more. */
  forgetRuns(before: number): void {
    while (this.runs.length > 0 && this.runs[0]!.endedAt < before) this.runs.shift();
  }

  entryOf(topic: Topic): Entry<Report> | undefined {
    return this.#store.get(`reports|${this.#load.keyOf(topic)}`);
  }

  forget(topic: Topic): Promise<boolean> {
    return this.#load.delete(topic);
  }

  forgetEverything(): Promise<void> {
    return this.#load.clear();
  }

  #memoize(): Memoized<Load> {
    const onEvent = (event: MemoizeEvent): void => {
      const { type } = event;
      if (type === 'hit' || type === 'stale' || type === 'join' || type === 'miss') this.#received = type;
      if (type === 'discard') this.#discard(event.key);
      this.#onEvent(event);
    };
    const load: Load = (...args) => this.#ask(...args);
    return memoizeAsync(load, { ...this.#options, cache: this.#store, name: 'reports', onEvent });
  }

  /** The key of a lone word is the word. */
  #discard(key: string): void {
    const run = this.runs.findLast(({ topic, outcome }) => topic === key && outcome === 'fulfilled');
    if (run !== undefined) run.outcome = 'discarded';
  }

  async #ask(topic: Topic, signal?: AbortSignal): Promise<Report> {
    const isBehind = this.isMemoized && this.#received === 'stale';
    const run: Run = { topic, startedAt: performance.now(), isBehind, outcome: 'running', endedAt: Infinity };
    this.runs.push(run);
    this.requests += 1;
    try {
      await pause(this.upstream.isSlow ? latency.slow : latency.healthy, signal);
      if (this.upstream.isBroken) throw new Error('503 from the upstream');
      run.outcome = 'fulfilled';
      this.#version += 1;
      return { topic, version: this.#version };
    } catch (error) {
      run.outcome = signal?.aborted === true ? 'aborted' : 'rejected';
      throw error;
    } finally {
      run.endedAt = performance.now();
    }
  }
}

function pause(duration: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, duration);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
