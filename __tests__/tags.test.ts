import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import {
  createMemoizer,
  digestKeys,
  invalidateTags,
  memoizeAsync,
  memoizeMethods,
  perInstance,
  tiered,
} from 'aiocachetools';
import { createSource, deferred, flush, listen } from './support/call-recorder.js';
import type { Entry, MemoizeOptions, SharedStore } from 'aiocachetools';
import type { Grant } from '../lib/store/store.js';
import type { Deferred } from './support/call-recorder.js';

type Options = MemoizeOptions<(id: number) => Promise<string>>;
type Entries = Map<string, Entry<string>>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_000_000 });
});

afterEach(() => {
  jest.useRealTimers();
});

const stores: [string, () => Options['cache']][] = [
  ['the default store', () => undefined],
  ['a Map', () => new Map() as Entries],
  ['quick-lru', () => new QuickLRU<string, Entry<string>>({ maxSize: 100 })],
  ['lru-cache', () => new LRUCache<string, Entry<string>>({ max: 100 })],
  ['perInstance', () => perInstance(() => new Map() as Entries)],
];

describe.each(stores)('tags with %s', (_, cache) => {
  function open(options: Options = {}) {
    const { onEvent, of } = listen();
    let version = 0;
    const f = memoizeAsync(async (id: number) => `${id}, version ${(version += 1)}`, {
      name: 'f',
      cache: cache(),
      tags: (value, id) => [`id:${id}`, id % 2 === 0 ? 'even' : 'odd', `length:${value.length}`],
      onEvent,
      ...options,
    });
    return { f, of };
  }

  it('forgets what carries one of the tags, and nothing else', async () => {
    const { f } = open();
    for (const id of [1, 2, 3]) await f(id);
    await invalidateTags(f, ['odd', 'unknown']);
    expect([await f(1), await f(2), await f(3)]).toEqual(['1, version 4', '2, version 2', '3, version 5']);
    await invalidateTags(f, new Set(['id:2']));
    expect([await f(1), await f(2)]).toEqual(['1, version 4', '2, version 6']);
  });

  it('is seen by has and peek', async () => {
    const { f } = open();
    await f(1);
    await invalidateTags(f, ['id:1']);
    expect([await f.has(1), await f.peek(1)]).toEqual([false, undefined]);
  });

  it('lets a later call join no run that began before, and keeps a result only if its tags allow it', async () => {
    const { fn, runs } = createSource();
    const { onEvent, of } = listen();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value], onEvent });
    const first = [f(1), f(2)];
    await flush();
    await invalidateTags(f, ['a']);
    const second = f(1);
    await flush();
    expect(runs).toHaveLength(3);
    runs[0]!.resolve('a');
    runs[1]!.resolve('b');
    expect(await Promise.all(first)).toEqual(['a', 'b']);
    // The result of the first run was refused, that of the second one kept.
    expect([await f.peek(1), await f.peek(2)]).toEqual([undefined, 'b']);
    expect(of('discard')).toHaveLength(1);
    runs[2]!.resolve('a');
    expect([await second, await f.peek(1)]).toEqual(['a', 'a']);
    expect(f.stats().discards).toBe(1);
  });

  it('never stores a run over a newer one of the same key', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
    const old = f(1);
    await flush();
    await invalidateTags(f, ['x']);
    const young = f(1);
    await flush();
    runs[1]!.resolve('young');
    await young;
    runs[0]!.resolve('old');
    await old;
    expect(await f.peek(1)).toBe('young');
  });

  it('stores a result though other tags are invalidated again and again', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
    const answers: Promise<string>[] = [];
    for (let call = 0; call < 3; call += 1) {
      answers.push(f(1));
      await flush();
      await invalidateTags(f, ['x']);
    }
    expect(runs).toHaveLength(3);
    runs[1]!.resolve('second');
    await answers[1];
    expect(await f.peek(1)).toBe('second');
    // The first one is older than what is stored, and the third one newer.
    runs[0]!.resolve('first');
    await answers[0];
    expect(await f.peek(1)).toBe('second');
    runs[2]!.resolve('third');
    await answers[2];
    expect(await f.peek(1)).toBe('third');
    expect(f.stats().discards).toBe(1);
  });

  it('falls back on the newest result, also in a run that began before it was there', async () => {
    const { fn, runs } = createSource();
    const windows = { ttl: 1_000, staleIfError: 60_000 };
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value], ...windows });
    const answers = [f(1)];
    await flush();
    runs[0]!.resolve('first');
    await answers[0];
    jest.setSystemTime(1_002_000);
    answers.push(f(1));
    await flush();
    await invalidateTags(f, ['x']);
    answers.push(f(1));
    await flush();
    runs[1]!.resolve('second');
    await answers[1];
    runs[2]!.reject(new Error('down'));
    expect(await Promise.all(answers)).toEqual(['first', 'second', 'second']);
    expect(f.stats()).toMatchObject({ runs: 3, errors: 1, fallbacks: 1 });
  });

  it('never has a call see what a primed value is to replace', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
    const old = f(1);
    await flush();
    runs[0]!.resolve('old');
    await old;
    const given = deferred<string>();
    const primed = f.prime([1], given.promise);
    await invalidateTags(f, ['x']);
    const answer = f(1);
    given.resolve('primed');
    await primed;
    expect([await answer, await f.peek(1), runs.length]).toEqual(['primed', 'primed', 1]);
    // Nor where that value is not stored.
    const late = deferred<string>();
    const refused = f.prime([1], late.promise);
    await invalidateTags(f, ['late']);
    late.resolve('late');
    await refused;
    expect(await f.peek(1)).toBeUndefined();
  });

  it('fences what it has loosened by a delete', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: ['t'] });
    const old = f(1);
    await flush();
    await invalidateTags(f, ['x']);
    await f.delete(1);
    runs[0]!.resolve('old');
    expect([await old, await f.peek(1)]).toEqual(['old', undefined]);
    const next = f(1);
    await flush();
    await invalidateTags(f, ['x']);
    await f.clear();
    runs[1]!.resolve('next');
    expect([await next, await f.peek(1)]).toEqual(['next', undefined]);
  });

  it('works for tags that are the same for all results, and for a refresh and a prime', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: ['all'] });
    const refreshed = f.refresh(1);
    await invalidateTags(f, ['all']);
    runs[0]!.resolve('one');
    expect([await refreshed, await f.peek(1)]).toEqual(['one', undefined]);
    await f.prime([1], 'primed');
    expect(await f.peek(1)).toBe('primed');
    await invalidateTags(f, ['all']);
    expect(await f.peek(1)).toBeUndefined();
    const value = Promise.resolve('late');
    const primed = f.prime([1], value);
    await invalidateTags(f, ['all']);
    await primed;
    expect(await f.peek(1)).toBeUndefined();
  });

  it('softly: the old value answers inside a stale window, and is refreshed', async () => {
    const { f } = open({ ttl: 60_000, staleWhileRevalidate: 10_000 });
    await f(1);
    await f(2);
    await invalidateTags(f, ['odd'], { soft: true });
    expect([await f(1), await f(2)]).toEqual(['1, version 1', '2, version 2']);
    await f.settled();
    expect(await f(1)).toBe('1, version 3');
    expect(f.stats()).toMatchObject({ stale: 1, hits: 2 });
    await invalidateTags(f, ['odd'], { soft: true });
    jest.setSystemTime(1_010_000);
    expect(await f.has(1)).toBe(false);
  });

  it('softly without a stale window forgets', async () => {
    const { f } = open();
    await f(1);
    await invalidateTags(f, ['odd'], { soft: true });
    expect([await f.has(1), await f(1)]).toEqual([false, '1, version 2']);
  });

  it('softly fences runs that began before', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), ttl: 60_000, staleIfError: 10_000, tags: ['t'] });
    const old = f(1);
    await flush();
    await invalidateTags(f, ['t'], { soft: true });
    runs[0]!.resolve('old');
    expect([await old, await f.has(1)]).toEqual(['old', false]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no tags');
      },
      'no tags',
    ],
    ['gives a string', () => 'abc' as never, '`tags` to give strings'],
    ['gives what is no string', () => [7] as never, 'got 7'],
    ['is asynchronous', (async () => ['a']) as never, '`tags` to give strings'],
  ] as [string, () => Iterable<string>, string][])(
    'stores nothing where the function %s',
    async (__, tags, message) => {
      const { f, of } = open({ tags });
      expect(await f(1)).toBe('1, version 1');
      expect(await f.has(1)).toBe(false);
      expect(of('store-error')).toMatchObject([
        { operation: 'set', error: { message: expect.stringContaining(message) } },
      ]);
    },
  );

  it('hits after an invalidation as before it', async () => {
    const { f } = open();
    await f(1);
    await invalidateTags(f, ['even']);
    for (let call = 0; call < 3; call += 1) await f(1);
    expect(f.stats()).toMatchObject({ hits: 3, runs: 1 });
  });
});

