import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import { deferred, flush } from './support/call-recorder.js';

afterEach(() => void jest.useRealTimers());

/** What `promise` comes to, if it does: a test that waited for ever would not say why. */
async function settledSoon<V>(promise: Promise<V>): Promise<V> {
  const hung = flush().then(() => Promise.reject(new Error('it waits still')));
  return Promise.race([promise, hung]);
}

describe('detectRecursion', () => {
  it('rejects a call that would wait for its own run, and names the way there', async () => {
    const fibonacci: (n: number) => Promise<number> = memoizeAsync(
      async (n: number) => (n < 2 ? fibonacci(5) : (await fibonacci(n - 1)) + n),
      { name: 'fibonacci', detectRecursion: true },
    );
    await expect(fibonacci(3)).rejects.toThrow(
      'fibonacci: this call would wait for itself, by way of #3 → #2 → #1 → #5 → #4 → #3',
    );
  });

  it('finds a cycle through another wrapper, in an asynchronous store', async () => {
    const entries = new Map();
    const cache = {
      get: async (key: string) => entries.get(key) as undefined,
      set: async (key: string, entry: unknown) => entries.set(key, entry),
      delete: async (key: string) => entries.delete(key),
    };
    const options = { cache, detectRecursion: true };
    const getUser: (id: number) => Promise<number> = memoizeAsync(async (id) => getTeam(id), {
      ...options,
      name: 'user',
    });
    const getTeam: (id: number) => Promise<number> = memoizeAsync(async (id) => getUser(id), {
      ...options,
      name: 'team',
    });
    await expect(getUser(7)).rejects.toThrow('user: this call would wait for itself, by way of #7 → #7');
    expect(entries.size).toBe(0);
  });

  it('rejects a call that finds nothing and would join the refresh that it is part of', async () => {
    const runs: number[] = [];
    const fn = memoizeAsync(
      async (id: number): Promise<number> => {
        runs.push(id);
        return fn(id);
      },
      { name: 'fn', detectRecursion: true },
    );
    await expect(fn.refresh(1)).rejects.toThrow('fn: this call would wait for itself, by way of #1 → #1');
    expect(runs).toEqual([1]);
    await fn.settled();
  });

  it('rejects a refresh that would join the one that it is part of', async () => {
    const fn = memoizeAsync(async (id: number): Promise<number> => fn.refresh(id), {
      name: 'fn',
      detectRecursion: true,
    });
    const error = 'fn: this call would wait for itself, by way of #1 → #1';
    await expect(settledSoon(fn.refresh(1))).rejects.toThrow(error);
    expect(fn.stats()).toMatchObject({ runs: 1, errors: 1, inFlight: 0 });
  });

  it('rejects a call that has an old value for errors and would follow the refresh that it is part of', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    let isFirst = true;
    const fn = memoizeAsync(
      async (id: number): Promise<number> => {
        if (!isFirst) return fn(id);
        isFirst = false;
        return id;
      },
      { name: 'fn', ttl: 10, staleIfError: 1_000, detectRecursion: true },
    );
    await fn(1);
    await jest.advanceTimersByTimeAsync(20);
    await expect(settledSoon(fn.refresh(1))).rejects.toThrow('fn: this call would wait for itself, by way of #1 → #1');
    expect(fn.stats().inFlight).toBe(0);
  });

  it('rejects a call that would join one that waits for its own run', async () => {
    const entries = new Map();
    const cache = {
      get: async (key: string) => entries.get(key) as undefined,
      set: async (key: string, entry: unknown) => entries.set(key, entry),
      delete: async (key: string) => entries.delete(key),
    };
    const ready = deferred<undefined>();
    const fn = memoizeAsync(
      async (id: number): Promise<number> => {
        await ready.promise;
        return fn(id);
      },
      { name: 'fn', cache, detectRecursion: true },
    );
    const outcomes = Promise.allSettled([fn.refresh(1), fn(1)]);
    await flush();
    ready.resolve(undefined);
    const error = new Error('fn: this call would wait for itself, by way of #1 → #1');
    await expect(settledSoon(outcomes)).resolves.toEqual(Array(2).fill({ status: 'rejected', reason: error }));
    expect(fn.stats()).toMatchObject({ runs: 1, joins: 2, inFlight: 0 });
  });

  it('lets calls pass that wait for nobody of their own', async () => {
    const double = memoizeAsync(async (n: number): Promise<number> => (n === 0 ? 0 : (await double(n - 1)) + 2), {
      detectRecursion: true,
    });
    expect(await Promise.all([double(10), double(5), double(10)])).toEqual([20, 10, 20]);
    expect(double.stats().runs).toBe(11);
  });
});
