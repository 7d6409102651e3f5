// Compiled with `lib: ES2022` and `types: []` by every supported TypeScript: no name of the DOM, Node or a dependency.
import {
  createMemoizer,
  memoizeAsync,
  memoizeMethods,
  perInstance,
  tiered,
  TimeoutError,
  UnkeyableArgumentError,
} from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import type { Entry, MemoizeEvent, Memoized, MemoizeOptions, Stats, Store } from 'aiocachetools';

export interface User {
  readonly id: number;
  readonly name: string;
}

interface Database {
  user(id: number): Promise<User>;
}

export const getUser = memoizeAsync(async (id: number, db: Database): Promise<User> => db.user(id), {
  ignore: [1],
  ttl: (user) => user.id,
  keyOf: undefined,
  onEvent: (event: MemoizeEvent) => event.type === 'store-error' && event.operation,
});
export const user: Promise<User> = getUser(7, { user: async (id) => ({ id, name: 'Ada' }) });
export const known: Promise<boolean> = getUser.has(7);
export const forgotten: Promise<boolean> = getUser.delete(7);
export const stats: Stats = getUser.stats();
export const peeked: Promise<User | undefined> = getUser.peek(7);

export const later: (n: number) => Promise<string> = memoizeAsync((n: number) => String(n));
export const inPipe = memoizeAsync({ ttl: 60_000, name: 'inPipe' });
export const piped: Memoized<(id: number) => Promise<number>> = inPipe(async (id: number) => id + 1);

class Memory<V> implements Store<V> {
  readonly #entries = new Map<string, Entry<V>>();
  get(key: string): Entry<V> | undefined {
    return this.#entries.get(key);
  }
  set(key: string, entry: Entry<V>, _ttl?: number): void {
    this.#entries.set(key, entry);
  }
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }
}
export const options: MemoizeOptions<(id: number) => Promise<number>> = { cache: new Memory<number>() };
export const perReceiver = memoizeAsync(
  async function (this: { readonly factor: number }, n: number) {
    return this.factor * n;
  },
  { name: 'scale', cache: perInstance(() => new Map()) },
);

export const shared = redisStore((args: readonly string[]): Promise<unknown> => Promise.resolve(args.length));
export const sharedUser = memoizeAsync(async (id: number): Promise<User> => ({ id, name: 'Ada' }), {
  name: 'sharedUser',
  cache: tiered(new Map(), shared),
});

export const memoize = createMemoizer({ name: 'users', ttl: 60_000 });
export const getName = memoize(async (id: number): Promise<string> => String(id), { name: 'getName' });
export const client = memoizeMethods(
  { getUser: async (id: number): Promise<User> => ({ id, name: 'Ada' }) },
  { getUser: {} },
);
export const cleared: Promise<void> = memoize.clear();

export function explain(error: unknown): string {
  if (error instanceof UnkeyableArgumentError) return `${error.argument}${error.path}`;
  return error instanceof TimeoutError ? `${error.timeout} ms` : String(error);
}

// @ts-expect-error there is no third argument to ignore
memoizeAsync(async (id: number, db: Database): Promise<User> => db.user(id), { ignore: [2] });
// @ts-expect-error a user is not found by a name
getUser('Ada', { user: async (id) => ({ id, name: 'Ada' }) });
