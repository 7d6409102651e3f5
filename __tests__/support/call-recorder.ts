import type { MemoizeEvent } from '../../lib/events.js';
import type { StoreLike } from '../../lib/store/store-like.js';

/** A promise that a test settles when its time has come. */
export interface Deferred<V> {
  readonly promise: Promise<V>;
  resolve(value: V): void;
  reject(error: unknown): void;
}

export function deferred<V>(): Deferred<V> {
  let resolve!: (value: V) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<V>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/** What a function under test was given and what settles its runs, in the order of the runs. */
export interface Source<Args extends unknown[], V> {
  readonly fn: (...args: Args) => Promise<V>;
  readonly calls: Args[];
  readonly runs: Deferred<V>[];
}

/** A function whose runs settle when the test says so. */
export function createSource<Args extends unknown[] = [id: number], V = string>(): Source<Args, V> {
  const calls: Args[] = [];
  const runs: Deferred<V>[] = [];
  return {
    calls,
    runs,
    fn: (...args) => {
      const run = deferred<V>();
      calls.push(args);
      runs.push(run);
      return run.promise;
    },
  };
}

/** A listener for `onEvent` that keeps what it hears. */
export interface Listener {
  readonly onEvent: (event: MemoizeEvent) => void;
  readonly events: MemoizeEvent[];
  readonly types: () => string[];
  readonly of: <T extends MemoizeEvent['type']>(type: T) => Extract<MemoizeEvent, { type: T }>[];
}

export function listen(): Listener {
  const events: MemoizeEvent[] = [];
  return {
    events,
    onEvent: (event) => void events.push(event),
    types: () => events.map(({ type }) => type),
    of: <T extends MemoizeEvent['type']>(type: T) =>
      events.filter((event) => event.type === type) as Extract<MemoizeEvent, { type: T }>[],
  };
}

/** One operation that a store was asked for. */
export interface StoreCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Keeps every `get`, `set` and `delete` (`del`) of `store` from now on; each method keeps its `length`. */
export function recordStore(store: StoreLike): StoreCall[] {
  const calls: StoreCall[] = [];
  for (const method of ['get', 'set', 'delete', 'del']) {
    const original: unknown = Reflect.get(store, method);
    if (typeof original !== 'function') continue;
    const recorded = function (this: unknown, ...args: unknown[]): unknown {
      calls.push({ method, args });
      return Reflect.apply(original, this, args);
    };
    Object.defineProperty(recorded, 'length', { value: original.length });
    Object.defineProperty(store, method, { value: recorded, configurable: true, writable: true });
  }
  return calls;
}

/** How often `method` was asked for. */
export function count(calls: readonly StoreCall[], method: string): number {
  return calls.filter((call) => call.method === method).length;
}

/** Lets everything happen that needs no timer. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
