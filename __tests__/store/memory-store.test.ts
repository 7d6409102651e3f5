import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { createEntry } from '../../lib/store/entry.js';
import { MemoryStore } from '../../lib/store/memory-store.js';
import { NullStore } from '../../lib/store/null-store.js';
import { NOT_FRESH } from '../../lib/store/result-store.js';
import { TagMarks } from '../../lib/store/tag-marks.js';
import type { MemoizeOptions, Store } from 'aiocachetools';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
});

afterEach(() => {
  jest.useRealTimers();
});

const results: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['0', 0],
  ['-0', -0],
  ["''", ''],
  ['NaN', NaN],
  ['false', false],
  ['a symbol', Symbol('result')],
  ['an object', { id: 7 }],
  ['an entry', createEntry({ value: 'other', ttl: 1 }, 0)],
  ['a function', () => 7],
];

const ttls: [string, MemoizeOptions['ttl']][] = [
  ['without an end', undefined],
  ['with an endless `ttl`', Infinity],
  ['with one `ttl` for all', 60_000],
  ['with a `ttl` of each', () => 60_000],
];

describe('memoizeAsync on its own store', () => {
  describe.each(ttls)('%s', (_, ttl) => {
    it.each(results)('keeps %s as it is', async (_name, result) => {
      const fn = memoizeAsync(async (_id: number) => result, { ttl });
      await fn(7);
      expect(await fn(7)).toBe(result);
      expect(await fn.peek(7)).toBe(result);
      expect(await fn.has(7)).toBe(true);
      expect(fn.stats()).toMatchObject({ runs: 1, hits: 1, misses: 1 });
    });

    it('primes, deletes and clears', async () => {
      const fn = memoizeAsync(async (id: number): Promise<unknown> => id, { ttl });
      await fn.prime([7], undefined);
      expect([await fn.has(7), await fn.peek(7), await fn(7)]).toEqual([true, undefined, undefined]);
      expect([await fn.delete(7), await fn.delete(7)]).toEqual([true, false]);
      await fn(8);
      await fn.clear();
      expect(await fn.has(8)).toBe(false);
    });
  });

  it.each([
    ['a number', 100],
    ['a function', () => 100],
    ['a fraction', 99.5],
  ])('counts a `ttl` that is %s from the moment the run settled', async (_, ttl) => {
    const fn = memoizeAsync(
      async (id: number) => {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return id;
      },
      { ttl },
    );
    const first = fn(7);
    await jest.advanceTimersByTimeAsync(5_000);
    await first;
    await jest.advanceTimersByTimeAsync(98);
    expect(await fn.has(7)).toBe(true);
    await jest.advanceTimersByTimeAsync(2);
    expect(await fn.has(7)).toBe(false);
  });

  it('shortens each `ttl` by `jitter`, and by no more', async () => {
    const random = jest.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.999);
    const fn = memoizeAsync(async (id: number) => id, { ttl: 1_000, jitter: 0.5 });
    await fn(1);
    await fn(2);
    random.mockRestore();
    await jest.advanceTimersByTimeAsync(499);
    expect([await fn.has(1), await fn.has(2)]).toEqual([true, true]);
    await jest.advanceTimersByTimeAsync(2);
    expect([await fn.has(1), await fn.has(2)]).toEqual([true, false]);
    await jest.advanceTimersByTimeAsync(499);
    expect(await fn.has(1)).toBe(false);
  });

  it('knows entries of now after the clock was set back or ahead', async () => {
    const fn = memoizeAsync(async (id: number) => id, { ttl: 60_000 });
    jest.setSystemTime(1_000);
    await fn(7);
    await fn(7);
    expect(fn.stats()).toMatchObject({ runs: 1, hits: 1 });
    jest.setSystemTime(1e12);
    await fn(7);
    await fn(7);
    expect(fn.stats()).toMatchObject({ runs: 2, hits: 2 });
  });

  it('keeps a thousand results at least, and not without end', async () => {
    const fn = memoizeAsync(async (id: number) => id);
    for (let id = 0; id < 10_000; id += 1) await fn(id);
    for (let id = 9_000; id < 10_000; id += 1) await fn(id);
    expect(fn.stats()).toMatchObject({ runs: 10_000, hits: 1_000 });
    const kept = [...((fn.cache as Store).keys!() as Iterable<string>)];
    expect(kept.length).toBeLessThanOrEqual(2_000);
  });

  it.each([1, 5, 3_000])('keeps `maxSize` results at least, and at most twice as many: %i', async (maxSize) => {
    const runs: number[] = [];
    const getUser = memoizeAsync(async (id: number) => runs.push(id), { maxSize });
    for (let id = 0; id < 3 * maxSize; id++) await getUser(id);
    runs.length = 0;
    for (let id = 3 * maxSize - 1; id >= 2 * maxSize; id--) await getUser(id);
    expect(runs).toEqual([]);
    for (let id = 0; id < maxSize; id++) await getUser(id);
    expect(runs).toHaveLength(maxSize);
  });

  it('shows its owner a store of entries', async () => {
    const fn = memoizeAsync(async (id: number) => `user ${id}`, { name: 'getUser', ttl: 60_000 });
    await fn(7);
    const store = fn.cache as Omit<Store<string>, 'keys'> & { keys(): Iterable<string> };
    expect([...store.keys()]).toEqual(['getUser|#7']);
    expect(store.get('getUser|#7')).toEqual(createEntry({ value: 'user 7', ttl: 60_000 }, 1_000_000));
    expect(store.get('getOrder|#7')).toBeUndefined();
    expect(store.get('#7')).toBeUndefined();

    store.set('getUser|#8', createEntry({ value: 'another', ttl: 10 }, 1_000_000));
    expect(await fn(8)).toBe('another');
    await jest.advanceTimersByTimeAsync(10);
    expect(await fn(8)).toBe('user 8');
    store.set('getOrder|#9', createEntry({ value: 'another', ttl: Infinity }, 1_000_000));
    store.set('getUser|#9', 'garbage' as never);
    expect(await fn.has(9)).toBe(false);

    expect([store.delete('getUser|#7'), store.delete('getUser|#7'), store.delete('getOrder|#8')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await fn.has(7)).toBe(false);
    expect(fn.stats().storeErrors).toBe(0);
  });

  it('shows an endless result as an entry without an end', async () => {
    const fn = memoizeAsync(async (): Promise<void> => {}, { name: 'fn' });
    await fn();
    const entry = (fn.cache as Store).get('fn|()');
    expect(entry).toEqual({ v: 1, value: undefined, storedAt: 1_000_000 });
    expect('freshUntil' in (entry as object)).toBe(false);
  });
});

