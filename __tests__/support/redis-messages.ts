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
  /** Results have the tags of `tagsOf`. */
  readonly isTagged?: boolean;
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

/** What the store of a wrapper answers, near or far: a value, and whether its `ttl` has not ended. */
export interface Stored {
  readonly value: string;
  readonly isFresh: boolean;
}

/** The tags of a result: one of its key, and one by its last number, which keys share that differ in the last letter only. */
export function tagsOf(key: string, value: string): string[] {
  const isOdd = Number(/(\d+)\)?$/u.exec(value)?.[1]) % 2 === 1;
  return [`key ${key}`, parityTag(key, isOdd)];
}

/** All tags that results of `key` may have. */
export function possibleTags(key: string): string[] {
  return [`key ${key}`, parityTag(key, true), parityTag(key, false)];
}

/** With all that has a meaning where tags are written. */
function parityTag(key: string, isOdd: boolean): string {
  return `#${key.slice(0, -1)}, ${isOdd ? 'odd' : 'gerade'} é%*{}`;
}

export type ToWorker = { readonly id: number } & (
  | { readonly do: 'set up'; readonly setup: Setup }
  | { readonly do: 'call'; readonly key: string; readonly task: Task; readonly callers: number }
  | { readonly do: 'call each'; readonly keys: readonly string[]; readonly task: Task; readonly callers: number }
  | { readonly do: 'peek' | 'delete' | 'expire' | 'read' | 'lag'; readonly key: string }
  | { readonly do: 'invalidate tags'; readonly tags: readonly string[]; readonly isSoft: boolean }
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