describe('invalidateTags', () => {
  it('crosses the wrappers of one store, and no other', async () => {
    const shared: Entries = new Map();
    const other: Entries = new Map();
    const make = (name: string, cache: Entries) =>
      memoizeAsync(async (id: number) => `${name} ${id}`, { name, cache, tags: (_value, id) => [`user:${id}`] });
    const [getUser, getOrders, apart] = [make('getUser', shared), make('getOrders', shared), make('getUser', other)];
    for (const f of [getUser, getOrders, apart]) await f(7);
    await invalidateTags(shared, ['user:7']);
    expect(await Promise.all([getUser.has(7), getOrders.has(7), apart.has(7)])).toEqual([false, false, true]);
  });

  it('takes a store before any wrapper has used it', async () => {
    const cache: Entries = new Map();
    await invalidateTags(cache, ['a']);
    const f = memoizeAsync(async () => 'value', { name: 'f', cache, tags: ['a'] });
    await f();
    expect(await f.has()).toBe(true);
  });

  it('takes a memoizer, a private store, and a method of a client', async () => {
    const memoize = createMemoizer({ name: 'm', tags: ['t'] });
    const [one, two] = [memoize(async () => 1, { name: 'one' }), memoize(async () => 2, { name: 'two' })];
    const client = memoizeMethods({ get: async () => 3 }, { get: { tags: ['t'] } });
    const all = [one, two, client.get];
    for (const f of all) await f();
    await invalidateTags(memoize, ['t']);
    expect(await Promise.all(all.map((f) => f.has()))).toEqual([false, false, true]);
    await one();
    await invalidateTags(one.cache as never, ['t']);
    await invalidateTags(client.get, ['t']);
    expect(await Promise.all([one.has(), client.get.has()])).toEqual([false, false]);
  });

  it('reaches every instance that a selector has seen', async () => {
    class Repository {
      readonly find = (): Promise<string> => find.call(this);
    }
    const find = memoizeAsync(
      async function (this: Repository) {
        return 'found';
      },
      { cache: perInstance(() => new Map() as Entries), tags: ['t'], name: 'find' },
    );
    const repositories = [new Repository(), new Repository()];
    for (const repository of repositories) await repository.find();
    await invalidateTags(find, ['t']);
    for (const repository of repositories) expect(await find.for(repository).has()).toBe(false);
  });

  it('does without a store: no later call joins', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { cache: null, tags: ['t'] });
    const one = f(1);
    await invalidateTags(f, ['t']);
    const two = f(1);
    expect(runs).toHaveLength(2);
    runs[0]!.resolve('a');
    runs[1]!.resolve('b');
    expect([await one, await two]).toEqual(['a', 'b']);
  });

  it('leaves what has no tags alone', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { cache: new Map() as Entries, name: 'f' });
    const one = f(1);
    await invalidateTags(f, ['t']);
    const two = f(1);
    expect(runs).toHaveLength(1);
    runs[0]!.resolve('a');
    expect([await one, await two]).toEqual(['a', 'a']);
  });

  it.each([
    [undefined, ['a'], {}, 'Expected a store, a memoized function or a memoizer, got undefined'],
    [() => 1, ['a'], {}, 'Expected a store, a memoized function or a memoizer, got'],
    [new Map(), 'abc', {}, 'Expected `tags` to be strings, got "abc"'],
    [new Map(), [7], {}, 'Expected `tags` to be strings, got 7'],
    [new Map(), undefined, {}, 'Expected `tags` to be strings, got undefined'],
    [new Map(), ['a'], { soft: 1 }, 'Expected `soft` to be true or false, got 1'],
    [new Map(), ['a'], true, 'Expected options to be a plain object, got true'],
    [new Keyv(), ['a'], {}, 'Expected a store that answers at once'],
    [tiered(new Map(), new Keyv()), ['a'], {}, 'Expected a store that answers at once'],
  ] as [never, never, never, string][])('rejects %p, %p, %p', async (cache, tags, options, message) => {
    await expect(invalidateTags(cache, tags, options)).rejects.toThrow(TypeError);
    await expect(invalidateTags(cache, tags, options)).rejects.toThrow(message);
  });
});

