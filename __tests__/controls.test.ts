import { describe, expect, it } from '@jest/globals';
import { memoizeAsync, perInstance, UnkeyableArgumentError } from 'aiocachetools';
import { createSource, deferred, flush, listen } from './support/call-recorder.js';
import type { Entry, MemoizeOptions } from 'aiocachetools';

type Entries = Map<string, Entry<string>>;

const names = [
  'cache',
  'clear',
  'delete',
  'expire',
  'for',
  'has',
  'keyOf',
  'original',
  'peek',
  'prime',
  'refresh',
  'settled',
  'stats',
];

/** One receiver under every kind of `cache`. */
const caches: [string, () => MemoizeOptions<(id: number, db?: object) => Promise<string>>['cache']][] = [
  ['the default store', () => undefined],
  ['a store', () => new Map() as Entries],
  ['an asynchronous store', asynchronous],
  ['a selector', () => perInstance((): Entries => new Map())],
];

describe.each(caches)('the controls with %s', (_, cache) => {
  function open() {
    let version = 1;
    const listener = listen();
    const getUser = memoizeAsync(async (id: number, _db?: object) => `user ${id}, version ${version}`, {
      cache: cache(),
      name: 'getUser',
      ignore: [1],
      onEvent: listener.onEvent,
    });
    return { getUser, types: () => listener.types(), renew: () => void (version += 1) };
  }

  it('are all there, and nothing else is', () => {
    const { getUser } = open();
    expect(Object.keys(getUser).sort()).toEqual(names);
    expect(Object.keys(getUser.for({})).sort()).toEqual(names.filter((name) => name !== 'for'));
  });

  it('keyOf gives the key of a call', () => {
    const { getUser } = open();
    expect(getUser.keyOf(7)).toBe('#7');
    expect(getUser.keyOf(7, {})).toBe('#7');
    expect(getUser.keyOf()).toBe('()');
  });

  it('has and peek look without running, and find what is fresh', async () => {
    const { getUser, types } = open();
    expect([await getUser.has(7), await getUser.peek(7)]).toEqual([false, undefined]);
    await getUser(7, { db: true });
    await getUser.settled();
    expect([await getUser.has(7), await getUser.peek(7)]).toEqual([true, 'user 7, version 1']);
    expect(getUser.stats()).toMatchObject({ runs: 1, misses: 1, hits: 0, joins: 0 });
    expect(types()).toEqual(['miss', 'run']);
  });

  it('prime stores a value as if the function had returned it', async () => {
    const { getUser } = open();
    expect(await getUser.prime([7], 'primed')).toBeUndefined();
    expect(await getUser(7)).toBe('primed');
    expect(getUser.stats()).toMatchObject({ runs: 0, hits: 1 });
  });

  it('prime awaits the value, which calls join meanwhile', async () => {
    const { getUser } = open();
    const value = deferred<string>();
    const primed = getUser.prime([7], value.promise);
    const answer = getUser(7);
    value.resolve('primed');
    expect(await answer).toBe('primed');
    await primed;
    expect(await getUser.peek(7)).toBe('primed');
    expect(getUser.stats()).toMatchObject({ runs: 0, joins: 1 });
  });

  it('prime rejects as the value does, and keeps nothing', async () => {
    const { getUser } = open();
    await expect(getUser.prime([7], Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await getUser.has(7)).toBe(false);
    expect(await getUser(7)).toBe('user 7, version 1');
  });

  it('refresh runs now and replaces the entry', async () => {
    const { getUser, renew } = open();
    await getUser(7);
    renew();
    expect(await Promise.all([getUser.refresh(7), getUser.refresh(7)])).toEqual([
      'user 7, version 2',
      'user 7, version 2',
    ]);
    await getUser.settled();
    expect(await getUser(7)).toBe('user 7, version 2');
    expect(getUser.stats()).toMatchObject({ runs: 2, hits: 1, misses: 1, joins: 0 });
  });

  it('delete forgets one call and says whether it was known', async () => {
    const { getUser } = open();
    await Promise.all([getUser(7), getUser(8)]);
    await getUser.settled();
    expect([await getUser.delete(7), await getUser.delete(7)]).toEqual([true, false]);
    expect([await getUser.has(7), await getUser.has(8)]).toEqual([false, true]);
  });

  it('clear forgets all', async () => {
    const { getUser } = open();
    await Promise.all([getUser(7), getUser(8)]);
    await getUser.settled();
    expect(await getUser.clear()).toBeUndefined();
    expect([await getUser.has(7), await getUser.has(8)]).toEqual([false, false]);
  });

  it('settled waits for the run and for its write', async () => {
    const source = createSource();
    const store = asynchronous();
    const getUser = memoizeAsync(source.fn, { cache: store, name: 'getUser' });
    await getUser.settled();
    void getUser(7);
    let isSettled = false;
    const settled = getUser.settled().then(() => (isSettled = true));
    await flush();
    expect(isSettled).toBe(false);
    source.runs[0]!.resolve('Ada');
    await settled;
    expect(await getUser.peek(7)).toBe('Ada');
  });

  it('are no calls', async () => {
    const { getUser, types } = open();
    await getUser.has(7);
    await getUser.peek(7);
    await getUser.delete(7);
    await getUser.clear();
    await getUser.prime([7], 'primed');
    expect(getUser.stats()).toEqual({
      hits: 0,
      stale: 0,
      joins: 0,
      misses: 0,
      runs: 0,
      errors: 0,
      fallbacks: 0,
      discards: 0,
      timeouts: 0,
      aborts: 0,
      storeErrors: 0,
      unleased: 0,
      inFlight: 0,
    });
    expect(types()).toEqual([]);
  });

  it('reject, and do not throw, what a call would reject with; only keyOf throws it', async () => {
    const { getUser } = open();
    const unkeyable = (() => undefined) as never;
    expect(() => getUser.keyOf(unkeyable)).toThrow(UnkeyableArgumentError);
    for (const control of ['has', 'peek', 'delete', 'refresh'] as const) {
      await expect(getUser[control](unkeyable)).rejects.toThrow(UnkeyableArgumentError);
    }
    await expect(getUser.prime([unkeyable], 'primed')).rejects.toThrow(UnkeyableArgumentError);
    await expect(getUser(unkeyable)).rejects.toThrow(UnkeyableArgumentError);
  });

  it.each([
    ['a number', 7, '7'],
    ['text', 'Ada', '"Ada"'],
    ['nothing', undefined, 'undefined'],
    ['an object', { 0: 7, length: 1 }, '[object Object]'],
    ['a Set', new Set([7]), '[object Set]'],
  ])('prime refuses %s in place of the arguments', async (_what, args, shown) => {
    const { getUser } = open();
    await expect(getUser.prime(args as never, 'primed')).rejects.toThrow(
      new TypeError(`Expected \`prime\` to be given the arguments of a call as an array, got ${shown}`),
    );
    expect([await getUser.has(), await getUser.has('Ada' as never), await getUser.has(7)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('can be taken from the wrapper and called alone', async () => {
    const { getUser } = open();
    // eslint-disable-next-line @typescript-eslint/unbound-method -- what is under test
    const { delete: remove, peek, stats } = getUser;
    expect(await remove(7)).toBe(false);
    expect(await peek(7)).toBeUndefined();
    expect(stats().runs).toBe(0);
  });
});

describe('the controls with `cache: null`', () => {
  it('resolve and find nothing', async () => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { cache: null });
    expect(getUser.cache).toBeNull();
    expect(Object.keys(getUser).sort()).toEqual(names);
    await getUser.prime([7], 'primed');
    expect(await getUser(7)).toBe('user 7');
    await getUser.settled();
    expect(await getUser.has(7)).toBe(false);
    expect(await getUser.peek(7)).toBeUndefined();
    expect(await getUser.delete(7)).toBe(false);
    expect(await getUser.clear()).toBeUndefined();
    expect(await getUser.refresh(7)).toBe('user 7');
    expect(getUser.keyOf(7)).toBe('#7');
    expect(getUser.stats()).toMatchObject({ runs: 2, misses: 1, hits: 0, storeErrors: 0 });
  });

  it('share runs, and fence them', async () => {
    const { fn, runs } = createSource();
    const getUser = memoizeAsync(fn, { cache: null });
    const early = [getUser(7), getUser(7)];
    await getUser.delete(7);
    const late = getUser(7);
    expect(runs).toHaveLength(2);
    runs[0]!.resolve('before');
    runs[1]!.resolve('after');
    expect(await Promise.all([...early, late])).toEqual(['before', 'before', 'after']);
    expect(getUser.stats().discards).toBe(0);
  });

  it('share runs for one receiver only, where a selector gives `null`', async () => {
    const { fn, calls, runs } = createSource();
    const getUser = memoizeAsync(fn, { cache: () => null });
    const [one, two] = [{}, {}];
    const answers = [getUser.call(one, 7), getUser.call(one, 7), getUser.call(two, 7), getUser(7), getUser.call(5, 7)];
    expect(calls).toHaveLength(3);
    runs.forEach((run, index) => run.resolve(`run ${index}`));
    expect(await Promise.all(answers)).toEqual(['run 0', 'run 0', 'run 1', 'run 2', 'run 2']);
    expect(await getUser.for(one).delete(7)).toBe(false);
  });
});

describe('cache and original', () => {
  it('are as configured', () => {
    const fn = async (id: number): Promise<string> => `user ${id}`;
    const store: Entries = new Map();
    const select = perInstance((): Entries => new Map());
    expect(memoizeAsync(fn, { cache: store, name: 'a' }).cache).toBe(store);
    expect(memoizeAsync(fn, { cache: select }).cache).toBe(select);
    expect(memoizeAsync(fn).original).toBe(fn);
    expect(memoizeAsync(fn, { cache: select }).for({}).original).toBe(fn);
    expect(memoizeAsync(fn, { cache: select }).for({}).cache).toBe(select);
  });

  it('the default store can be looked into, and cleared by the wrapper', async () => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { ttl: 1_000 });
    await getUser(7);
    const store = getUser.cache as { get(key: string): unknown; keys(): Iterable<string> };
    const [key] = [...store.keys()];
    expect(key).toMatch(/\|#7$/);
    expect(store.get(key!)).toMatchObject({ v: 1, value: 'user 7' });
    await getUser.clear();
    expect([...store.keys()]).toEqual([]);
  });
});

describe('the wrapper', () => {
  it('keeps name and length, and none of the function’s own properties', () => {
    const fn = Object.assign(async function getUser(_id: number, _db: object) {}, {
      cache: 'mine',
      delete: 'mine',
      other: 'mine',
    });
    const getUser = memoizeAsync(fn as (id: number, db: object) => Promise<void>);
    expect([getUser.name, getUser.length]).toEqual(['getUser', 2]);
    expect(typeof getUser.delete).toBe('function');
    expect(getUser.cache).not.toBe('mine');
    expect('other' in getUser).toBe(false);
    expect(fn.delete).toBe('mine');
  });

  it('of a wrapper has controls of its own', async () => {
    const inner = memoizeAsync(async (id: number) => `user ${id}`);
    const outer = memoizeAsync(inner);
    await outer(7);
    expect(outer.original).toBe(inner);
    await outer.delete(7);
    expect([await outer.has(7), await inner.has(7)]).toEqual([false, true]);
    await outer(7);
    expect([outer.stats().runs, inner.stats().runs, inner.stats().hits]).toEqual([2, 1, 1]);
  });

  it('passes the receiver and the very arguments on', async () => {
    const receiver = { base: '/users' };
    const db = { url: 'x' };
    const given: unknown[] = [];
    const getUser = memoizeAsync(
      async function (this: typeof receiver, ...args: [id: number, db: object]) {
        given.push(this, ...args);
      },
      { ignore: [1] },
    );
    await getUser.call(receiver, 7, db);
    expect(given[0]).toBe(receiver);
    expect(given[2]).toBe(db);
    await getUser.for(receiver).refresh(7, db);
    expect(given[3]).toBe(receiver);
  });
});

describe('stats', () => {
  it('are a copy that nobody else sees', async () => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`);
    const stats = getUser.stats() as { runs: number };
    stats.runs = 99;
    await getUser(7);
    expect(stats.runs).toBe(99);
    expect(getUser.stats().runs).toBe(1);
    expect(getUser.for({}).stats()).toEqual(getUser.stats());
  });
});

function asynchronous() {
  const entries: Entries = new Map();
  return {
    get: async (key: string) => entries.get(key),
    set: async (key: string, entry: Entry<string>) => void entries.set(key, entry),
    delete: async (key: string) => entries.delete(key),
    keys: () => entries.keys(),
  };
}

describe('settled', () => {
  it('waits for a delete and a clear that are under way', async () => {
    const answers: (() => void)[] = [];
    const store = {
      get: () => undefined,
      set: () => undefined,
      delete: () => new Promise<boolean>((resolve) => answers.push(() => resolve(true))),
      keys: () => ['fn|#1'],
    };
    const fn = memoizeAsync(async (id: number) => id, { cache: store, name: 'fn' });
    for (const forget of [() => fn.delete(1), () => fn.clear()]) {
      let isSettled = false;
      const forgotten = forget();
      void fn.settled().then(() => (isSettled = true));
      await new Promise(setImmediate);
      expect(isSettled).toBe(false);
      answers.pop()!();
      await forgotten;
      await new Promise(setImmediate);
      expect(isSettled).toBe(true);
    }
  });
});

describe('prime', () => {
  it('forgets the older value where `ttl` gives no duration', async () => {
    let isBroken = false;
    const fn = memoizeAsync(async (id: number) => `loaded ${id}`, { ttl: () => (isBroken ? NaN : 1_000) });
    await fn.prime([1], 'old');
    isBroken = true;
    await fn.prime([1], 'new');
    expect(await fn.peek(1)).toBeUndefined();
    expect(fn.stats().storeErrors).toBe(1);
  });
});
