import { format } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import createDebug from 'debug';
import { createSource, deferred, flush, listen } from './support/call-recorder.js';
import { FaultyStore, StoreError } from './support/faulty-store.js';
import type { Listener } from './support/call-recorder.js';
import type { MemoizeEvent } from 'aiocachetools';

let listener: Listener;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
  listener = listen();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('onEvent', () => {
  it('is told how each call was received, once, and of each run', async () => {
    const { fn, runs } = createSource();
    const getUser = memoizeAsync(fn, { name: 'getUser', onEvent: listener.onEvent });
    const answers = [getUser(7), getUser(7)];
    await jest.advanceTimersByTimeAsync(30);
    runs[0]!.resolve('Ada');
    await Promise.all(answers);
    await getUser(7);
    expect(listener.events).toEqual([
      { type: 'miss', name: 'getUser', key: '#7' },
      { type: 'join', name: 'getUser', key: '#7' },
      { type: 'run', name: 'getUser', key: '#7', duration: 30, outcome: 'fulfilled' },
      { type: 'hit', name: 'getUser', key: '#7' },
    ]);
  });

  it('is told of a run that fails', async () => {
    const getUser = memoizeAsync(async (_id: number) => Promise.reject(new Error('no')), {
      name: 'getUser',
      onEvent: listener.onEvent,
    });
    await expect(getUser(7)).rejects.toThrow('no');
    expect(listener.events).toEqual([
      { type: 'miss', name: 'getUser', key: '#7' },
      { type: 'run', name: 'getUser', key: '#7', duration: 0, outcome: 'rejected', error: new Error('no') },
    ]);
    expect(getUser.stats()).toMatchObject({ runs: 1, errors: 1, inFlight: 0 });
  });

  it('is told of a function that throws as of one that rejects', async () => {
    const getUser = memoizeAsync(() => fail(), { name: 'getUser', onEvent: listener.onEvent });
    await expect(getUser()).rejects.toThrow('trapped');
    expect(listener.types()).toEqual(['miss', 'run']);
    expect(getUser.stats()).toMatchObject({ runs: 1, errors: 1, inFlight: 0 });
  });

  it('is told of a run that takes too long', async () => {
    const { fn } = createSource();
    const getUser = memoizeAsync(fn, { name: 'getUser', timeout: 50, onEvent: listener.onEvent });
    const answer = expect(getUser(7)).rejects.toThrow('getUser: the run did not settle within 50 ms');
    await jest.advanceTimersByTimeAsync(50);
    await answer;
    expect(listener.events).toEqual([
      { type: 'miss', name: 'getUser', key: '#7' },
      { type: 'timeout', name: 'getUser', key: '#7' },
      { type: 'run', name: 'getUser', key: '#7', duration: 50, outcome: 'timeout' },
    ]);
    expect(getUser.stats()).toMatchObject({ timeouts: 1, errors: 0, inFlight: 0 });
  });

  it('is told of callers that leave, and of the run that the last one ends', async () => {
    const { fn } = createSource<[id: number, signal: AbortSignal]>();
    const getUser = memoizeAsync(fn, { name: 'getUser', onEvent: listener.onEvent });
    const [one, two] = [new AbortController(), new AbortController()];
    const answers = [getUser(7, one.signal), getUser(7, two.signal)].map((answer) => answer.catch(() => 'left'));
    one.abort();
    await flush();
    expect(listener.types()).toEqual(['miss', 'join', 'abort']);
    two.abort();
    await Promise.all(answers);
    expect(listener.types()).toEqual(['miss', 'join', 'abort', 'abort', 'run']);
    expect(listener.of('run')).toMatchObject([{ outcome: 'aborted' }]);
    expect(getUser.stats()).toMatchObject({ aborts: 2, errors: 0, inFlight: 0 });
  });

  it('hears nothing of a call that was aborted beforehand', async () => {
    const { fn } = createSource<[id: number, signal: AbortSignal]>();
    const getUser = memoizeAsync(fn, { onEvent: listener.onEvent });
    await expect(getUser(7, AbortSignal.abort())).rejects.toThrow();
    expect(listener.events).toEqual([]);
    expect(getUser.stats()).toMatchObject({ misses: 0, aborts: 0, runs: 0 });
  });

  it('is told of old values that answer, and why', async () => {
    let answer = async (): Promise<string> => 'old';
    const getUser = memoizeAsync(async (_id: number) => answer(), {
      name: 'getUser',
      ttl: 100,
      staleWhileRevalidate: 100,
      staleIfError: 1_000,
      softTimeout: 20,
      timeout: 50,
      onEvent: listener.onEvent,
    });
    await getUser(7);
    await jest.advanceTimersByTimeAsync(150);
    listener.events.length = 0;

    expect(await getUser(7)).toBe('old');
    await getUser.settled();
    expect(listener.types()).toEqual(['stale', 'run']);

    await jest.advanceTimersByTimeAsync(250);
    listener.events.length = 0;
    answer = async () => Promise.reject(new Error('no'));
    expect(await getUser(7)).toBe('old');
    expect(listener.types()).toEqual(['miss', 'run', 'fallback']);
    expect(listener.of('fallback')).toEqual([{ type: 'fallback', name: 'getUser', key: '#7', reason: 'error' }]);

    listener.events.length = 0;
    answer = () => new Promise(() => undefined);
    const slow = getUser(7);
    await jest.advanceTimersByTimeAsync(20);
    expect(await slow).toBe('old');
    expect(listener.of('fallback')).toMatchObject([{ reason: 'soft-timeout' }]);
    await jest.advanceTimersByTimeAsync(30);
    expect(listener.types()).toEqual(['miss', 'fallback', 'timeout', 'run']);
    expect(getUser.stats()).toMatchObject({ stale: 1, fallbacks: 2, misses: 3, timeouts: 1 });
  });

  it('is told of a fallback after a timeout', async () => {
    const { fn, runs } = createSource();
    const getUser = memoizeAsync(fn, { ttl: 100, staleIfError: 1_000, timeout: 50, onEvent: listener.onEvent });
    const first = getUser(7);
    runs[0]!.resolve('old');
    await first;
    await jest.advanceTimersByTimeAsync(100);
    const second = getUser(7);
    await jest.advanceTimersByTimeAsync(50);
    expect(await second).toBe('old');
    expect(listener.of('fallback')).toMatchObject([{ reason: 'timeout' }]);
  });

  it('is told of a remembered error as of a hit, of an old value beside one as of a stale one', async () => {
    let fails = false;
    const getUser = memoizeAsync(
      async (id: number) => {
        if (fails) throw new Error('no');
        return `user ${id}`;
      },
      { ttl: 100, staleIfError: 1_000, errorTtl: 500, onEvent: listener.onEvent },
    );
    await getUser(7);
    fails = true;
    await jest.advanceTimersByTimeAsync(100);
    expect(await getUser(7)).toBe('user 7');
    expect(await getUser(7)).toBe('user 7');
    await expect(getUser(8)).rejects.toThrow('no');
    await expect(getUser(8)).rejects.toThrow('no');
    expect(listener.types()).toEqual([
      ...['miss', 'run'],
      ...['miss', 'run', 'fallback', 'stale'],
      ...['miss', 'run', 'hit'],
    ]);
  });

  it('is told of a result that a fence refuses', async () => {
    const { fn, runs } = createSource();
    const getUser = memoizeAsync(fn, { name: 'getUser', onEvent: listener.onEvent });
    const answer = getUser(7);
    await getUser.delete(7);
    runs[0]!.resolve('Ada');
    await answer;
    expect(listener.types()).toEqual(['miss', 'run', 'discard']);
    expect(listener.of('discard')).toEqual([{ type: 'discard', name: 'getUser', key: '#7' }]);
    expect(getUser.stats().discards).toBe(1);
  });

  it('is told of store errors with the operation and the error itself', async () => {
    const store = new FaultyStore();
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
      cache: store,
      name: 'getUser',
      onEvent: listener.onEvent,
    });
    store.faults.get = store.faults.set = store.faults.delete = store.faults.keys = 'rejects';
    await getUser(7);
    await getUser.settled();
    await expect(getUser.delete(7)).rejects.toThrow(StoreError);
    await expect(getUser.clear()).rejects.toThrow(StoreError);
    expect(listener.of('store-error')).toEqual([
      { type: 'store-error', name: 'getUser', key: '#7', operation: 'get', error: new StoreError('get') },
      { type: 'store-error', name: 'getUser', key: '#7', operation: 'set', error: new StoreError('set') },
      { type: 'store-error', name: 'getUser', key: '#7', operation: 'delete', error: new StoreError('delete') },
      { type: 'store-error', name: 'getUser', key: '', operation: 'clear', error: new StoreError('keys') },
    ]);
    expect(getUser.stats().storeErrors).toBe(4);
  });

  it.each([
    ['throws', () => fail(), new Error('trapped')],
    ['gives text', () => '5', new TypeError('Expected `ttl` to give a number of milliseconds >= 0, got "5"')],
    ['gives NaN', () => NaN, new TypeError('Expected `ttl` to give a number of milliseconds >= 0, got NaN')],
    [
      'gives less than any number',
      () => -Infinity,
      new TypeError('Expected `ttl` to give a number of milliseconds >= 0, got -Infinity'),
    ],
    [
      'gives nothing',
      () => undefined,
      new TypeError('Expected `ttl` to give a number of milliseconds >= 0, got undefined'),
    ],
    [
      'is async',
      async () => 5,
      new TypeError('Expected `ttl` to give a number of milliseconds >= 0, got [object Promise]'),
    ],
  ])('is told of a `ttl` that %s: the call resolves and nothing is stored', async (_, ttl, error) => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { ttl: ttl as never, onEvent: listener.onEvent });
    expect(await getUser(7)).toBe('user 7');
    expect(await getUser.has(7)).toBe(false);
    expect(listener.types()).toEqual(['miss', 'store-error', 'run']);
    expect(listener.of('store-error')).toMatchObject([{ operation: 'set', key: '#7', error }]);
  });

  it('hears no error of a `ttl` below 0: it counts as 0, and an older entry goes', async () => {
    let ttl = 1_000;
    const getToken = memoizeAsync(async (id: number) => `token ${id}`, { ttl: () => ttl, onEvent: listener.onEvent });
    await getToken(7);
    ttl = -10_000;
    await getToken.refresh(7);
    expect(await getToken.has(7)).toBe(false);
    expect(listener.of('store-error')).toEqual([]);
  });

  it('is told of an `errorTtl` that fails: the call rejects as the function does', async () => {
    const getUser = memoizeAsync(async (_id: number) => Promise.reject(new Error('no')), {
      errorTtl: () => fail(),
      onEvent: listener.onEvent,
    });
    await expect(getUser(7)).rejects.toThrow('no');
    await expect(getUser(7)).rejects.toThrow('no');
    expect(listener.types()).toEqual(['miss', 'store-error', 'run', 'miss', 'store-error', 'run']);
  });

  describe('that fails', () => {
    const listeners: [string, (event: MemoizeEvent) => unknown][] = [
      ['throws', () => fail()],
      ['throws nothing', () => raise(undefined)],
      ['rejects', async () => fail()],
      ['rejects later', () => Promise.resolve().then(() => fail())],
      ['answers with a thenable that throws', () => ({ then: fail })],
      ['answers with a getter that throws', () => Object.defineProperty({}, 'then', { get: fail })],
      ['answers with a promise whose own `then` throws', () => Object.assign(Promise.resolve(), { then: fail })],
      ['answers with a promise that never settles', () => new Promise(() => undefined)],
    ];

    it.each(listeners)('because it %s changes no outcome', async (_, onEvent) => {
      const store = new FaultyStore();
      const { fn, runs } = createSource();
      const getUser = memoizeAsync(fn, { cache: store, name: 'getUser', onEvent });
      const answers = [getUser(7), getUser(7)];
      await flush();
      runs[0]!.resolve('Ada');
      expect(await Promise.all(answers)).toEqual(['Ada', 'Ada']);
      await getUser.settled();
      expect(await getUser(7)).toBe('Ada');
      store.faults.get = 'throws';
      const failing = getUser(7);
      await flush();
      runs[1]!.reject(new Error('no'));
      await expect(failing).rejects.toThrow('no');
      expect(getUser.stats()).toMatchObject({ hits: 1, joins: 1, misses: 2, runs: 2, storeErrors: 1, inFlight: 0 });
    });
  });

  it('may be slow: nobody waits for it', async () => {
    const { promise } = deferred<void>();
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { onEvent: () => promise });
    expect(await getUser(7)).toBe('user 7');
    await getUser.settled();
  });

  it('may call the wrapper', async () => {
    const found: unknown[] = [];
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
      onEvent: ({ type }) => {
        if (type === 'run') void getUser.peek(7).then((value) => found.push(value));
      },
    });
    await getUser(7);
    await flush();
    expect(found).toEqual(['user 7']);
  });

  it('gets nothing of the library but the event, of its own for each happening', async () => {
    const heard: unknown[][] = [];
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
      onEvent(this: unknown, ...args: unknown[]) {
        heard.push([this, ...args]);
        Object.assign(args[0] as object, { type: 'changed', key: 'changed' });
      },
    });
    await getUser(7);
    await getUser(7);
    expect(heard.map(([receiver, , ...more]) => [receiver, ...more])).toEqual([[undefined], [undefined], [undefined]]);
    expect(new Set(heard.map(([, event]) => event)).size).toBe(3);
    expect(getUser.stats()).toMatchObject({ hits: 1, misses: 1, runs: 1 });
  });
});

