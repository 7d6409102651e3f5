import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Memoized, MemoizeOptions, Store } from '../lib/index.js';
import { flush, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

type Load = (id: number) => Promise<string>;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

/** A loader that fails for as long as `isDown`. */
function rig(answers: 'at once' | 'later', options: MemoizeOptions<Load> = {}) {
  const upstream = { isDown: true, runs: 0 };
  const store = new FaultyStore(answers);
  const heard = listen();
  const load: Memoized<Load> = memoizeAsync<Load>(
    async (id) => {
      upstream.runs += 1;
      if (upstream.isDown) throw new Error(`down ${upstream.runs}`);
      return `value of ${id}`;
    },
    { name: 'load', cache: store as Store<string>, errorTtl: 100, onEvent: heard.onEvent, ...options },
  );
  return { load, store, upstream, heard };
}

describe.each(['at once', 'later'] as const)('errorTtl, on a store that answers %s', (answers) => {
  it('gives the same error without a run until its time is up', async () => {
    const { load, store, upstream, heard } = rig(answers);
    const first: unknown = await load(1).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(99);
    expect(await load(1).catch((error: unknown) => error)).toBe(first);
    expect(upstream.runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    await expect(load(1)).rejects.toThrow('down 2');
    expect(heard.types()).toEqual(['miss', 'run', 'hit', 'miss', 'run']);
    expect(load.stats()).toMatchObject({ hits: 1, misses: 2, errors: 2 });
    expect(store.calls.every(({ method }) => method === 'get')).toBe(true);
    expect(await load.has(1)).toBe(false);
  });

  it('keeps other keys apart', async () => {
    const { load, upstream } = rig(answers);
    await expect(load(1)).rejects.toThrow('down 1');
    upstream.isDown = false;
    await expect(load(2)).resolves.toBe('value of 2');
    await expect(load(1)).rejects.toThrow('down 1');
  });

  it.each([
    ['delete', (load: Memoized<Load>) => load.delete(1)],
    ['clear', (load: Memoized<Load>) => load.clear()],
  ])('forgets at a %s', async (_name, forget) => {
    const { load, upstream } = rig(answers);
    await expect(load(1)).rejects.toThrow('down 1');
    upstream.isDown = false;
    await forget(load);
    await expect(load(1)).resolves.toBe('value of 1');
  });

  it('forgets at a prime, for good', async () => {
    const { load } = rig(answers, { ttl: 10 });
    await expect(load(1)).rejects.toThrow('down 1');
    await load.prime([1], 'primed');
    await expect(load(1)).resolves.toBe('primed');
    await jest.advanceTimersByTimeAsync(10);
    await expect(load(1)).rejects.toThrow('down 2');
  });

  it('forgets at a refresh that succeeds, and not at one that fails', async () => {
    const { load, upstream } = rig(answers, { ttl: 10 });
    await expect(load(1)).rejects.toThrow('down 1');
    await expect(load.refresh(1)).rejects.toThrow('down 2');
    await expect(load(1)).rejects.toThrow('down 2');
    upstream.isDown = false;
    await expect(load.refresh(1)).resolves.toBe('value of 1');
    await jest.advanceTimersByTimeAsync(10);
    await expect(load(1)).resolves.toBe('value of 1');
    expect(upstream.runs).toBe(4);
  });

  it('has the old value answer inside either stale window, and nothing runs', async () => {
    const { load, upstream, heard } = rig(answers, { ttl: 10, staleWhileRevalidate: 20, staleIfError: 60 });
    upstream.isDown = false;
    await load(1);
    upstream.isDown = true;
    await jest.advanceTimersByTimeAsync(10);
    await expect(load(1)).resolves.toBe('value of 1');
    await flush();
    await expect(load(1)).resolves.toBe('value of 1');
    await jest.advanceTimersByTimeAsync(30);
    await expect(load(1)).resolves.toBe('value of 1');
    expect(upstream.runs).toBe(2);
    await jest.advanceTimersByTimeAsync(30);
    await expect(load(1)).rejects.toThrow('down 2');
    await jest.advanceTimersByTimeAsync(50);
    await expect(load(1)).rejects.toThrow('down 3');
    expect(heard.types()).toEqual(['miss', 'run', 'stale', 'run', 'stale', 'stale', 'hit', 'miss', 'run']);
  });

  it('asks a function for each error, with the arguments', async () => {
    const asked: unknown[][] = [];
    const { load, upstream } = rig(answers, {
      errorTtl: (error, id) => {
        asked.push([(error as Error).message, id]);
        return id === 1 ? Infinity : 0;
      },
    });
    await expect(load(1)).rejects.toThrow('down 1');
    await jest.advanceTimersByTimeAsync(2 ** 40);
    await expect(load(1)).rejects.toThrow('down 1');
    await expect(load(2)).rejects.toThrow('down 2');
    await expect(load(2)).rejects.toThrow('down 3');
    expect(asked).toEqual([
      ['down 1', 1],
      ['down 2', 2],
      ['down 3', 2],
    ]);
    expect(upstream.runs).toBe(3);
  });

  it.each([
    ['NaN', () => NaN],
    ['a string', () => '5' as unknown as number],
    [
      'an error',
      () => {
        throw new Error('no ttl');
      },
    ],
  ])('remembers nothing where the function gives %s', async (_what, errorTtl) => {
    const { load, heard } = rig(answers, { errorTtl });
    await expect(load(1)).rejects.toThrow('down 1');
    await expect(load(1)).rejects.toThrow('down 2');
    expect(heard.of('store-error')).toHaveLength(2);
  });

  it('does not remember the error of a run that a fence came after', async () => {
    const { load, upstream } = rig(answers);
    const call = load(1).catch((error: Error) => error.message);
    await load.delete(1);
    const after = load(1).catch((error: Error) => error.message);
    expect(await Promise.all([call, after])).toHaveLength(2);
    upstream.isDown = false;
    await load.delete(1);
    await expect(load(1)).resolves.toBe('value of 1');
  });

  it('remembers at most 1,000, and the newest of them', async () => {
    const { load, upstream } = rig(answers, { errorTtl: Infinity });
    for (let id = 0; id < 1_005; id += 1) await load(id).catch(() => undefined);
    await load(5).catch(() => undefined);
    expect(upstream.runs).toBe(1_005);
    await load(4).catch(() => undefined);
    expect(upstream.runs).toBe(1_006);
    // One more was remembered, so the oldest of the rest is gone.
    await load(5).catch(() => undefined);
    expect(upstream.runs).toBe(1_007);
  });
});

describe('errorTtl without a store', () => {
  it('remembers', async () => {
    let runs = 0;
    const load = memoizeAsync(
      async (_id: number) => {
        runs += 1;
        throw new Error('down');
      },
      { cache: null, errorTtl: 100 },
    );
    await load(1).catch(() => undefined);
    await load(1).catch(() => undefined);
    expect(runs).toBe(1);
  });
});
