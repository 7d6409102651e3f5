import type { MemoizeOptions } from 'aiocachetools';
import type { RedisStoreOptions } from 'aiocachetools/redis';
import type { Library } from './redis-throughput.js';

/** How a worker's wrapper is made. */
export interface Setup {
  readonly socket: string;
  readonly client?: object;
  readonly store?: RedisStoreOptions;
  readonly options?: Omit<MemoizeOptions<(key: string, task: Task) => Promise<string>>, 'cache' | 'onEvent' | 'ttl'> & {
    readonly ttl?: number;
  };
  readonly isTiered?: boolean;
  /** Of `tiered`, in milliseconds. */
  readonly nearTtl?: number;
  /** Talk through a function, which cannot subscribe. */
  readonly isFunction?: boolean;
}

/** What a run does; no part of the key. Times in milliseconds. */
export interface Task {
  readonly takes?: number;
  /** Holds the event loop first. */
  readonly blocks?: number;
  readonly throws?: boolean;
  readonly padding?: number;
  /** The value ends with the moment when it was made. */
  readonly isTimed?: boolean;
}

/** What reaches the near stores of other processes. */
export type ChangeKind = 'delete' | 'clear' | 'prime' | 'refresh';

/** What a near store holds, and when the last entry went. */
export interface NearState {
  readonly size: number;
  readonly emptiedAt: number;
}

export type ToWorker = { readonly id: number } & (
  | { readonly do: 'set up'; readonly setup: Setup }
  | { readonly do: 'call'; readonly key: string; readonly task: Task; readonly callers: number }
  | { readonly do: 'call each'; readonly keys: readonly string[]; readonly task: Task; readonly callers: number }
  | { readonly do: 'peek' | 'delete' | 'lag'; readonly key: string }
  | { readonly do: 'change'; readonly how: ChangeKind; readonly key: string }
  | { readonly do: 'hit ratio'; readonly library: Library; readonly socket: string; readonly depth: number }
  | { readonly do: 'prime'; readonly key: string; readonly value: string }
  | { readonly do: 'refresh'; readonly key: string; readonly task: Task }
  | { readonly do: 'clear' | 'stats' | 'events' | 'settle' | 'hear' | 'near' | 'quit' }
);

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'run'; readonly key: string; readonly value: string }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: string }
  | { readonly type: 'unhandled'; readonly reason: string };
