import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LRUCache } from 'lru-cache';
import { memoizeAsync, tiered } from 'aiocachetools';
import { FaultyStore } from '../support/faulty-store.js';
import type { MemoizeEvent, MemoizeOptions } from 'aiocachetools';
import type { AnnouncingStore, Change, Entry, Grant, SharedStore, WatchedStore } from '../../lib/store/store.js';

describe('tiered over a store that knows nothing of processes', () => {
  let far: FaultyStore;
  let runs: number;
  let errors: string[];

  beforeEach(() => {
    jest.useFakeTimers({ now: 1_000 });
    far = new FaultyStore();
    runs = 0;
    errors = [];
  });

  afterEach(() => void jest.useRealTimers());

  function open(
    options: Pick<MemoizeOptions, 'storeTimeout'> = {},
    nearTtl?: number,
    near: object = new Map<string, Entry<unknown>>(),
  ) {
    const onEvent = (event: MemoizeEvent): void => {
      if (event.type === 'store-error') errors.push(`${event.operation}: ${(event.error as Error).message}`);
    };
    const cache = tiered(near as Map<string, never>, far, { nearTtl });
    return memoizeAsync(async (id: number) => `${id}, run ${(runs += 1)}`, { name: 'f', cache, onEvent, ...options });
  }

  const breakDown = (fault: 'rejects' | 'throws' | 'hangs'): void => {
    for (const operation of ['get', 'set', 'delete', 'keys'] as const) far.faults[operation] = fault;
  };
  const after = async <T>(milliseconds: number, promise: Promise<T>): Promise<T> => {
    void promise.catch(() => undefined);
    await jest.advanceTimersByTimeAsync(milliseconds);
    return promise;
  };

  it.each(['rejects', 'throws', 'hangs'] as const)('runs once for a key and `nearTtl` while far %s', async (fault) => {
    const f = open({}, 5_000);
    breakDown(fault);
    for (let second = 0; second < 20; second += 1) {
      const answers = [f(1), f(1)];
      await after(1_000, Promise.all(answers));
    }
    expect(runs).toBeLessThanOrEqual(4);
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('never writes far later what was kept in the outage', async () => {
    const f = open({}, 5_000);
    breakDown('rejects');
    await f(1);
    await f.settled();
    for (const operation of ['get', 'set', 'delete', 'keys'] as const) far.faults[operation] = undefined;
    expect(await f(1)).toBe('1, run 1');
    await jest.advanceTimersByTimeAsync(5_000);
    expect(far.entries.size).toBe(0);
    expect(await f(1)).toBe('1, run 2');
    await f.settled();
    expect(far.entries.size).toBe(1);
  });

  it('answers an old value inside `staleIfError` while far and `fn` fail', async () => {
    let isDown = false;
    const cache = tiered(new Map<string, never>(), far, { nearTtl: 1_000 });
    const fn = async (id: number): Promise<string> => {
      if (isDown) throw new Error('upstream');
      return `value ${id}`;
    };
    const f = memoizeAsync(fn, { name: 'f', cache, ttl: 10_000, staleIfError: 60_000 });
    await f(1);
    await f.settled();
    breakDown('rejects');
    isDown = true;
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await f(1)).toBe('value 1');
    await jest.advanceTimersByTimeAsync(32_000);
    await expect(f(1)).rejects.toThrow('upstream');
  });

  it('bypasses near with `nearTtl: 0`', async () => {
    const f = open({}, 0);
    breakDown('rejects');
    for (let call = 0; call < 3; call += 1) {
      await f(1);
      await f.settled();
    }
    expect(runs).toBe(3);
  });

  it.each(['delete', 'clear'] as const)('does not read what a failed %s should have removed', async (control) => {
    const f = open();
    await f(1);
    await f.settled();
    breakDown('rejects');
    await expect(f[control](1)).rejects.toThrow();
    for (const operation of ['get', 'set', 'delete', 'keys'] as const) far.faults[operation] = undefined;
    expect([...far.entries.keys()]).toEqual(['f|#1']);
    await jest.advanceTimersByTimeAsync(1);
    expect(await f.has(1)).toBe(false);
    expect(await f(1)).toBe('1, run 2');
    await f.settled();
    expect(await f(1)).toBe('1, run 2');
  });

  it('spares a far store that hangs: after five reads and writes it is asked once a second', async () => {
    const f = open({ storeTimeout: 100 });
    breakDown('hangs');
    for (let id = 0; id < 20; id += 1) await after(300, f(id));
    expect(runs).toBe(20);
    expect(far.calls.length).toBeLessThan(12);
    await jest.advanceTimersByTimeAsync(1_000);
    const asked = far.calls.length;
    // No caller waits for the probe: no timer is put forward.
    await f(20);
    expect(far.calls.slice(asked).map(({ method }) => method)).toEqual(['get']);
  });

  it('says once that the near store takes no entries', async () => {
    const near = new LRUCache<string, object>({
      maxSize: 10,
      sizeCalculation: (entry) => (entry as { size: number }).size,
    });
    const f = open({}, undefined, near);
    for (let id = 0; id < 3; id += 1) {
      await f(id);
      await f.settled();
    }
    expect(errors).toEqual(['set: The near store does not take entries. They are in the far store only']);
    expect(far.entries.size).toBe(3);
    expect(await f(0)).toBe('0, run 1');
  });
});

describe('tiered over a store that tells of changes', () => {
  /** The near store, a far one that holds nothing, and what makes the near one hear. */
  function open() {
    let hear!: (change: Change) => void;
    const grant: Grant<string> = {
      lost: new AbortController().signal,
      begun: 5,
      commit: async () => 'stored',
      release: () => undefined,
    };
    const far: WatchedStore<string> & AnnouncingStore<string> = {
      get: async () => undefined,
      set: async () => undefined,
      delete: async () => true,
      deleteByPrefix: async () => undefined,
      acquire: async () => ({ grant }),
      begin: async () => grant,
      announcedAs: (key) => ({ namespace: '', hash: key }),
      watch: (listener) => {
        hear = listener;
        return far;
      },
    };
    const store = tiered<string>(new Map<string, Entry<string>>(), far);
    hear({ type: 'back' });
    return { store, hear };
  }

  async function grantOf(store: SharedStore<string>): Promise<Grant<string>> {
    const acquired = await store.acquire('a', { timeout: 1_000 });
    if (!('grant' in acquired)) throw new Error('Expected a grant');
    return acquired.grant;
  }

  const tagged = { v: 1, value: 'x', storedAt: 0, tags: ['t'], begun: 5 } as const;

  it('keeps near what it has stored far', async () => {
    const { store } = open();
    await (await grantOf(store)).commit(tagged, undefined);
    expect(await store.get('a')).toMatchObject({ value: 'x' });
  });

  it('keeps nothing near whose tags may have been invalidated while it could not hear', async () => {
    const { store, hear } = open();
    const grant = await grantOf(store);
    hear({ type: 'lost' });
    hear({ type: 'back' });
    await grant.commit(tagged, undefined);
    expect(await store.get('a')).toBeUndefined();
    // Without tags a run from before an invalidation is refused by the far store.
    await grant.commit({ v: 1, value: 'x', storedAt: 0 }, undefined);
    expect(await store.get('a')).toMatchObject({ value: 'x' });
  });
});
