import { describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Entry } from '../lib/index.js';
import { count, createSource, flush, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

const answering = ['at once', 'later'] as const;

describe.each(answering)('memoizeAsync on a store that answers %s', (answers) => {
  it('runs once for calls of the same tick, of later ticks and of later macrotasks', async () => {
    const source = createSource();
    const store = new FaultyStore(answers);
    const load = memoizeAsync(source.fn, { name: 'load', cache: store });
    const calls = [load(1), load(1)];
    await Promise.resolve();
    calls.push(load(1));
    await flush();
    calls.push(load(1));
    await new Promise((resolve) => setImmediate(resolve));
    calls.push(load(1));
    source.runs[0]!.resolve('value');
    await expect(Promise.all(calls)).resolves.toEqual(['value', 'value', 'value', 'value', 'value']);
    expect(source.calls).toEqual([[1]]);
    expect(count(store.calls, 'get')).toBe(1);
    expect(load.stats()).toMatchObject({ misses: 1, joins: 4, hits: 0, runs: 1, inFlight: 0 });
  });

  it('keeps keys apart', async () => {
    const source = createSource();
    const load = memoizeAsync(source.fn, { name: 'load', cache: new FaultyStore(answers) });
    const calls = [load(1), load(2), load(1)];
    await flush();
    source.runs[1]!.resolve('two');
    source.runs[0]!.resolve('one');
    await expect(Promise.all(calls)).resolves.toEqual(['one', 'two', 'one']);
  });

  it('costs one read a hit', async () => {
    const store = new FaultyStore(answers);
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: store });
    await load(1);
    await load.settled();
    const before = count(store.calls, 'get');
    await load(1);
    expect(count(store.calls, 'get') - before).toBe(1);
    expect(count(store.calls, 'set')).toBe(1);
  });

  it.each(['throws', 'rejects', 'rejects after a yield', 'refuses', 'lies'] as const)(
    'shares a run though the store %s',
    async (fault) => {
      const source = createSource();
      const store = new FaultyStore(answers);
      Object.assign(store.faults, { get: fault, set: fault });
      store.lie = () => ({ v: 1, value: 'a lie', storedAt: NaN });
      const load = memoizeAsync(source.fn, { name: 'load', cache: store });
      const calls = [load(1), load(1)];
      await flush();
      calls.push(load(1));
      source.runs[0]!.resolve('value');
      await expect(Promise.all(calls)).resolves.toEqual(['value', 'value', 'value']);
      await load.settled();
      expect(source.runs).toHaveLength(1);
    },
  );

  it('shares a run where nothing is stored', async () => {
    const source = createSource();
    const load = memoizeAsync(source.fn, { cache: null });
    const calls = [load(1), load(1)];
    source.runs[0]!.resolve('value');
    await expect(Promise.all(calls)).resolves.toEqual(['value', 'value']);
    const again = load(1);
    source.runs[1]!.resolve('again');
    await expect(again).resolves.toBe('again');
  });

  it('gives all callers the one original error and stores nothing', async () => {
    const source = createSource();
    const store = new FaultyStore(answers);
    const load = memoizeAsync(source.fn, { name: 'load', cache: store });
    const outcomes = [load(1), load(1)].map((call) => call.catch((reason: unknown) => reason));
    await flush();
    const error = { not: 'an Error' };
    source.runs[0]!.reject(error);
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toBe(error);
    expect(store.entries.size).toBe(0);
    expect(load.stats()).toMatchObject({ runs: 1, errors: 1, inFlight: 0 });
  });

  it('starts a new run for a retry in a `catch`, of the first caller and of a joiner', async () => {
    const source = createSource();
    const load = memoizeAsync(source.fn, { name: 'load', cache: new FaultyStore(answers) });
    const retries = [load(1), load(1)].map((call) => call.catch(() => load(1)));
    await flush();
    source.runs[0]!.reject(new Error('down'));
    await flush();
    expect(source.runs).toHaveLength(2);
    source.runs[1]!.resolve('up');
    await expect(Promise.all(retries)).resolves.toEqual(['up', 'up']);
  });

  it('starts a new run for a retry by a caller with a signal, and after a refresh that failed', async () => {
    const source = createSource<[number, AbortSignal?]>();
    const load = memoizeAsync(source.fn, { name: 'load', cache: new FaultyStore(answers) });
    const retry = load(1, new AbortController().signal).catch(() => load(1));
    await flush();
    source.runs[0]!.reject(new Error('down'));
    await flush();
    source.runs[1]!.resolve('up');
    await expect(retry).resolves.toBe('up');
    const again = load.refresh(1).catch(() => load.refresh(1));
    source.runs[2]!.reject(new Error('down'));
    await flush();
    source.runs[3]!.resolve('up again');
    await expect(again).resolves.toBe('up again');
  });

  it('joins a background run where the store has lost the old value', async () => {
    const source = createSource();
    const store = new FaultyStore(answers);
    const heard = listen();
    const old: Entry<string> = { v: 1, value: 'old', storedAt: Date.now() - 60_000, freshUntil: Date.now() - 1_000 };
    const load = memoizeAsync(source.fn, {
      name: 'load',
      cache: store,
      ttl: 1_000,
      staleWhileRevalidate: 1e6,
      onEvent: heard.onEvent,
    });
    store.entries.set(`load|${load.keyOf(1)}`, old);
    await expect(load(1)).resolves.toBe('old');
    store.entries.clear();
    const joined = load(1);
    await flush();
    source.runs[0]!.resolve('new');
    await expect(joined).resolves.toBe('new');
    expect(heard.types()).toEqual(['stale', 'join', 'run']);
  });

  it('answers from the finished run until its write has settled', async () => {
    const source = createSource();
    const store = new FaultyStore('later');
    store.faults.set = 'hangs';
    const load = memoizeAsync(source.fn, { name: 'load', cache: store });
    const first = load(1);
    await flush();
    source.runs[0]!.resolve('value');
    await expect(first).resolves.toBe('value');
    const reads = count(store.calls, 'get');
    await expect(load(1)).resolves.toBe('value');
    await expect(load.peek(1)).resolves.toBe('value');
    await expect(load.has(1)).resolves.toBe(true);
    expect(count(store.calls, 'get')).toBe(reads);
    store.hung[0]!.land();
    await load.settled();
    await expect(load(1)).resolves.toBe('value');
    expect(source.runs).toHaveLength(1);
  });

  it('settles when the write has, and not before', async () => {
    const store = new FaultyStore('later');
    store.faults.set = 'hangs';
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: store });
    await load(1);
    let isSettled = false;
    const settled = load.settled().then(() => (isSettled = true));
    await flush();
    expect(isSettled).toBe(false);
    store.hung[0]!.land();
    await settled;
  });

  it.each([undefined, null, 0, '', NaN, false])('remembers a result of %p', async (value) => {
    let runs = 0;
    const load = memoizeAsync(
      async (_id: number) => {
        runs += 1;
        return value;
      },
      { name: 'load', cache: new FaultyStore(answers) },
    );
    await load(1);
    await load.settled();
    await expect(load(1)).resolves.toBe(value);
    await expect(load.has(1)).resolves.toBe(true);
    expect(runs).toBe(1);
  });
});

