import { answersErrors, freshnessOf, isDueEarly, lifetimeOf } from '../lib/store/freshness.js';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import { createEntry, isEntry } from '../lib/store/entry.js';
import type { Entry, Memoized, MemoizeOptions, Store } from '../lib/index.js';
import { deferred, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

type Load = (id: number) => Promise<string>;

const START = 1_000_000;
const BEYOND = 2 ** 31 + 1_000;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: START }));
afterEach(() => void jest.useRealTimers());

function rig(options: MemoizeOptions<Load> = {}, entry?: object) {
  let runs = 0;
  const store = new FaultyStore('at once');
  const heard = listen();
  const load: Memoized<Load> = memoizeAsync<Load>(async () => `run ${++runs}`, {
    name: 'load',
    cache: store as Store<string>,
    onEvent: heard.onEvent,
    ...options,
  });
  if (entry !== undefined) store.entries.set(`load|${load.keyOf(1)}`, entry as Entry<unknown>);
  return { load, store, heard, runs: () => runs };
}

describe('time', () => {
  it.each(['ttl', 'staleWhileRevalidate', 'staleIfError'] as const)('takes a %s beyond 2^31 ms', async (window) => {
    const { load, runs } = rig({ ttl: 10, [window]: BEYOND });
    await load(1);
    await jest.advanceTimersByTimeAsync(BEYOND - 1);
    expect(await load.has(1)).toBe(true);
    await jest.advanceTimersByTimeAsync(11);
    expect(await load.has(1)).toBe(false);
    await load(1);
    expect(runs()).toBe(2);
  });

  it.each(['timeout', 'softTimeout', 'storeTimeout'] as const)('takes a %s beyond 2^31 ms', async (limit) => {
    const run = deferred<string>();
    const store = new FaultyStore('later');
    const load = memoizeAsync<Load>(() => run.promise, {
      name: 'load',
      cache: store as Store<string>,
      ttl: 10,
      staleIfError: 2 * BEYOND,
      [limit]: BEYOND,
    });
    store.entries.set(`load|${load.keyOf(1)}`, { v: 1, value: 'old', storedAt: START - 20, freshUntil: START - 10 });
    if (limit === 'storeTimeout') store.faults.get = 'hangs';
    let outcome: unknown = 'pending';
    void load(1).then(
      (value) => (outcome = value),
      (error: unknown) => (outcome = error),
    );
    await jest.advanceTimersByTimeAsync(BEYOND - 1);
    expect(outcome).toBe('pending');
    await jest.advanceTimersByTimeAsync(1);
    if (limit === 'storeTimeout') run.resolve('new');
    await jest.advanceTimersByTimeAsync(1);
    expect(outcome).toBe(limit === 'storeTimeout' ? 'new' : 'old');
  });

  it('takes Infinity everywhere', async () => {
    const forever = { staleWhileRevalidate: Infinity, staleIfError: Infinity, errorTtl: Infinity };
    const { load, runs } = rig({
      ttl: 10,
      timeout: Infinity,
      softTimeout: Infinity,
      storeTimeout: Infinity,
      ...forever,
    });
    await load(1);
    await jest.advanceTimersByTimeAsync(2 ** 45);
    await expect(load(1)).resolves.toBe('run 1');
    await load.settled();
    expect(runs()).toBe(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('takes a clock that jumps back: a little is forgiven, more makes entries old', async () => {
    const { load, runs } = rig({ ttl: 60_000 });
    await load(1);
    jest.setSystemTime(START - 1_000);
    await expect(load(1)).resolves.toBe('run 1');
    jest.setSystemTime(START - 1_001);
    await expect(load(1)).resolves.toBe('run 2');
    expect(runs()).toBe(2);
  });

  it('takes a clock that jumps back for remembered errors: they end when they would have', async () => {
    const load = memoizeAsync<Load>(() => Promise.reject(new Error('down')), { errorTtl: 100 });
    await load(1).catch(() => undefined);
    jest.setSystemTime(START - 1_000_000);
    await load(1).catch(() => undefined);
    expect(load.stats().runs).toBe(1);
    jest.setSystemTime(START + 100);
    await load(1).catch(() => undefined);
    expect(load.stats().runs).toBe(2);
  });

  it.each([
    ['an entry from the future', { v: 1, value: 'x', storedAt: START + 1_001, freshUntil: START + 9_999 }, false],
    ['another version', { v: 2, value: 'x', storedAt: START }, true],
    ['no version', { value: 'x', storedAt: START }, true],
    ['storedAt NaN', { v: 1, value: 'x', storedAt: NaN }, true],
    ['storedAt Infinity', { v: 1, value: 'x', storedAt: Infinity }, true],
    ['no storedAt', { v: 1, value: 'x' }, true],
    ['freshUntil NaN', { v: 1, value: 'x', storedAt: START, freshUntil: NaN }, true],
    ['freshUntil null', { v: 1, value: 'x', storedAt: START, freshUntil: null }, true],
    ['freshUntil in words', { v: 1, value: 'x', storedAt: START, freshUntil: 'tomorrow' }, true],
    ['duration NaN', { v: 1, value: 'x', storedAt: START, duration: NaN }, true],
    ['duration -1', { v: 1, value: 'x', storedAt: START, duration: -1 }, true],
    ['a bare string', 'x', true],
    ['a number', 7, true],
  ])('takes %s for a miss', async (_what, entry, isReported) => {
    const { load, heard } = rig({ ttl: 1_000, staleWhileRevalidate: 500, staleIfError: 500 }, entry as object);
    await expect(load(1)).resolves.toBe('run 1');
    expect(heard.types()).toEqual(isReported ? ['store-error', 'miss', 'run'] : ['miss', 'run']);
  });

  it.each([
    ['the moment before its end', 1, 'fresh'],
    ['its end', 0, 'stale'],
  ])('counts an entry at %s as %s', (_when, left, freshness) => {
    const entry = createEntry({ value: 'x', ttl: 100 }, START);
    expect(freshnessOf(entry, START + 100 - Number(left), { staleWhileRevalidate: 1, staleIfError: 0 })).toBe(
      freshness,
    );
  });

  it('decides from entry, clock and windows alone', () => {
    const entry = createEntry({ value: 'x', ttl: 100 }, 0);
    const windows = { staleWhileRevalidate: 10, staleIfError: 20 };
    const worth = [-1_001, -1_000, 0, 99, 100, 109, 110, 119, 120].map((now) => freshnessOf(entry, now, windows));
    expect(worth).toEqual(['expired', 'fresh', 'fresh', 'fresh', 'stale', 'stale', 'fallback', 'fallback', 'expired']);
    const allowed = [-1_001, -1_000, 99, 119, 120].map((now) => answersErrors(entry, now, windows));
    expect(allowed).toEqual([false, true, true, true, false]);
    expect(freshnessOf(entry, 105, { staleWhileRevalidate: 0, staleIfError: 20 })).toBe('fallback');
    const endless = createEntry({ value: 'x', ttl: Infinity }, 5_000);
    expect(endless).toEqual({ v: 1, value: 'x', storedAt: 5_000 });
    expect(freshnessOf(endless, 0, windows)).toBe('fresh');
    expect(answersErrors(endless, 0, windows)).toBe(true);
  });

  it('writes into an entry what a later process needs, and no more', () => {
    expect(createEntry({ value: 'x', ttl: 10 }, 5)).toEqual({ v: 1, value: 'x', storedAt: 5, freshUntil: 15 });
    expect(createEntry({ value: 'x', ttl: 10, duration: 3 }, 5)).toEqual({
      v: 1,
      value: 'x',
      storedAt: 5,
      freshUntil: 15,
      duration: 3,
    });
    expect(Object.keys(createEntry({ value: 'x', ttl: 10 }, 5))).not.toContain('duration');
    expect(createEntry({ value: 'x', ttl: Infinity, duration: 3 }, 5)).toEqual({ v: 1, value: 'x', storedAt: 5 });
  });

  it('hints a lifetime in whole milliseconds, or none', () => {
    expect(lifetimeOf(10.2, { staleWhileRevalidate: 5, staleIfError: 7 })).toBe(18);
    expect(lifetimeOf(10, { staleWhileRevalidate: 8, staleIfError: 7 })).toBe(18);
    expect(lifetimeOf(Infinity, { staleWhileRevalidate: 0, staleIfError: 0 })).toBeUndefined();
    expect(lifetimeOf(10, { staleWhileRevalidate: 0, staleIfError: Infinity })).toBeUndefined();
  });

  it('is due early by the formula, and never without a duration or an end', () => {
    const entry = createEntry({ value: 'x', ttl: 100, duration: 10 }, 0);
    // -10 * 2 * ln(e^-3) = 60.
    expect(isDueEarly(entry, 39, 2, Math.exp(-3))).toBe(false);
    expect(isDueEarly(entry, 41, 2, Math.exp(-3))).toBe(true);
    expect(isDueEarly(entry, 0, 2, 0)).toBe(true);
    expect(isDueEarly(createEntry({ value: 'x', ttl: 100, duration: 0 }, 0), 99, 2, 0)).toBe(false);
    expect(isDueEarly(createEntry({ value: 'x', ttl: 100 }, 0), 99, 2, 0)).toBe(false);
    expect(isDueEarly({ v: 1, value: 'x', storedAt: 0, duration: 10 }, 99, 2, 0)).toBe(false);
  });

  it('knows its own entries', () => {
    expect(isEntry({ v: 1, storedAt: 0 })).toBe(true);
    expect(isEntry({ v: 1, storedAt: 0, freshUntil: 1, duration: 0, more: true })).toBe(true);
    for (const foreign of [null, undefined, {}, [], () => 1, { v: '1', storedAt: 0 }, { v: 1, storedAt: '0' }]) {
      expect(isEntry(foreign)).toBe(false);
    }
  });

  it('shortens each ttl by a share of `jitter`, and never to nothing', async () => {
    const { load, store } = rig({ ttl: 1_000, jitter: 0.5 });
    const random = jest.spyOn(Math, 'random');
    const lasts: number[] = [];
    for (const [id, share] of [0, 0.5, 0.999].entries()) {
      random.mockReturnValue(share);
      await load(id);
      lasts.push(store.entries.get(`load|${load.keyOf(id)}`)!.freshUntil! - START);
    }
    random.mockRestore();
    expect(lasts).toEqual([1_000, 750, 500.5]);
    const endless = rig({ ttl: () => Infinity, jitter: 1 });
    await endless.load(1);
    expect(endless.store.entries.get(`load|${endless.load.keyOf(1)}`)).toEqual({
      v: 1,
      value: 'run 1',
      storedAt: START,
    });
  });

  it('has no timer per entry, and none that outlives its run', async () => {
    const { load } = rig({ ttl: 100, staleWhileRevalidate: 100, staleIfError: 100, timeout: 50, softTimeout: 20 });
    await Promise.all(Array.from({ length: 500 }, (_, id) => load(id)));
    await load.settled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has one timer for all operations of a slow store', async () => {
    const store = new FaultyStore('later');
    store.faults.get = 'hangs';
    const load = memoizeAsync<Load>(async (id) => `${id}`, { name: 'load', cache: store as Store<string> });
    const calls = Array.from({ length: 500 }, (_, id) => load(id));
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(1_001);
    await Promise.all(calls);
    await load.settled();
    await jest.advanceTimersByTimeAsync(1_001);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps no process alive: not for a timeout, a soft timeout, a store that hangs or a remembered error', () => {
    const program = `
      import { memoizeAsync } from './lib/index.ts';
      const hung = () => new Promise(() => undefined);
      const slow = { get: hung, set: hung, delete: hung };
      const old = { v: 1, value: 'old', storedAt: Date.now() - 20, freshUntil: Date.now() - 10 };
      const stale = new Map([['load|#1', old]]);
      const day = 86_400_000;
      memoizeAsync(hung, { timeout: day })().catch(() => undefined);
      memoizeAsync(hung, { name: 'load', cache: stale, ttl: 1, staleIfError: day, softTimeout: day, timeout: day })(1).catch(() => undefined);
      memoizeAsync(hung, { name: 'slow', cache: slow, storeTimeout: day })().catch(() => undefined);
      memoizeAsync(hung, { name: 'slow', cache: slow, storeTimeout: day }).delete().catch(() => undefined);
      memoizeAsync(() => Promise.reject(new Error('down')), { errorTtl: day })().catch(() => undefined);
      process.on('exit', () => console.log('ended by itself'));
    `;
    const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(output.trim()).toBe('ended by itself');
  });
});
