import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import type { Entry } from 'aiocachetools';

/** Keeps this process busy for so many milliseconds. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** Something that comes from outside, as an answer in a socket does. */
const answer = (): Promise<unknown> => readFile('package.json');

function remoteStore() {
  const entries = new Map<string, Entry<unknown>>();
  return {
    get: async (key: string) => {
      await answer();
      return entries.get(key);
    },
    set: (key: string, entry: Entry<unknown>) => entries.set(key, entry),
    delete: (key: string) => entries.delete(key),
  };
}

describe('while this process is busy', () => {
  it('a store that has answered is not slow: hits stay hits', async () => {
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: remoteStore(), storeTimeout: 30 });
    await Promise.all([1, 2, 3, 4, 5].map((id) => load.prime([id], id)));
    const calls = [1, 2, 3, 4, 5].map((id) => load(id));
    block(150);
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5]);
    expect(load.stats()).toMatchObject({ hits: 5, runs: 0, storeErrors: 0 });
  });

  it('a result that has arrived is in time', async () => {
    const load = memoizeAsync(async (id: number) => answer().then(() => id), { name: 'load', timeout: 30 });
    const call = load(7);
    block(150);
    expect(await call).toBe(7);
    expect(load.stats()).toMatchObject({ timeouts: 0 });
  });

  it('the old value is not served in place of a result that has arrived', async () => {
    const load = memoizeAsync(async (id: number) => answer().then(() => `new ${id}`), {
      name: 'load',
      ttl: 0,
      staleIfError: 60_000,
      softTimeout: 30,
    });
    await load.prime([7], 'old');
    const call = load(7);
    block(150);
    expect(await call).toBe('new 7');
    expect(load.stats()).toMatchObject({ fallbacks: 0 });
  });

  it('a store and a function that hang are still at their limits', async () => {
    const hangs = (): Promise<never> => new Promise(() => undefined);
    // No timer of the library keeps a process alive.
    const alive = setInterval(() => undefined, 1_000);
    const store = { get: hangs, set: () => undefined, delete: () => undefined };
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: store, storeTimeout: 30 });
    const slow = memoizeAsync(hangs, { name: 'slow', timeout: 30 });
    const calls = [load(7), expect(slow()).rejects.toThrow(TimeoutError)] as const;
    block(150);
    expect(await calls[0]).toBe(7);
    await calls[1];
    clearInterval(alive);
  });
});
