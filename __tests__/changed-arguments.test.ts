import { describe, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { deferred, flush } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

interface Query {
  page: number;
  filter: { tags: string[] };
}

const queryOf = (page: number): Query => ({ page, filter: { tags: ['a'] } });

describe('arguments that the caller changes after the call', () => {
  it('count as they were, where the store answers later', async () => {
    const list = memoizeAsync(async (query: Query) => `page ${query.page}`, {
      name: 'list',
      cache: new FaultyStore('later'),
    });
    const query = queryOf(1);
    const calls: Promise<string>[] = [];
    for (query.page = 1; query.page <= 3; query.page += 1) calls.push(list(query));
    expect(await Promise.all(calls)).toEqual(['page 1', 'page 2', 'page 3']);
    await list.settled();
    expect(await Promise.all([1, 2, 3, 4].map((page) => list.peek(queryOf(page))))).toEqual([
      'page 1',
      'page 2',
      'page 3',
      undefined,
    ]);
  });

  it.each(['at once', 'later'] as const)('leave handles as they are, on a store that answers %s', async (when) => {
    const db = new (class Database {
      readonly name = 'db';
    })();
    const seen: unknown[] = [];
    const list = memoizeAsync(async (_query: Query, handle: object) => seen.push(handle), {
      name: 'list',
      cache: new FaultyStore(when),
      ignore: [1],
    });
    await list(queryOf(1), db);
    expect(seen[0]).toBe(db);
  });

  it('bring no result under the old key, where they change while `fn` runs', async () => {
    const gate = deferred<void>();
    const list = memoizeAsync(
      async (query: Query) => {
        await gate.promise;
        return `page ${query.page}`;
      },
      { name: 'list', ttl: 1_000, errorTtl: 1_000 },
    );
    const query = queryOf(1);
    const call = list(query);
    query.page = 4;
    gate.resolve();
    expect(await call).toBe('page 4');
    expect(await list.has(queryOf(1))).toBe(false);
    expect(await list.has(queryOf(4))).toBe(false);
    expect(list.stats()).toMatchObject({ discards: 1 });
  });

  it('remember no error under the old key', async () => {
    const gate = deferred<string>();
    const list = memoizeAsync(async (_query: Query) => gate.promise, { name: 'list', errorTtl: 1_000 });
    const query = queryOf(1);
    const call = list(query);
    query.filter.tags.push('b');
    gate.reject(new Error('down'));
    await expect(call).rejects.toThrow('down');
    const again = list(queryOf(1));
    expect(list.stats()).toMatchObject({ runs: 2 });
    await expect(again).rejects.toThrow('down');
  });

  it('may be completed by `fn` itself, which is no change by the caller', async () => {
    const list = memoizeAsync(
      async (query: { page?: number; size?: number }) => {
        query.size ??= 10;
        await flush();
        return query.size;
      },
      { name: 'list' },
    );
    expect(await list({ page: 1 })).toBe(10);
    expect(await list({ page: 1 })).toBe(10);
    expect(list.stats()).toMatchObject({ runs: 1, hits: 1, discards: 0 });
  });

  it('do not matter where `keyOf` says what identifies a call', async () => {
    const list = memoizeAsync(async (query: Query) => flush().then(() => query.page), {
      name: 'list',
      keyOf: ({ filter }) => filter.tags.length,
    });
    const query = queryOf(1);
    const call = list(query);
    query.filter.tags.push('b');
    await call;
    expect(await list.has(queryOf(9))).toBe(true);
  });

  it('reject the call where `encode` reads an instance that has changed before `fn` starts', async () => {
    class Id {
      constructor(public value: number) {}
    }
    const load = memoizeAsync(async (id: Id) => id.value, {
      name: 'load',
      cache: new FaultyStore('later'),
      encode: (value) => (value instanceof Id ? ['Id', value.value] : undefined),
    });
    const id = new Id(1);
    const call = load(id);
    id.value = 2;
    await expect(call).rejects.toThrow('load: an argument has changed between the call and the start of its run');
    expect(await load(new Id(1))).toBe(1);
  });

  it('do not undo a fence that a getter makes while they are compared', async () => {
    let reads = 0;
    const load = memoizeAsync(async (_query: object) => flush(), { name: 'load' });
    const query = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        reads += 1;
        if (reads === 4) void load.delete({ a: 1 });
        return 1;
      },
    });
    await load(query);
    if (reads >= 4) expect(await load.has({ a: 1 })).toBe(false);
    expect(reads).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['keyOf', { keyOf: async () => Promise.reject(new Error('mine')) }],
    ['encode', { encode: async () => Promise.reject(new Error('mine')) }],
  ])('end no process where `%s` is async and rejects', async (_, options) => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const load = memoizeAsync(async (_value: object) => 1, { name: 'load', ...options });
    await expect(load(new (class Other {})())).rejects.toThrow('cannot build a key');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