describe('MemoryStore', () => {
  const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
  const freshIn = (store: MemoryStore<unknown>, ...keys: string[]) =>
    keys.map((key) => store.freshValue(store.get(key)));

  it('tells what is fresh from what has ended, and from none', () => {
    const store = new MemoryStore<unknown>(undefined, { windows, marks: new TagMarks() });
    store.write('endless', { value: 'Ada', ttl: Infinity });
    store.write('nothing', { value: undefined, ttl: Infinity });
    store.write('ending', { value: 'Ada', ttl: 60 });
    expect(freshIn(store, 'endless', 'nothing', 'ending', 'none')).toEqual(['Ada', undefined, 'Ada', NOT_FRESH]);
    expect(store.entryOf(store.get('ending'))).toMatchObject({ value: 'Ada', freshUntil: 1_000_060 });
    expect(store.entryOf(store.get('none'))).toBeUndefined();
    jest.setSystemTime(1_000_060);
    expect(freshIn(store, 'endless', 'nothing', 'ending')).toEqual(['Ada', undefined, NOT_FRESH]);
  });

  it('does the same where all results last equally long', () => {
    const store = new MemoryStore<unknown>(60, { windows, marks: new TagMarks() });
    store.write('a', { value: 'Ada', ttl: 60 });
    store.write('nothing', { value: undefined, ttl: 60 });
    expect(freshIn(store, 'a', 'nothing', 'none')).toEqual(['Ada', undefined, NOT_FRESH]);
    jest.setSystemTime(1_000_059);
    expect(freshIn(store, 'a', 'nothing')).toEqual(['Ada', undefined]);
    jest.setSystemTime(1_000_060);
    expect(freshIn(store, 'a', 'nothing')).toEqual([NOT_FRESH, NOT_FRESH]);
    // The clock was set back: by a second is nothing, by more the result comes from the future.
    jest.setSystemTime(999_000);
    expect(freshIn(store, 'a')).toEqual(['Ada']);
    jest.setSystemTime(998_999);
    expect(freshIn(store, 'a')).toEqual([NOT_FRESH]);
  });

  it('leaves the decision on an early refresh, and on tags, to those who know', () => {
    const marks = new TagMarks();
    const store = new MemoryStore<unknown>(undefined, { windows, marks });
    const begun = marks.latest;
    store.write('early', { value: 'Ada', ttl: 60, duration: 5 });
    store.write('tagged', { value: 'Ada', ttl: 60, tags: ['t'], begun });
    store.write('endless', { value: 'Ada', ttl: Infinity, tags: ['other'], begun });
    expect(freshIn(store, 'early', 'tagged', 'endless')).toEqual([NOT_FRESH, 'Ada', 'Ada']);
    marks.mark(['t']);
    expect(freshIn(store, 'tagged', 'endless')).toEqual([NOT_FRESH, NOT_FRESH]);
    expect(['tagged', 'endless'].map((key) => store.entryOf(store.get(key))?.value)).toEqual([undefined, 'Ada']);
  });

  it('serves nothing after `expire` where all results last equally long', async () => {
    const store = new MemoryStore<unknown>(60, { windows: { ...windows, staleIfError: 10 }, marks: new TagMarks() });
    store.write('a', { value: 'Ada', ttl: 60 });
    expect([await store.expire('a'), await store.expire('none')]).toEqual([true, false]);
    expect(freshIn(store, 'a')).toEqual([NOT_FRESH]);
    expect(store.entryOf(store.get('a'))).toMatchObject({ value: 'Ada', freshUntil: 1_000_000 });
  });
});

describe('NullStore', () => {
  it('keeps nothing', async () => {
    const store = new NullStore();
    expect(store.write()).toBeUndefined();
    expect(store.remove()).toBeUndefined();
    await store.prime();
    expect([store.get(), store.freshValue(), store.entryOf()]).toEqual([undefined, NOT_FRESH, undefined]);
    expect(await store.delete()).toBe(false);
    await store.clear();
  });
});
