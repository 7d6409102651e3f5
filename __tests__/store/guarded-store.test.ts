import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TimeoutError } from '../../lib/errors.js';
import { createEntry } from '../../lib/store/entry.js';
import { GuardedStore } from '../../lib/store/guarded-store.js';
import { OrderedStore } from '../../lib/store/ordered-store.js';
import { TagMarks } from '../../lib/store/tag-marks.js';
import { PendingRead } from '../../lib/store/pending-read.js';
import { flush } from '../support/call-recorder.js';
import { FaultyStore, StoreError } from '../support/faulty-store.js';
import type { SharedStore } from '../../lib/store/store.js';

const entry = createEntry({ value: 'Ada', ttl: 60 }, 1_000);

/** An entry, or the promise of one. */
function read(store: GuardedStore<string>, key: string): unknown {
  const found = store.get(key);
  return found instanceof PendingRead ? found.settled() : found;
}

let reports: unknown[][];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000 });
  reports = [];
});

afterEach(() => {
  jest.useRealTimers();
});

function guard(store: FaultyStore, windows = { staleWhileRevalidate: 0, staleIfError: 0 }): GuardedStore<string> {
  const ordered = new OrderedStore<string>(store, 'p|', new TagMarks());
  const options = { prefix: 'p|', shared: undefined, storeTimeout: 250, windows, isTagged: false, validate: undefined };
  return new GuardedStore(ordered, options, (...report) => void reports.push(report));
}

