import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createMemoizer, memoizeAsync, perInstance } from '../lib/index.js';
import { count, createSource, deferred, flush, listen, recordStore } from './support/call-recorder.js';

/** Of entries of any function. */
type Bucket = Map<string, never>;
const bucket = (): Bucket => new Map<string, never>();

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
});

afterEach(() => {
  jest.useRealTimers();
});

describe('createMemoizer', () => {
  describe('defaults', () => {
    it('applies them to every wrapper', async () => {
      const store = bucket();
      const memoize = createMemoizer({ cache: store, ttl: 1_000 });
      const getUser = memoize(async (id: number) => `user ${id}`, { name: 'getUser' });
      const getTeam = memoize(async (id: number) => `team ${id}`, { name: 'getTeam' });
      await Promise.all([getUser(7), getTeam(7)]);
      expect([...store.keys()]).toEqual([`getUser|${getUser.keyOf(7)}`, `getTeam|${getTeam.keyOf(7)}`]);
      await jest.advanceTimersByTimeAsync(1_001);
      await Promise.all([getUser(7), getTeam(7)]);
      expect(memoize.stats()).toMatchObject({ runs: 4, misses: 4 });
    });

    it('are none where none are given', async () => {
      const memoize = createMemoizer();
      const getUser = memoize(async (id: number) => `user ${id}`);
      await getUser(7);
      await jest.advanceTimersByTimeAsync(2 ** 32);
      await getUser(7);
      expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1 });
    });

    it('are overridden one by one by the options of a wrapper', async () => {
      const memoize = createMemoizer({ ttl: 1_000, ignore: [1], cache: null });
      const { fn, calls, runs } = createSource<[id: number, db: string]>();
      const getUser = memoize(fn, { cache: bucket(), ttl: 2_000 });
      const first = getUser(7, 'a');
      runs[0]!.resolve('Ada');
      await first;
      await jest.advanceTimersByTimeAsync(1_500);
      await expect(getUser(7, 'b')).resolves.toBe('Ada');
      expect(calls).toEqual([[7, 'a']]);
    });

    it('hold where a wrapper gives an option as undefined', async () => {
      const store = bucket();
      const memoize = createMemoizer({ cache: store, ttl: 1_000, name: 'users' });
      const getUser = memoize(async (id: number) => id, { cache: undefined, ttl: undefined, name: undefined });
      await getUser(7);
      expect(getUser.cache).toBe(store);
      expect([...store.values()]).toMatchObject([{ freshUntil: 1_001_000 }]);
    });

    it('hold where the options of a wrapper inherit another value', async () => {
      const memoize = createMemoizer({ ttl: 1_000 });
      Object.defineProperty(Object.prototype, 'ttl', { value: 0, configurable: true });
      let getUser;
      try {
        getUser = memoize(async (id: number) => id, {});
      } finally {
        delete (Object.prototype as { ttl?: number }).ttl;
      }
      await getUser(7);
      await expect(getUser.has(7)).resolves.toBe(true);
    });

    it('are taken as they are when the memoizer is made', async () => {
      const ignore = [1];
      const defaults = { ignore, ttl: 1_000 };
      const memoize = createMemoizer(defaults);
      ignore.pop();
      defaults.ttl = 0;
      const getUser = memoize(async (id: number, db: string) => `${db} ${id}`);
      await getUser(7, 'a');
      await expect(getUser(7, 'b')).resolves.toBe('a 7');
    });

    it("give way as to `ignore` to a wrapper's own `keyOf`", async () => {
      const memoize = createMemoizer({ ignore: [0], ttl: 1_000 });
      const getUser = memoize(async (id: number, locale: string) => `${id} ${locale}`, { keyOf: (id) => id });
      await expect(getUser(7, 'en')).resolves.toBe('7 en');
      await expect(getUser(7, 'de')).resolves.toBe('7 en');
      await expect(getUser(8, 'en')).resolves.toBe('8 en');
    });

    it("give way as to `maxSize` to a wrapper's own `cache`, and the other way round", async () => {
      const own = new Map<string, never>();
      const bounded = createMemoizer({ maxSize: 5 });
      expect(bounded(async (id: number) => id, { cache: own, name: 'own' }).cache).toBe(own);
      const common = new Map<string, never>();
      const memoize = createMemoizer({ cache: common });
      const getUser = memoize(async (id: number) => id, { maxSize: 5 });
      await getUser(7);
      expect(common.size).toBe(0);
      expect(getUser.cache).not.toBe(common);
      expect(await getUser.has(7)).toBe(true);
    });

    it("refuse a wrapper's own `ignore` beside their `keyOf`", () => {
      const memoize = createMemoizer({ keyOf: (id) => id as unknown });
      expect(() => memoize(async (id: number) => id, { ignore: [0] })).toThrow(
        new TypeError('Expected `ignore` to be empty beside `keyOf`, got [0]'),
      );
    });
  });

  describe('name', () => {
    it('prefixes the name of every wrapper, given or derived', async () => {
      const store = bucket();
      const { events, onEvent } = listen();
      const memoize = createMemoizer({ name: 'users', cache: store, onEvent });
      const getUser = memoize(async (id: number) => id, { name: 'get' });
      const listUsers = memoize(async function list() {
        return [];
      });
      await getUser(7);
      await listUsers();
      expect([...store.keys()]).toEqual([`users.get|${getUser.keyOf(7)}`, 'users.list|()']);
      expect(new Set(events.map(({ name }) => name))).toEqual(new Set(['users.get', 'users.list']));
    });

    it('stands in the errors of a call', async () => {
      const memoize = createMemoizer({ name: 'users' });
      const getUser = memoize(async (id: unknown) => id, { name: 'get' });
      await expect(getUser(() => 1)).rejects.toThrow(/^users\.get: cannot build a key from argument 0 \(function\)/u);
    });

    it('is at most 200 characters long together with its prefix', () => {
      const memoize = createMemoizer({ name: 'p'.repeat(150) });
      expect(() => memoize(async () => 1, { name: 'n'.repeat(50) })).toThrow(
        /^Expected `name` to be at most 200 characters with its prefix, got "p/u,
      );
      expect(memoize(async () => 1, { name: 'n'.repeat(49) }).keyOf()).toBe('()');
    });

    it('lets wrappers with the same given name share entries, under one prefix', async () => {
      const memoize = createMemoizer({ name: 'users', cache: bucket() });
      const one = memoize(async (id: number) => `one ${id}`, { name: 'get' });
      const two = memoize(async (id: number) => `two ${id}`, { name: 'get' });
      await one(7);
      await expect(two(7)).resolves.toBe('one 7');
    });

    it('keeps equal names under different prefixes apart', async () => {
      const store = bucket();
      const users = createMemoizer({ name: 'users', cache: store })(async () => 'users', { name: 'list' });
      const teams = createMemoizer({ name: 'teams', cache: store })(async () => 'teams', { name: 'list' });
      await expect(Promise.all([users(), teams()])).resolves.toEqual(['users', 'teams']);
      await users.clear();
      expect([...store.keys()]).toEqual([`teams.list|${teams.keyOf()}`]);
    });

    it('asks for a name where two functions of one derived name meet on one store', () => {
      const memoize = createMemoizer({ name: 'users', cache: bucket() });
      const sources = [async (id: number) => id, async (id: number) => -id] as const;
      sources.forEach((fn) => Object.defineProperty(fn, 'name', { value: 'get' }));
      memoize(sources[0]);
      expect(() => memoize(sources[1])).toThrow(
        new TypeError('Expected a `name`: this store already holds entries of another function called `users.get`'),
      );
    });
  });

  describe('misuse', () => {
    it('throws for bad defaults at once, naming the option and its value', () => {
      expect(() => createMemoizer({ ttl: -5 })).toThrow(
        new TypeError('Expected `ttl` to be a number of milliseconds >= 0 or a function, got -5'),
      );
      expect(() => createMemoizer({ tll: 5 } as never)).toThrow(new TypeError('Unknown option `tll`, got 5'));
      expect(() => createMemoizer(null as never)).toThrow(
        new TypeError('Expected options to be a plain object, got null'),
      );
      expect(() => createMemoizer({ keyOf: () => 1, ignore: [0] })).toThrow(TypeError);
    });

    it('throws for bad options of a wrapper, with and without a function', () => {
      const memoize = createMemoizer({ ttl: 1 });
      expect(() => memoize(async () => 1, { jitter: 2 })).toThrow(
        new TypeError('Expected `jitter` to be a number from 0 to 1, got 2'),
      );
      expect(() => memoize(async () => 1, null as never)).toThrow(
        new TypeError('Expected options to be a plain object, got null'),
      );
      expect(() => memoize({ jitter: 2 })).toThrow(TypeError);
      expect(() => memoize(5 as never)).toThrow(new TypeError('Expected a function to memoize, got 5'));
      expect(() => memoize({ ttl: 5 } as never, {})).toThrow(
        new TypeError('Expected a function to memoize, got [object Object]'),
      );
      expect(() => memoize({ ttl: 5 })('no' as never)).toThrow(
        new TypeError('Expected a function to memoize, got "no"'),
      );
    });

    it('leaves nothing behind when a wrapper was refused', async () => {
      const memoize = createMemoizer({ ttl: 1 });
      expect(() => memoize(async () => 1, { jitter: 2 })).toThrow(TypeError);
      await memoize.clear();
      expect(memoize.stats()).toEqual(memoizeAsync(async () => 1).stats());
    });
  });

  it('with options alone returns what wraps a function, and keeps a hand on the wrapper', async () => {
    const memoize = createMemoizer({ name: 'users', ttl: 1_000, ignore: [0] });
    const once = memoize({ keyOf: (id) => id as unknown, name: 'get' });
    const getUser = once(async (id: number) => `user ${id}`);
    await getUser(7);
    await expect(getUser(8)).resolves.toBe('user 8');
    expect(memoize.stats()).toMatchObject({ runs: 2 });
  });

  it('accepts a function that returns no promise', async () => {
    const square = createMemoizer()((n: number) => n * n);
    await expect(square(3)).resolves.toBe(9);
  });

  it('hands `this` on', async () => {
    const memoize = createMemoizer({ cache: perInstance(bucket) });
    class Counter {
      constructor(readonly start: number) {}
      read = memoize(async function (this: Counter) {
        return this.start;
      });
    }
    await expect(Promise.all([new Counter(1).read(), new Counter(2).read()])).resolves.toEqual([1, 2]);
  });

  describe('clear', () => {
    it('forgets the entries of all its wrappers and of nobody else', async () => {
      const store = bucket();
      const memoize = createMemoizer({ name: 'users', cache: store });
      const getUser = memoize(async (id: number) => id, { name: 'get' });
      const listUsers = memoize(async () => [1], { name: 'list', cache: bucket() });
      const other = memoizeAsync(async () => 'other', { cache: store, name: 'other' });
      await Promise.all([getUser(7), getUser(8), listUsers(), other()]);
      store.set('foreign', 'entry' as never);
      await memoize.clear();
      expect([...store.keys()].sort()).toEqual(['foreign', `other|${other.keyOf()}`]);
      await expect(listUsers.has()).resolves.toBe(false);
    });

    it('fences the runs that are under way in all of them', async () => {
      const store = bucket();
      const memoize = createMemoizer({ cache: store });
      const [users, teams] = [createSource(), createSource()];
      const getUser = memoize(users.fn, { name: 'user' });
      const getTeam = memoize(teams.fn, { name: 'team' });
      const early = [getUser(1), getTeam(1)];
      await memoize.clear();
      users.runs[0]!.resolve('Ada');
      teams.runs[0]!.resolve('core');
      await expect(Promise.all(early)).resolves.toEqual(['Ada', 'core']);
      await memoize.settled();
      expect(store.size).toBe(0);
      expect(memoize.stats()).toMatchObject({ discards: 2 });
    });

    it('tries all, waits for all, then rejects with the first error', async () => {
      const failing = bucket();
      const memoize = createMemoizer();
      const slowDelete = deferred<boolean>();
      const slow = bucket();
      const first = memoize(async (id: number) => id, { name: 'first', cache: failing });
      const second = memoize(async (id: number) => id, { name: 'second', cache: slow });
      await Promise.all([first(1), second(1)]);
      failing.delete = () => {
        throw new Error('no delete today');
      };
      slow.delete = () => slowDelete.promise as never;
      let state = 'pending';
      const cleared = memoize.clear().catch((error: unknown) => {
        state = String(error);
      });
      await flush();
      expect(state).toBe('pending');
      slowDelete.resolve(true);
      await cleared;
      expect(state).toBe('Error: no delete today');
    });
  });

  describe('settled', () => {
    it('resolves at once where nothing is under way', async () => {
      const memoize = createMemoizer();
      await memoize.settled();
      const getUser = memoize(async (id: number) => id);
      await getUser(7);
      await memoize.settled();
      expect(memoize.stats()).toMatchObject({ runs: 1, inFlight: 0 });
    });

    it('waits for the runs and the writes of all wrappers', async () => {
      const { fn, runs } = createSource();
      const written = deferred<unknown>();
      const store = bucket();
      store.set = () => written.promise as never;
      const memoize = createMemoizer({ cache: store });
      const getUser = memoize(fn, { name: 'user' });
      memoize(async () => 1, { name: 'idle' });
      void getUser(7);
      let isSettled = false;
      const settled = memoize.settled().then(() => (isSettled = true));
      runs[0]!.resolve('Ada');
      await flush();
      expect(isSettled).toBe(false);
      written.resolve(undefined);
      await settled;
      expect(isSettled).toBe(true);
    });

    it('waits also for what begins in one wrapper while another one is under way', async () => {
      const outer = deferred<void>();
      const written = deferred<unknown>();
      const slow = bucket();
      slow.set = () => written.promise as never;
      const memoize = createMemoizer();
      const getPart = memoize(async (id: number) => `part ${id}`, { name: 'part', cache: slow });
      const getWhole = memoize(
        async () => {
          await outer.promise;
          return getPart(1);
        },
        { name: 'whole' },
      );
      const whole = getWhole();
      let isSettled = false;
      const settled = memoize.settled().then(() => (isSettled = true));
      outer.resolve();
      await expect(whole).resolves.toBe('part 1');
      await flush();
      expect(isSettled).toBe(false);
      written.resolve(undefined);
      await settled;
    });

    it('leaves the `settled` of each wrapper its own', async () => {
      const memoize = createMemoizer();
      const { fn } = createSource();
      const hung = memoize(fn, { name: 'hung' });
      const quick = memoize(async () => 1, { name: 'quick' });
      void hung(1);
      await quick();
      await quick.settled();
      expect(hung.stats()).toMatchObject({ inFlight: 1 });
    });
  });

  describe('stats', () => {
    it('sums up all wrappers, each of which keeps its own', async () => {
      const memoize = createMemoizer();
      const getUser = memoize(async (id: number) => id, { name: 'user' });
      const getTeam = memoize(async () => Promise.reject(new Error('no team')), { name: 'team' });
      const { fn } = createSource();
      const hung = memoize(fn, { name: 'hung' });
      await getUser(1);
      await getUser(1);
      await getTeam().catch(() => undefined);
      void hung(1);
      void hung(1);
      expect(memoize.stats()).toEqual({
        hits: 1,
        stale: 0,
        joins: 1,
        misses: 3,
        runs: 3,
        errors: 1,
        fallbacks: 0,
        discards: 0,
        timeouts: 0,
        aborts: 0,
        storeErrors: 0,
        unleased: 0,
        inFlight: 1,
      });
      expect(getUser.stats()).toMatchObject({ hits: 1, misses: 1, runs: 1 });
    });

    it('is a snapshot', async () => {
      const memoize = createMemoizer();
      const getUser = memoize(async (id: number) => id);
      const before = memoize.stats();
      await getUser(1);
      expect(before).toMatchObject({ runs: 0 });
    });
  });

  it('serves a module: one store, one prefix, one hand to clear after a write', async () => {
    const table = new Map([[7, 'Ada']]);
    const reads: string[] = [];
    const store = bucket();
    const operations = recordStore(store);
    const memoize = createMemoizer({ name: 'users', cache: store, ttl: 60_000 });
    const getUser = memoize(
      async (id: number) => {
        reads.push(`get ${id}`);
        return table.get(id);
      },
      { name: 'getUser' },
    );
    const listUsers = memoize(
      async () => {
        reads.push('list');
        return [...table.values()];
      },
      { name: 'listUsers' },
    );
    const saveUser = async (id: number, name: string): Promise<void> => {
      table.set(id, name);
      await memoize.clear();
    };
    await Promise.all([getUser(7), getUser(7), listUsers(), listUsers()]);
    await saveUser(7, 'Grace');
    await expect(Promise.all([getUser(7), listUsers()])).resolves.toEqual(['Grace', ['Grace']]);
    await getUser(7);
    expect(reads).toEqual(['get 7', 'list', 'get 7', 'list']);
    expect(memoize.stats()).toMatchObject({ misses: 4, joins: 2, hits: 1, runs: 4 });
    expect(count(operations, 'delete')).toBe(2);
  });
});