describe('stats', () => {
  it('count what happened, also where nobody listens', async () => {
    const { fn, runs } = createSource();
    const getUser = memoizeAsync(fn, {});
    const answers = [getUser(7), getUser(7), getUser(8)];
    expect(getUser.stats().inFlight).toBe(2);
    runs[0]!.resolve('Ada');
    runs[1]!.reject(new Error('no'));
    await Promise.allSettled(answers);
    await getUser(7);
    expect(getUser.stats()).toEqual({
      hits: 1,
      stale: 0,
      joins: 1,
      misses: 2,
      runs: 2,
      errors: 1,
      fallbacks: 0,
      discards: 0,
      timeouts: 0,
      aborts: 0,
      storeErrors: 0,
      unleased: 0,
      inFlight: 0,
    });
  });

  it('agree with the events', async () => {
    const store = new FaultyStore();
    const getUser = memoizeAsync(async (id: number) => (id > 5 ? fail() : id), {
      cache: store,
      name: 'getUser',
      ttl: 10,
      onEvent: listener.onEvent,
    });
    for (let id = 0; id < 10; id += 1) {
      store.faults.get = id % 3 === 0 ? 'rejects' : undefined;
      await Promise.allSettled([getUser(id), getUser(id), getUser(id % 2)]);
      await jest.advanceTimersByTimeAsync(4);
    }
    const { hits, joins, misses, runs, errors, storeErrors } = getUser.stats();
    const told = (type: MemoizeEvent['type']) => listener.of(type).length;
    expect({ hits, joins, misses, runs, errors, storeErrors }).toEqual({
      hits: told('hit'),
      joins: told('join'),
      misses: told('miss'),
      runs: told('run'),
      errors: listener.of('run').filter(({ outcome }) => outcome === 'rejected').length,
      storeErrors: told('store-error'),
    });
    expect(hits + joins + misses).toBe(30);
    expect([hits, joins, misses, storeErrors].every((counted) => counted > 0)).toBe(true);
  });
});

