import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { count, createSource, deferred, flush, listen, recordStore } from './call-recorder.js';
import type { Deferred } from './call-recorder.js';
import { isSharedStore } from '../../lib/store/store-like.js';
import type { StoreLike } from '../../lib/store/store-like.js';
import type { Entry, Grant, SharedStore } from '../../lib/store/store.js';

/** What a store is like, so that the one suite can ask for what it can do. */
export interface StoreSubject {
  /** An empty store that nobody else uses. */
  readonly open: () => StoreLike | Promise<StoreLike>;
  /** Puts an end to it. */
  readonly close?: (store: StoreLike) => unknown;
  /** It can list its keys or delete by prefix, so that `clear()` empties it for everybody. */
  readonly canList: boolean;
  /** What it holds has been through JSON. */
  readonly isJson: boolean;
  /** What its `delete` says of what was there, and of what was not. */
  readonly deleteSays: readonly [boolean, boolean];
  /** Its `set` takes a `ttl` in third place. */
  readonly takesTtl: boolean;
  /** Processes share it, so that it wants a given `name`. @default false */
  readonly wantsName?: boolean;
  /** A `ttl` that `pass` can wait for, in milliseconds. @default 60_000 */
  readonly ttl?: number;
  /** Lets the clock that entries go by move on. @default by faking `Date` */
  readonly pass?: (milliseconds: number) => unknown;
  /** What stands in the store under `name|key`, whoever wrote it. @default `store.get` */
  readonly peek?: (store: StoreLike, key: string) => unknown;
  /** Writes as another program would. @default `store.set` */
  readonly plant?: (store: StoreLike, key: string, value: unknown) => unknown;
}