describe('tags beside a store that processes share', () => {
  /** Reads are answered by hand. */
  function open() {
    const reads: Deferred<Entry<string> | undefined>[] = [];
    const told = deferred<number>();
    const grant: Grant<string> = {
      lost: new AbortController().signal,
      begun: 1,
      commit: async () => 'stored',
      release: () => undefined,
    };
    const store: SharedStore<string> = {
      get: () => {
        const read = deferred<Entry<string> | undefined>();
        reads.push(read);
        return read.promise;
      },
      set: async () => undefined,
      delete: async () => true,
      deleteByPrefix: async () => undefined,
      acquire: async () => ({ grant }),
      begin: async () => grant,
      invalidateTags: () => told.promise,
    };
    const { fn, runs } = createSource<[]>();
    const f = memoizeAsync(fn, { name: 'f', cache: store, tags: ['t'] });
    return { f, reads, runs, store, told };
  }

  const old = { v: 1, value: 'old', storedAt: 1_000_000, tags: ['t'], begun: 1 } as const;

  it('lets no call join a read from before an invalidation', async () => {
    const { f, reads, runs, store, told } = open();
    const invalidated = invalidateTags(store, ['t']);
    const before = f();
    told.resolve(2);
    await invalidated;
    const after = f();
    expect(reads).toHaveLength(2);
    reads[0]!.resolve(old);
    expect(await before).toBe('old');
    reads[1]!.resolve(undefined);
    await flush();
    runs[0]!.resolve('new');
    expect(await after).toBe('new');
    expect(f.stats()).toMatchObject({ hits: 1, misses: 1, inFlight: 0 });
  });

  it.each([
    ['in turn', [0, 1]],
    ['out of turn', [1, 0]],
  ])('runs once where both find nothing, %s', async (_, order) => {
    const { f, reads, runs, store, told } = open();
    const before = f();
    told.resolve(2);
    await invalidateTags(store, ['t']);
    const after = f();
    for (const index of order) {
      reads[index]!.resolve(undefined);
      await flush();
    }
    expect(runs).toHaveLength(1);
    runs[0]!.resolve('new');
    expect([await before, await after]).toEqual(['new', 'new']);
    expect(f.stats()).toMatchObject({ misses: 1, joins: 1, inFlight: 0 });
  });

  it('lets later calls join the run after a read from before', async () => {
    const { f, reads, runs, store, told } = open();
    const before = f();
    told.resolve(2);
    await invalidateTags(store, ['t']);
    reads[0]!.resolve(undefined);
    await flush();
    const after = f();
    runs[0]!.resolve('new');
    expect([await before, await after]).toEqual(['new', 'new']);
    expect([reads.length, runs.length]).toEqual([1, 1]);
  });

  it('ignores what a read from before brings after a delete', async () => {
    const { f, reads, runs, store, told } = open();
    const before = f();
    told.resolve(2);
    await invalidateTags(store, ['t']);
    await f.delete();
    reads[0]!.resolve(old);
    await flush();
    runs[0]!.resolve('new');
    expect(await before).toBe('new');
    expect(f.stats().discards).toBe(0);
  });
});