describe('memoizeAsync', () => {
  it('delivers a hit in one microtask turn, and in two a miss of an immediate function: its result is checked first', async () => {
    const load = memoizeAsync(async (id: number) => id);
    const order: string[] = [];
    const mark = (label: string) => (): void => void order.push(label);
    const missed = load(1).then(mark('miss'));
    const one = Promise.resolve().then(mark('one turn'));
    const joined = load(1).then(mark('join'));
    const two = one.then(mark('two turns'));
    await Promise.all([missed, joined, one, two]);
    expect(order).toEqual(['one turn', 'miss', 'join', 'two turns']);

    order.length = 0;
    const hit = load(1).then(mark('hit'));
    const next = Promise.resolve().then(mark('one turn'));
    await Promise.all([hit, next]);
    expect(order).toEqual(['hit', 'one turn']);
  });

  it('delivers a hit of a timed entry in one microtask turn', async () => {
    const load = memoizeAsync(async (id: number) => id, { cache: new Map(), name: 'load', ttl: 60_000 });
    await load(1);
    const order: string[] = [];
    const hit = load(1).then(() => order.push('hit'));
    const next = Promise.resolve().then(() => order.push('one turn'));
    await Promise.all([hit, next]);
    expect(order).toEqual(['hit', 'one turn']);
  });

  it('joins the run of another wrapper with the same name on the same store', async () => {
    const store = new Map();
    const source = createSource();
    const one = memoizeAsync(source.fn, { name: 'load', cache: store });
    const other = memoizeAsync(async (_id: number) => 'of the other', { name: 'load', cache: store });
    const calls = [one(1), other(1)];
    source.runs[0]!.resolve('value');
    await expect(Promise.all(calls)).resolves.toEqual(['value', 'value']);
    expect(one.stats()).toMatchObject({ misses: 1, joins: 0, runs: 1 });
    expect(other.stats()).toMatchObject({ misses: 0, joins: 1, runs: 0 });
  });

  it('keeps names apart on one store', async () => {
    const store = new Map();
    const one = memoizeAsync(async (id: number) => `one ${id}`, { name: 'one', cache: store });
    const other = memoizeAsync(async (id: number) => `other ${id}`, { name: 'other', cache: store });
    await expect(Promise.all([one(1), other(1)])).resolves.toEqual(['one 1', 'other 1']);
    await one.clear();
    expect(await one.has(1)).toBe(false);
    expect(await other.has(1)).toBe(true);
  });

  it('shares a run among calls of one receiver where the selector picks no store', async () => {
    const source = createSource<[], string>();
    const load = memoizeAsync(source.fn, { name: 'load', cache: () => null });
    const a = { load };
    const b = { load };
    const calls = [a.load(), b.load(), a.load()];
    source.runs[0]!.resolve('of a');
    source.runs[1]!.resolve('of b');
    await expect(Promise.all(calls)).resolves.toEqual(['of a', 'of b', 'of a']);
  });

  it('never starts a retry on a flight whose run has failed, though one of its callers has not heard', async () => {
    // Of two wrappers only one has an old value to fall back on, so one joins the refresh and the other follows it.
    const store = new Map<string, Entry<string>>();
    const source = createSource();
    const plain = memoizeAsync(source.fn, { name: 'load', cache: store, ttl: 10 });
    const careful = memoizeAsync(source.fn, { name: 'load', cache: store, ttl: 10, staleIfError: 500 });
    const now = Date.now();
    store.set(`load|${plain.keyOf(1)}`, { v: 1, value: 'old', storedAt: now - 600, freshUntil: now - 300 });
    const refreshed = plain.refresh(1).catch(() => 'refresh failed');
    const retried = plain(1).catch(() => careful(1));
    const fallenBack = careful(1);
    source.runs[0]!.reject(new Error('down'));
    await flush();
    expect(source.runs).toHaveLength(2);
    source.runs[1]!.resolve('new');
    await expect(Promise.all([refreshed, retried, fallenBack])).resolves.toEqual(['refresh failed', 'new', 'old']);
    await plain.settled();
    await careful.settled();
  });

  it('waits in a recursion on the same key until `timeout` ends it', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    let runs = 0;
    const load: (id: number) => Promise<string> = memoizeAsync(
      async (id: number): Promise<string> => {
        runs += 1;
        return load(id);
      },
      { timeout: 1_000 },
    );
    const outcomes = [load(1), load(1)].map((call) => call.catch((error: unknown) => error));
    await jest.advanceTimersByTimeAsync(999);
    expect(runs).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    for (const outcome of await Promise.all(outcomes))
      expect(outcome).toMatchObject({ name: 'TimeoutError', timeout: 1_000 });
    const again = load(1).catch((error: unknown) => error);
    expect(runs).toBe(2);
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(again).resolves.toMatchObject({ name: 'TimeoutError' });
    jest.useRealTimers();
  });
});