/** What the library promises on any store: the same claims for each, with real store operations. */
export function storeContract(storeName: string, subject: StoreSubject): void {
  const ttl = subject.ttl ?? 60_000;
  const pass = subject.pass ?? ((milliseconds: number) => jest.setSystemTime(Date.now() + milliseconds));
  const peek = subject.peek ?? ((store: StoreLike, key: string) => store.get(key));
  const plant = subject.plant ?? ((store: StoreLike, key: string, value: unknown) => store.set(key, value as never));

  describe(`memoizeAsync on ${storeName}`, () => {
    let store: StoreLike;

    beforeEach(async () => {
      if (subject.pass === undefined) jest.useFakeTimers({ doNotFake: everythingButDate });
      store = await subject.open();
    });

    afterEach(async () => {
      jest.useRealTimers();
      await subject.close?.(store);
    });

    describe('results', () => {
      const results: [string, unknown][] = [
        ['undefined', undefined],
        ['null', null],
        ['0', 0],
        ['-0', -0],
        ["''", ''],
        ['NaN', NaN],
        ['false', false],
        ['an object', { id: 7, tags: ['a', null], nested: { at: 0 } }],
        ['a string that looks like an entry', '{"v":1,"value":1,"storedAt":1}'],
      ];

      it.each(results)('answers %s from the store, with one read a hit', async (_, result) => {
        const { fn, calls, runs } = createSource<[id: number], unknown>();
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const first = getUser(7);
        await settleRun(runs, 0, result);
        expect(await first).toBe(result);
        await getUser.settled();

        const operations = recordStore(store);
        const expected = subject.isJson ? throughJson(result) : result;
        expect(await getUser(7)).toEqual(expected);
        expect(await getUser(7)).toEqual(expected);
        expect(calls).toEqual([[7]]);
        expect(operations.map(({ method, args }) => [method, args[0]])).toEqual([
          ['get', 'getUser|#7'],
          ['get', 'getUser|#7'],
        ]);
      });

      it('keeps no rejection', async () => {
        const { fn, calls, runs } = createSource();
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const failing = getUser(7);
        await turn(() => runs.length === 1);
        runs[0]!.reject(new Error('no'));
        await expect(failing).rejects.toThrow('no');
        await getUser.settled();
        expect(await getUser.has(7)).toBe(false);

        const next = getUser(7);
        await settleRun(runs, 1, 'Ada');
        expect(await next).toBe('Ada');
        expect(calls).toHaveLength(2);
      });

      it('keeps calls apart whose arguments look alike', async () => {
        const texts = [
          ...[
            'a',
            'A',
            'a ',
            ' a',
            'ä',
            'a\u0308',
            'á',
            "a'b",
            'a"b',
            'a`b',
            'a;b',
            'a--b',
            'a/*b',
            'a%b',
            'a_b',
            'a*b',
            'a?b',
          ],
          ...[
            'a\\b',
            'a\nb',
            'a\r\nb',
            'a\tb',
            'a\0b',
            'a',
            '../a',
            '/a',
            'a:b',
            'a|b',
            'a,b',
            'a{b}',
            '💥',
            '\ud83d',
            '\ud83e',
          ],
          ...['x'.repeat(600), `${'x'.repeat(599)}y`, '', '0', 'null', 'undefined'],
        ].filter((text, index, all) => all.indexOf(text) === index);
        const echo = memoizeAsync(async (text: string) => [...text].map((char) => char.codePointAt(0)), {
          cache: store,
          name: 'echo',
        });
        for (const text of texts) await echo(text);
        await echo.settled();
        const asked = echo.stats().runs;
        expect(asked).toBe(texts.length);
        for (const text of texts) expect(await echo(text)).toEqual([...text].map((char) => char.codePointAt(0)));
        expect(echo.stats().runs).toBe(asked);
      });
    });

    describe('concurrent calls', () => {
      it('share one run and one read', async () => {
        const { fn, calls, runs } = createSource();
        const operations = recordStore(store);
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const answers = Promise.all(Array.from({ length: 20 }, () => getUser(7)));
        await settleRun(runs, 0, 'Ada');
        expect(new Set(await answers)).toEqual(new Set(['Ada']));
        await getUser.settled();
        expect(calls).toHaveLength(1);
        expect(count(operations, 'get')).toBe(1);
        expect(count(operations, 'set')).toBe(1);
      });

      it('share one run across wrappers of one given name', async () => {
        const { fn, calls, runs } = createSource();
        const one = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const other = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const answers = Promise.all([one(7), other(7)]);
        await settleRun(runs, 0, 'Ada');
        expect(await answers).toEqual(['Ada', 'Ada']);
        await one.settled();
        expect(await other(7)).toBe('Ada');
        expect(calls).toHaveLength(1);
      });

      it('share no run and no entry across names', async () => {
        const users = createSource();
        const orders = createSource();
        const getUser = memoizeAsync(users.fn, { cache: store, name: 'getUser' });
        const getOrder = memoizeAsync(orders.fn, { cache: store, name: 'getOrder' });
        const answers = Promise.all([getUser(7), getOrder(7)]);
        await settleRun(users.runs, 0, 'Ada');
        await settleRun(orders.runs, 0, 'a lamp');
        expect(await answers).toEqual(['Ada', 'a lamp']);
        await Promise.all([getUser.settled(), getOrder.settled()]);
        expect(await getUser(7)).toBe('Ada');
        expect(await getOrder(7)).toBe('a lamp');
      });
    });

    describe('ttl', () => {
      it('is endless by default', async () => {
        const operations = recordStore(store);
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, { cache: store, name: 'getUser' });
        await getUser(7);
        await getUser.settled();
        pass(subject.pass === undefined ? 3_650 * 24 * 3_600_000 : ttl);
        expect(await getUser(7)).toBe('user 7');
        expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1 });
        const [written] = operations.filter(({ method }) => method === 'set');
        expect(written!.args.slice(0, 3)).toEqual(
          subject.takesTtl ? ['getUser|#7', written!.args[1], undefined] : ['getUser|#7', written!.args[1]],
        );
      });

      it('ends, and is a hint for stores that take one and for no others', async () => {
        const operations = recordStore(store);
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, { cache: store, name: 'getUser', ttl });
        await getUser(7);
        await getUser.settled();
        expect(await getUser(7)).toBe('user 7');
        expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1 });
        await pass(ttl + 1);
        expect(await getUser(7)).toBe('user 7');
        await getUser.settled();
        expect(getUser.stats()).toMatchObject({ runs: 2, hits: 1 });
        const [written] = operations.filter(({ method }) => method === 'set');
        if (subject.takesTtl) expect(written!.args[2]).toBe(ttl);
        else expect(written!.args).toHaveLength(2);
      });

      it('is decided by a function of the value and the arguments', async () => {
        const asked: unknown[][] = [];
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
          cache: store,
          name: 'getUser',
          ttl: (value, id) => {
            asked.push([value, id]);
            return id === 7 ? Infinity : ttl;
          },
        });
        await Promise.all([getUser(7), getUser(8)]);
        await getUser.settled();
        expect(asked.sort()).toEqual([
          ['user 7', 7],
          ['user 8', 8],
        ]);
        await pass(ttl + 1);
        expect(await Promise.all([getUser.has(7), getUser.has(8)])).toEqual([true, false]);
      });

      it('keeps nothing at 0', async () => {
        const operations = recordStore(store);
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, { cache: store, name: 'getUser', ttl: 0 });
        await getUser(7);
        await getUser(7);
        await getUser.settled();
        expect(getUser.stats()).toMatchObject({ runs: 2, hits: 0 });
        expect(operations.filter(({ method }) => method !== 'get')).toEqual([]);
      });

      it('removes the older entry where a function gives 0', async () => {
        let value = 'kept';
        const getUser = memoizeAsync(async (_id: number) => value, {
          cache: store,
          name: 'getUser',
          ttl: (result) => (result === 'kept' ? Infinity : 0),
        });
        await getUser(7);
        await getUser.settled();
        expect(await getUser.has(7)).toBe(true);
        value = 'not kept';
        expect(await getUser.refresh(7)).toBe('not kept');
        await getUser.settled();
        expect(await getUser.has(7)).toBe(false);
        expect((await peek(store, 'getUser|#7')) ?? undefined).toBeUndefined();
      });
    });

    describe('foreign and corrupt entries', () => {
      const garbage: [string, unknown][] = [
        ['a string', 'garbage'],
        ['a number', 42],
        ['true', true],
        ['an array', [1, 2, 3]],
        ['an empty object', {}],
        ['a bare value', { id: 7 }],
        ['another version', { v: 2, value: 'old', storedAt: 1 }],
        ['no version', { value: 'old', storedAt: 1 }],
        ['a version that is text', { v: '1', value: 'old', storedAt: 1 }],
        ['no time', { v: 1, value: 'old' }],
        ['a time that is text', { v: 1, value: 'old', storedAt: '1' }],
        ['a time that is NaN', { v: 1, value: 'old', storedAt: NaN }],
        ['an end that is null', { v: 1, value: 'old', storedAt: 1, freshUntil: null }],
        ['an end that is NaN', { v: 1, value: 'old', storedAt: 1, freshUntil: NaN }],
        ['an end that is text', { v: 1, value: 'old', storedAt: 1, freshUntil: 'tomorrow' }],
        ['a negative duration', { v: 1, value: 'old', storedAt: 1, duration: -1 }],
        ['a duration that is text', { v: 1, value: 'old', storedAt: 1, duration: '1' }],
      ];

      it.each(garbage)('%s is a miss that an event tells of, and is overwritten', async (_, value) => {
        await plant(store, 'getUser|#7', value);
        const listener = listen();
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
          cache: store,
          name: 'getUser',
          onEvent: listener.onEvent,
        });
        expect(await getUser.has(7)).toBe(false);
        expect(await getUser(7)).toBe('user 7');
        await getUser.settled();
        expect(listener.of('store-error')).toMatchObject([
          { operation: 'get', key: '#7', name: 'getUser' },
          { operation: 'get', key: '#7', name: 'getUser' },
        ]);
        expect(await getUser(7)).toBe('user 7');
        expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1, misses: 1 });
      });
    });

    describe('delete', () => {
      it('forgets one call and says whether there was something to forget', async () => {
        const getUser = memoizeAsync(async (id: number) => `user ${id}`, { cache: store, name: 'getUser' });
        await Promise.all([getUser(7), getUser(8)]);
        await getUser.settled();
        expect([await getUser.delete(7), await getUser.delete(7)]).toEqual(subject.deleteSays);
        expect(await Promise.all([getUser.has(7), getUser.has(8)])).toEqual([false, true]);
        expect((await peek(store, 'getUser|#7')) ?? undefined).toBeUndefined();
      });
    });

    describe('clear', () => {
      it("forgets this wrapper's entries and touches no others", async () => {
        const foreign = { mine: true };
        await plant(store, 'foreign', foreign);
        await plant(store, 'getUser', foreign);
        const make = (name: string) => memoizeAsync(async (id: number) => `${name} ${id}`, { cache: store, name });
        const [getUser, getUsers, getUse] = [make('getUser'), make('getUsers'), make('getUse')] as const;
        for (const fetch of [getUser, getUsers, getUse]) {
          for (let id = 0; id < 25; id += 1) await fetch(id);
          await fetch.settled();
        }
        await getUser.clear();

        expect(await getUser.has(7)).toBe(false);
        expect(await getUsers.has(7)).toBe(true);
        expect(await getUse.has(7)).toBe(true);
        expect(await peek(store, 'foreign')).toEqual(foreign);
        expect(await peek(store, 'getUser')).toEqual(foreign);
        for (let id = 0; id < 25; id += 1) {
          const kept = (await peek(store, `getUser|#${id}`)) ?? undefined;
          if (subject.canList) expect(kept).toBeUndefined();
          else expect(kept).toBeDefined();
        }
        expect(await getUser(7)).toBe('getUser 7');
        await getUser.settled();
        expect(await getUser(7)).toBe('getUser 7');
        expect(getUser.stats()).toMatchObject({ runs: 26, hits: 1 });
      });

      it('holds for every wrapper of the name, also twice at once', async () => {
        const fn = async (id: number) => `user ${id}`;
        const one = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const other = memoizeAsync(fn, { cache: store, name: 'getUser' });
        await one(7);
        await one.settled();
        await Promise.all([one.clear(), other.clear()]);
        expect(await Promise.all([one.has(7), other.has(7)])).toEqual([false, false]);
        await other(7);
        await other.settled();
        expect(await one(7)).toBe('user 7');
        expect(one.stats()).toMatchObject({ runs: 1, hits: 1 });
      });
    });

    describe('other controls', () => {
      it('prime, peek, has and refresh go to the store', async () => {
        let version = 1;
        const fn = async (id: number) => `user ${id}, version ${version}`;
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        expect(await getUser.peek(7)).toBeUndefined();
        await getUser.prime([7], 'primed');
        expect(await getUser.peek(7)).toBe('primed');
        expect(await getUser.has(7)).toBe(true);
        expect(await getUser(7)).toBe('primed');
        version = 2;
        expect(await getUser.refresh(7)).toBe('user 7, version 2');
        await getUser.settled();
        expect(await memoizeAsync(fn, { cache: store, name: 'getUser' })(7)).toBe('user 7, version 2');
        expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1, misses: 0 });
      });
    });

    describe('fences while the store is slow', () => {
      it.each(['delete', 'clear'] as const)(
        '%s during the lookup starts a new run for later calls',
        async (control) => {
          const { fn, calls, runs } = createSource();
          const seed = memoizeAsync(async (_id: number) => 'old', { cache: store, name: 'getUser' });
          await seed(7);
          await seed.settled();
          const slow = slowDown(store);
          const getUser = memoizeAsync(fn, { cache: slow.store, name: 'getUser' });
          const early = getUser(7);
          const forgotten = control === 'delete' ? getUser.delete(7) : getUser.clear();
          const late = getUser(7);
          slow.letAllPass();
          await forgotten;
          await settleRun(runs, 0, 'new');
          expect(await Promise.all([early, late])).toEqual(['new', 'new']);
          await getUser.settled();
          expect(calls).toHaveLength(1);
          expect(await getUser.peek(7)).toBe('new');
        },
      );

      it.each(['delete', 'clear'] as const)('%s during the run keeps its result out of the store', async (control) => {
        const { fn, calls, runs } = createSource();
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const early = getUser(7);
        await turn(() => runs.length === 1);
        const forgotten = control === 'delete' ? getUser.delete(7) : getUser.clear();
        const late = getUser(7);
        await turn(() => runs.length === 2);
        runs[1]!.resolve('new');
        runs[0]!.resolve('old');
        expect(await Promise.all([early, late])).toEqual(['old', 'new']);
        await forgotten;
        await getUser.settled();
        expect(calls).toHaveLength(2);
        expect(await getUser.peek(7)).toBe('new');
        expect(getUser.stats().discards).toBe(1);
      });

      it.each(['delete', 'clear'] as const)('%s during the write has the last word', async (control) => {
        const slow = slowDown(store);
        const getUser = memoizeAsync(async (_id: number) => 'old', { cache: slow.store, name: 'getUser' });
        const early = getUser(7);
        await turn(() => slow.waiting('get') === 1);
        slow.letPass('get');
        expect(await early).toBe('old');
        await turn(() => slow.waiting('set') === 1);
        const forgotten = control === 'delete' ? getUser.delete(7) : getUser.clear();
        await flush();
        expect(slow.waiting('delete')).toBe(0);
        slow.letAllPass();
        await forgotten;
        await getUser.settled();
        expect(await getUser.has(7)).toBe(false);
      });

      it('prime during the lookup answers it', async () => {
        const { fn, calls } = createSource();
        const slow = slowDown(store);
        const getUser = memoizeAsync(fn, { cache: slow.store, name: 'getUser' });
        const early = getUser(7);
        const primed = getUser.prime([7], 'primed');
        const late = getUser(7);
        slow.letAllPass();
        await primed;
        expect(await Promise.all([early, late])).toEqual(['primed', 'primed']);
        await getUser.settled();
        expect(calls).toEqual([]);
        expect(await getUser.peek(7)).toBe('primed');
      });

      it('prime during the run outlasts its result', async () => {
        const { fn, runs } = createSource();
        const getUser = memoizeAsync(fn, { cache: store, name: 'getUser' });
        const early = getUser(7);
        await turn(() => runs.length === 1);
        const primed = getUser.prime([7], 'primed');
        runs[0]!.resolve('old');
        expect(await early).toBe('old');
        await primed;
        expect(await getUser(7)).toBe('primed');
        await getUser.settled();
        expect(await getUser.peek(7)).toBe('primed');
      });

      it('the finished run answers until its write has settled', async () => {
        const slow = slowDown(store);
        const getUser = memoizeAsync(async (_id: number) => 'Ada', { cache: slow.store, name: 'getUser' });
        const first = getUser(7);
        await turn(() => slow.waiting('get') === 1);
        slow.letPass('get');
        await first;
        expect(await getUser(7)).toBe('Ada');
        expect(slow.waiting('get')).toBe(0);
        slow.letAllPass();
        await getUser.settled();
        expect(await getUser(7)).toBe('Ada');
        expect(getUser.stats()).toMatchObject({ runs: 1, hits: 2 });
      });
    });

    if (subject.wantsName === true) {
      it('asks for a name', () => {
        expect(() => memoizeAsync(async function getUser() {}, { cache: store })).toThrow(
          /^Expected a `name` beside a store that processes share/,
        );
      });
    } else {
      it('takes a derived name once', async () => {
        const getUser = memoizeAsync(
          async function getUser(id: number) {
            return `user ${id}`;
          },
          { cache: store },
        );
        await getUser(7);
        await getUser.settled();
        expect((await peek(store, 'getUser|#7')) ?? undefined).toBeDefined();
        expect(() => memoizeAsync(async function getUser() {}, { cache: store })).toThrow(
          'Expected a `name`: this store already holds entries of another function called `getUser`',
        );
      });
    }
  });
}