describe('tags beside an asynchronous store', () => {
  it.each([
    ['Keyv', () => new Keyv()],
    ['tiered over Keyv', () => tiered(new Map(), new Keyv())],
  ])('are refused at once where it can be seen: %s', (_, cache) => {
    expect(() => memoizeAsync(async () => 1, { name: 'f', cache: cache(), tags: ['t'] })).toThrow(
      'Expected a store that answers at once',
    );
  });

  it('are refused when the store has answered, and nothing is stored', async () => {
    const { onEvent, of } = listen();
    const cache = digestKeys(new Keyv());
    const f = memoizeAsync(async () => 1, { name: 'f', cache, tags: ['t'], onEvent });
    expect([await f(), await f()]).toEqual([1, 1]);
    await expect(f.prime([], 2)).rejects.toThrow(TypeError);
    await f.settled();
    expect(await f.has()).toBe(false);
    expect(of('store-error')[0]!.error).toBeInstanceOf(TypeError);
  });
});

describe('the option `tags`', () => {
  it.each([[7], ['abc'], [[7]], [{}], [null]])('refuses %p', (tags) => {
    expect(() => memoizeAsync(async () => 1, { tags: tags as never })).toThrow(
      'Expected `tags` to be an array of strings or a function',
    );
  });

  it('is copied', async () => {
    const tags = ['a'];
    const f = memoizeAsync(async () => 1, { tags });
    tags[0] = 'b';
    await f();
    await invalidateTags(f, ['a']);
    expect(await f.has()).toBe(false);
  });
});

describe('what is refused takes nothing', () => {
  it('leaves the derived name to the next wrapper', () => {
    const cache = new Keyv();
    const load = async (): Promise<number> => 1;
    expect(() => memoizeAsync(load, { cache, tags: ['t'] })).toThrow('Expected a store that answers at once');
    expect(() => memoizeAsync(async () => 2, { cache, name: 'load' })).not.toThrow();
  });

  it('refuses an unknown option', async () => {
    await expect(invalidateTags(new Map(), ['t'], { sof: true } as never)).rejects.toThrow('Unknown option `sof`');
  });

  it('stores no array that a user can change', async () => {
    const cache: Entries = new Map();
    const f = memoizeAsync(async () => 'value', { name: 'f', cache, tags: ['t'] });
    await f();
    expect(() => (cache.get('f|()')!.tags as string[]).push('u')).toThrow(TypeError);
  });
});

describe('errors and tags', () => {
  it('remembers no error of a run that began before an invalidation', async () => {
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', tags: ['t'], errorTtl: 60_000 });
    const old = f(1);
    await invalidateTags(f, ['t']);
    runs[0]!.reject(new Error('from before'));
    await expect(old).rejects.toThrow('from before');
    const next = f(1);
    expect(runs).toHaveLength(2);
    runs[1]!.resolve('new');
    expect(await next).toBe('new');
  });
});