describe('DEBUG', () => {
  let lines: string[];
  const { log } = createDebug;
  const { useColors } = createDebug as unknown as { useColors: () => boolean };

  beforeEach(() => {
    lines = [];
    // Without colours a line is told from the next by its namespace.
    Object.assign(createDebug, {
      log: (...args: unknown[]) => lines.push(format(...args)),
      useColors: () => false,
    });
  });

  afterEach(() => {
    createDebug.disable();
    Object.assign(createDebug, { log, useColors });
  });

  /** What was logged, without times. */
  const logged = (): string[] => lines.map((line) => line.replace(/^\S+Z /, '').replace(/ \+\d+ms$/, ''));

  it('logs hits, joins, misses and runs, one namespace a wrapper', async () => {
    createDebug.enable('aiocachetools:*');
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { name: 'getUser' });
    const getOrder = memoizeAsync(async (_id: number) => Promise.reject(new Error('no')), { name: 'getOrder' });
    await Promise.all([getUser(7), getUser(7)]);
    await getUser(7);
    await expect(getOrder(8)).rejects.toThrow('no');
    expect(logged()).toEqual([
      'aiocachetools:getUser miss #7',
      'aiocachetools:getUser join #7',
      "aiocachetools:getUser run #7 0 'fulfilled'",
      'aiocachetools:getUser hit #7',
      'aiocachetools:getOrder miss #8',
      "aiocachetools:getOrder run #8 0 'rejected' 'Error: no'",
    ]);
  });

  it('logs stale values, fallbacks, discards and store errors', async () => {
    createDebug.enable('aiocachetools:getUser');
    const store = new FaultyStore();
    let fails = false;
    const getUser = memoizeAsync(async (id: number) => (fails ? fail() : `user ${id}`), {
      cache: store,
      name: 'getUser',
      ttl: 100,
      staleWhileRevalidate: 100,
      staleIfError: 1_000,
    });
    await getUser(7);
    await getUser.settled();
    await jest.advanceTimersByTimeAsync(150);
    await getUser(7);
    await getUser.settled();
    await jest.advanceTimersByTimeAsync(250);
    fails = true;
    await getUser(7);
    fails = false;
    const fenced = getUser(8);
    await flush();
    const [fencedRun] = [getUser.refresh(8), getUser.delete(8)];
    await Promise.allSettled([fenced, fencedRun]);
    store.faults.get = 'rejects';
    await getUser(9);
    expect(logged()).toEqual(
      expect.arrayContaining([
        'aiocachetools:getUser stale #7',
        "aiocachetools:getUser fallback #7 'error'",
        'aiocachetools:getUser discard #8',
        expect.stringMatching(/^aiocachetools:getUser store-error #9 'get' .*StoreError: the store failed at get/s),
      ]),
    );
  });

  it('can be turned on and off while the program runs', async () => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { name: 'getUser' });
    await getUser(7);
    expect(lines).toEqual([]);
    createDebug.enable('aiocachetools:*');
    await getUser(7);
    expect(logged()).toEqual(['aiocachetools:getUser hit #7']);
    createDebug.enable('aiocachetools:other');
    await getUser(7);
    createDebug.enable('aiocachetools:*,-aiocachetools:getUser');
    await getUser(7);
    createDebug.disable();
    await getUser(7);
    expect(lines).toHaveLength(1);
    createDebug.enable('aiocachetools:get*');
    await getUser(7);
    expect(lines).toHaveLength(2);
  });

  it.each([
    ['', 'anonymous'],
    ['getUser', 'getUser'],
    ['users of today', 'users_of_today'],
    ['a,b', 'a_b'],
    ['a*', 'a_'],
    ['-getUser', '_getUser'],
    ['get-user', 'get-user'],
    ['100%s', '100_s'],
    ['a\nb\tc', 'a_b_c'],
    ['users:today', 'users:today'],
  ])('calls the name %j `aiocachetools:%s`', async (name, namespace) => {
    createDebug.enable(`aiocachetools:${namespace}`);
    await memoizeAsync(async () => 1, { name })();
    expect(logged()).toEqual([`aiocachetools:${namespace} miss ()`, `aiocachetools:${namespace} run () 0 'fulfilled'`]);
  });

  it('logs keys as they are, whatever they hold', async () => {
    createDebug.enable('aiocachetools:*');
    await memoizeAsync(async (_text: string) => 1, { name: 'echo' })('a%s %o %d');
    expect(logged()[0]).toBe('aiocachetools:echo miss a%s %o %d');
  });

  it('keeps a line one line, and a terminal as it is', async () => {
    createDebug.enable('aiocachetools:*');
    await memoizeAsync(async (_text: string) => 1, { name: 'echo' })('a\nb\u001b[2J\u2028é💥');
    expect(logged()[0]).toBe('aiocachetools:echo miss a\\u000ab\\u001b[2J\\u2028é💥');
  });

  it('tells of a listener that fails', async () => {
    createDebug.enable('aiocachetools:*');
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { name: 'getUser', onEvent: async () => fail() });
    await getUser(7);
    await flush();
    expect(logged().filter((line) => /^aiocachetools:getUser onEvent failed: .*trapped/s.test(line))).toHaveLength(2);
  });

  it('may fail itself and changes no outcome', async () => {
    createDebug.enable('aiocachetools:*');
    Object.assign(createDebug, { log: fail });
    const store = new FaultyStore();
    store.faults.get = store.faults.set = 'throws';
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
      cache: store,
      name: 'getUser',
      onEvent: () => fail(),
    });
    expect(await getUser(7)).toBe('user 7');
    expect(getUser.stats()).toMatchObject({ runs: 1, misses: 1, storeErrors: 2 });
  });
});

function fail(): never {
  throw new Error('trapped');
}

function raise(error: unknown): never {
  throw error;
}