const everythingButDate: (
  | 'hrtime'
  | 'nextTick'
  | 'performance'
  | 'queueMicrotask'
  | 'setImmediate'
  | 'clearImmediate'
  | 'setInterval'
  | 'clearInterval'
  | 'setTimeout'
  | 'clearTimeout'
)[] = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
];

/** As a store hands it back that keeps JSON. */
function throughJson(value: unknown): unknown {
  return (JSON.parse(JSON.stringify({ value })) as { value?: unknown }).value;
}

/** Waits for what real stores and microtasks bring about. */
async function turn(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
}

async function settleRun<V>(runs: readonly Deferred<V>[], index: number, value: V): Promise<void> {
  await turn(() => runs.length > index);
  runs[index]!.resolve(value);
}

interface SlowStore {
  readonly store: StoreLike;
  /** How many operations of a kind have been asked for and wait. */
  waiting(operation: 'get' | 'set' | 'delete'): number;
  letPass(operation: 'get' | 'set' | 'delete'): void;
  /** What waits and whatever comes. */
  letAllPass(): void;
}

/** The same store, but nothing reaches it until the test lets it pass. */
function slowDown(store: StoreLike): SlowStore {
  const gates = { get: [] as Deferred<void>[], set: [] as Deferred<void>[], delete: [] as Deferred<void>[] };
  let isOpen = false;
  const wait = (operation: keyof typeof gates): Promise<void> | undefined => {
    if (isOpen) return undefined;
    const gate = deferred<void>();
    gates[operation].push(gate);
    return gate.promise;
  };
  const operations: Record<string, (...args: never[]) => unknown> = {
    get: async (...args: never[]) => {
      await wait('get');
      return store.get(...(args as unknown as [string]));
    },
    set: async (...args: never[]) => {
      await wait('set');
      return store.set(...(args as unknown as [string, Entry<unknown>]));
    },
    delete: async (...args: never[]) => {
      await wait('delete');
      return 'delete' in store ? store.delete(args[0]!) : store.del(args[0]!);
    },
  };
  Object.defineProperty(operations['set'], 'length', { value: store.set.length });
  for (const method of ['keys', 'iterator', 'deleteByPrefix']) {
    const original: unknown = Reflect.get(store, method);
    if (typeof original === 'function') operations[method] = original.bind(store) as (...args: never[]) => unknown;
  }
  // Where processes share the store, a grant is what writes.
  const slowGrant = (grant: Grant<unknown>): Grant<unknown> => ({
    lost: grant.lost,
    release: (why) => grant.release(why),
    commit: async (entry, ttl) => {
      await wait('set');
      return grant.commit(entry, ttl);
    },
  });
  if (isSharedStore(store)) {
    const shared: Pick<SharedStore, 'acquire' | 'begin'> = {
      acquire: async (key, options) => {
        const acquired = await store.acquire(key, options);
        return 'grant' in acquired ? { grant: slowGrant(acquired.grant) } : acquired;
      },
      begin: async (key, options) => slowGrant(await store.begin(key, options)),
    };
    Object.assign(operations, shared);
  }
  return {
    store: operations as unknown as StoreLike,
    waiting: (operation) => gates[operation].length,
    letPass: (operation) => gates[operation].shift()!.resolve(),
    letAllPass: () => {
      isOpen = true;
      for (const gate of Object.values(gates).flat()) gate.resolve();
    },
  };
}