describe('GuardedStore', () => {
  it('reads at once from a store that answers at once', () => {
    const store = new FaultyStore('at once');
    store.entries.set('p|a', entry);
    expect(read(guard(store), 'a')).toBe(entry);
    expect(read(guard(store), 'b')).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it('reads later from a store that answers later, and never rejects', async () => {
    const store = new FaultyStore('later');
    store.entries.set('p|a', entry);
    const found = read(guard(store), 'a');
    expect(found).not.toBe(entry);
    expect(await found).toBe(entry);
    store.faults.get = 'rejects';
    expect(await read(guard(store), 'a')).toBeUndefined();
    expect(reports).toEqual([['get', 'a', new StoreError('get')]]);
  });

  it.each([undefined, null])('takes %p for nothing stored, without a report', async (nothing) => {
    const store = new FaultyStore();
    store.faults.get = 'lies';
    store.lie = () => nothing;
    expect(read(guard(store), 'a')).toBeUndefined();
    store.lie = () => Promise.resolve(nothing);
    expect(await read(guard(store), 'a')).toBeUndefined();
    expect(reports).toEqual([]);
  });

  it('says of garbage what was expected', () => {
    const store = new FaultyStore('at once');
    store.faults.get = 'lies';
    store.lie = () => 'garbage';
    expect(read(guard(store), 'a')).toBeUndefined();
    expect(reports).toEqual([
      ['get', 'a', new TypeError('Expected an entry written by aiocachetools; what the store holds is a miss')],
    ]);
  });

  it('does not ask the store for what is under way', async () => {
    const store = new FaultyStore('later');
    const guarded = guard(store);
    const written = guarded.write('a', { value: 'Ada', ttl: 60 });
    expect(read(guarded, 'a')).toEqual(entry);
    const deleted = guarded.delete('a');
    expect(read(guarded, 'a')).toBeUndefined();
    await Promise.all([written, deleted]);
    expect(store.calls.map(({ method }) => method)).toEqual(['set', 'delete']);
  });

  it('writes an entry of now, and tells how long it is of use', async () => {
    const store = new FaultyStore('at once');
    const guarded = guard(store, { staleWhileRevalidate: 20, staleIfError: 50 });
    guarded.get('a');
    store.calls.length = 0;
    expect(guarded.write('a', { value: 'Ada', ttl: 60 })).toBeUndefined();
    await guarded.prime('b', { value: 'Ada', ttl: 60.5 });
    void guarded.write('c', { value: 'Ada', ttl: Infinity, duration: 7 });
    void guarded.write('d', { value: 'Ada', ttl: 60, duration: 7 });
    expect(store.calls.map(({ args }) => args)).toEqual([
      ['p|a', entry, 110],
      ['p|b', { ...entry, freshUntil: 1_060.5 }, 111],
      ['p|c', { v: 1, value: 'Ada', storedAt: 1_000 }, undefined],
      ['p|d', { ...entry, duration: 7 }, 110],
    ]);
  });

  it('reports what fails behind a call, and rejects for those who asked for it', async () => {
    const store = new FaultyStore();
    store.faults.set = store.faults.delete = store.faults.keys = 'rejects after a yield';
    const guarded = guard(store);
    await guarded.write('a', { value: 'Ada', ttl: 60 });
    await guarded.remove('a');
    expect(reports).toEqual([
      ['set', 'a', new StoreError('set')],
      ['delete', 'a', new StoreError('delete')],
    ]);
    reports.length = 0;
    await expect(guarded.prime('a', { value: 'Ada', ttl: 60 })).rejects.toThrow(StoreError);
    await expect(guarded.delete('a')).rejects.toThrow(StoreError);
    await expect(guarded.clear()).rejects.toThrow(StoreError);
    expect(reports).toEqual([
      ['set', 'a', new StoreError('set')],
      ['delete', 'a', new StoreError('delete')],
      ['clear', '', new StoreError('keys')],
    ]);
  });

  it.each([
    [true, true],
    [false, false],
    [undefined, false],
    [1, true],
    [2, true],
    [0, false],
    [-1, false],
    [NaN, false],
    ['true', false],
  ])('takes %p for the answer to a delete as %p', async (answer, isDeleted) => {
    const store = new FaultyStore('at once');
    store.faults.delete = 'lies';
    store.lie = () => answer;
    expect(await guard(store).delete('a')).toBe(isDeleted);
  });

  it('asks a shared store for a run in what is left of the time of the call', async () => {
    const asked: unknown[][] = [];
    const shared = {
      acquire: async (...args: unknown[]) => {
        asked.push(args);
        return { hit: entry };
      },
      begin: async (...args: unknown[]) => {
        asked.push(args);
        throw new StoreError('set');
      },
    } as unknown as SharedStore<string>;
    const options = {
      prefix: 'p|',
      shared,
      storeTimeout: 250,
      windows: { staleWhileRevalidate: 0, staleIfError: 0 },
      isTagged: false,
      validate: undefined,
    };
    const ordered = new OrderedStore<string>(new FaultyStore(), 'p|', new TagMarks());
    const guarded = new GuardedStore(ordered, options, (...report) => void reports.push(report));
    expect(guarded.coordinator).toBe(guarded);
    expect(guard(new FaultyStore()).coordinator).toBeUndefined();
    expect(await guarded.acquire('a', { seen: entry, spent: 50.5 })).toEqual({ hit: entry });
    await expect(guarded.acquire('a', { seen: undefined, spent: 250 })).rejects.toThrow(TimeoutError);
    await expect(guarded.begin('a', { drop: true })).rejects.toThrow(StoreError);
    expect(asked).toEqual([
      ['p|a', { seen: entry, timeout: 200, isTagged: false }],
      ['p|a', { drop: true, timeout: 250, isTagged: false }],
    ]);
    expect(reports.map(([operation, key]) => [operation, key])).toEqual([
      ['get', 'a'],
      ['set', 'a'],
    ]);
  });

  it('waits no longer than `storeTimeout` for a read', async () => {
    const store = new FaultyStore();
    store.faults.get = 'hangs';
    let isOver = false;
    void (async () => {
      expect(await read(guard(store), 'a')).toBeUndefined();
      isOver = true;
    })();
    await flush();
    await jest.advanceTimersByTimeAsync(248);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(2);
    await flush();
    expect(isOver).toBe(true);
    expect(reports).toEqual([['get', 'a', new TimeoutError('The store did not answer `get` within 250 ms', 250)]]);
  });
});
