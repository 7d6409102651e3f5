import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import { digestKeys, memoizeAsync, perInstance, tiered } from 'aiocachetools';
import { createSource, deferred, flush, listen } from './support/call-recorder.js';
import type { Entry, MemoizeOptions, SharedStore } from 'aiocachetools';
import type { Grant } from '../lib/store/store.js';
import type { Deferred } from './support/call-recorder.js';

type Options = MemoizeOptions<(id: number) => Promise<string>>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_000_000 });
});

afterEach(() => {
  jest.useRealTimers();
});

const stores: [string, () => Options['cache']][] = [
  ['the default store', () => undefined],
  ['a Map', () => new Map<string, Entry<string>>()],
  ['quick-lru', () => new QuickLRU<string, Entry<string>>({ maxSize: 100 })],
  ['lru-cache', () => new LRUCache<string, Entry<string>>({ max: 100 })],
  ['Keyv', () => new Keyv()],
  ['digestKeys over Keyv', () => digestKeys(new Keyv())],
  ['tiered over Keyv', () => tiered(new Map<string, Entry<string>>(), new Keyv())],
  ['perInstance', () => perInstance(() => new Map<string, Entry<string>>())],
];

describe.each(stores)('expire with %s', (_, cache) => {
  function open(options: Options = {}) {
    const { onEvent, types } = listen();
    let version = 0;
    const f = memoizeAsync(async (id: number) => `${id}, version ${(version += 1)}`, {
      name: 'f',
      cache: cache(),
      ttl: 60_000,
      onEvent,
      ...options,
    });
    return { f, types };
  }

  it('lets the old value answer inside a stale window, and refreshes it behind', async () => {
    const { f } = open({ staleWhileRevalidate: 10_000 });
    await f(7);
    await f.settled();
    expect(await f.expire(7)).toBe(true);
    expect(await f(7)).toBe('7, version 1');
    await f.settled();
    expect(await f(7)).toBe('7, version 2');
    expect(f.stats()).toMatchObject({ misses: 1, stale: 1, hits: 1, runs: 2 });
  });

  it('counts the window from the expiry', async () => {
    const { f } = open({ staleWhileRevalidate: 10_000 });
    await f(7);
    await f.settled();
    await f.expire(7);
    jest.setSystemTime(1_009_999);
    expect([await f.has(7), await f.peek(7)]).toEqual([true, '7, version 1']);
    // A second expiry does not lengthen it.
    expect(await f.expire(7)).toBe(true);
    jest.setSystemTime(1_010_000);
    expect(await f.has(7)).toBe(false);
    expect(await f.expire(7)).toBe(false);
    expect(await f(7)).toBe('7, version 2');
    expect(f.stats()).toMatchObject({ misses: 2, stale: 0 });
  });

  it('lets the old value answer an error inside `staleIfError`', async () => {
    let isDown = false;
    const f = memoizeAsync(
      async (id: number) => {
        if (isDown) throw new Error('down');
        return `value ${id}`;
      },
      { name: 'f', cache: cache(), ttl: 60_000, staleIfError: 10_000 },
    );
    await f(7);
    await f.settled();
    isDown = true;
    await f.expire(7);
    expect(await f(7)).toBe('value 7');
    expect(f.stats()).toMatchObject({ runs: 2, errors: 1, fallbacks: 1 });
  });

  it('is `delete` without a stale window', async () => {
    const { f } = open();
    await f(7);
    await f.settled();
    expect(await f.expire(7)).toBe(true);
    expect([await f.has(7), await f.expire(7)]).toEqual([false, false]);
    expect(await f(7)).toBe('7, version 2');
  });

  it('says false where nothing is stored, and leaves other keys alone', async () => {
    const { f } = open({ staleWhileRevalidate: 10_000 });
    await f(8);
    await f.settled();
    expect(await f.expire(7)).toBe(false);
    expect(await f(8)).toBe('8, version 1');
    expect(f.stats()).toMatchObject({ hits: 1, runs: 1 });
  });

  it('fences runs that started before', async () => {
    const { fn, runs } = createSource();
    const { onEvent, types } = listen();
    const f = memoizeAsync(fn, { name: 'f', cache: cache(), ttl: 60_000, staleWhileRevalidate: 10_000, onEvent });
    const before = f(7);
    await flush();
    expect(await f.expire(7)).toBe(false);
    const after = f(7);
    await flush();
    expect(runs).toHaveLength(2);
    runs[0]!.resolve('old');
    runs[1]!.resolve('new');
    expect([await before, await after]).toEqual(['old', 'new']);
    await f.settled();
    expect(await f.peek(7)).toBe('new');
    expect(types()).toContain('discard');
  });

  it('forgets a remembered error', async () => {
    let isDown = false;
    const f = memoizeAsync(
      async (id: number) => {
        if (isDown) throw new Error('down');
        return `value ${id}`;
      },
      { name: 'f', cache: cache(), ttl: 1_000, staleWhileRevalidate: 10_000, errorTtl: 60_000 },
    );
    isDown = true;
    await expect(f(7)).rejects.toThrow('down');
    isDown = false;
    await f.expire(7);
    expect(await f(7)).toBe('value 7');
  });
});

describe('expire with an asynchronous store', () => {
  it('is in force at once, while the store is slow', async () => {
    const entries = new Map<string, Entry<string>>();
    const gates = [deferred<void>(), deferred<void>()];
    let isSlow = false;
    const slow = async <T>(act: () => T): Promise<T> => {
      if (isSlow) await gates[0]!.promise;
      return act();
    };
    const cache = {
      get: (key: string) => slow(() => entries.get(key)),
      set: (key: string, entry: Entry<string>) => slow(() => void entries.set(key, entry)),
      delete: (key: string) => slow(() => entries.delete(key)),
    };
    const { fn, runs } = createSource();
    const f = memoizeAsync(fn, { name: 'f', cache, ttl: 60_000, staleWhileRevalidate: 10_000 });
    const first = f(7);
    await flush();
    runs[0]!.resolve('one');
    await first;
    await f.settled();
    isSlow = true;
    const looking = f(7);
    const expired = f.expire(7);
    const after = f(7);
    gates[0]!.resolve();
    // Both read the old entry, and see it expired.
    expect([await looking, await after]).toEqual(['one', 'one']);
    expect(await expired).toBe(true);
    expect(f.stats()).toMatchObject({ hits: 0, runs: 2 });
    runs[1]!.resolve('two');
    await f.settled();
    expect(await f(7)).toBe('two');
  });

  it('expires what still waits to be written', async () => {
    const entries = new Map<string, Entry<string>>();
    const gate = deferred<void>();
    const cache = {
      get: async (key: string) => entries.get(key),
      set: async (key: string, entry: Entry<string>) => {
        await gate.promise;
        entries.set(key, entry);
      },
      delete: async (key: string) => entries.delete(key),
    };
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache,
      ttl: 60_000,
      staleWhileRevalidate: 10_000,
    });
    await f(7);
    const expired = f.expire(7);
    gate.resolve();
    expect(await expired).toBe(true);
    expect(entries.get('f|7') ?? entries.get('f|#7')).toMatchObject({ freshUntil: 1_000_000 });
  });

  it('rejects with the error of the store, and the entry stays expired in this process', async () => {
    const entries = new Map<string, Entry<string>>();
    let isBroken = false;
    const cache = {
      get: async (key: string) => entries.get(key),
      set: async (key: string, entry: Entry<string>) => {
        if (isBroken) throw new Error('read-only');
        entries.set(key, entry);
      },
      delete: async (key: string) => entries.delete(key),
    };
    const { onEvent, of } = listen();
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache,
      ttl: 60_000,
      staleWhileRevalidate: 10_000,
      onEvent,
    });
    await f(7);
    await f.settled();
    isBroken = true;
    await expect(f.expire(7)).rejects.toThrow('read-only');
    expect(of('store-error')).toMatchObject([{ operation: 'delete' }]);
    await f(7);
    expect(f.stats()).toMatchObject({ stale: 1, hits: 0 });
  });

  it('remembers no more than a thousand expiries one by one', async () => {
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: new Keyv(),
      ttl: 60_000,
      staleWhileRevalidate: 10_000,
    });
    for (let id = 0; id <= 1_002; id += 1) await f(id);
    await f.settled();
    for (let id = 0; id <= 1_001; id += 1) await f.expire(id);
    await f(0);
    await f(1_002);
    // Too much is expired then, which costs a refresh.
    expect(f.stats()).toMatchObject({ stale: 2, hits: 0 });
  });
});

describe('expire in a store that answers late', () => {
  /** A store whose reads, and then writes, are held back. */
  function open() {
    const entries = new Map<string, Entry<string>>();
    const held: { get?: Deferred<void>; set?: Deferred<void>; delete?: Deferred<void> } = {};
    const store = {
      get: async (key: string) => {
        const found = entries.get(key);
        await held.get?.promise;
        return found;
      },
      set: async (key: string, entry: Entry<string>) => {
        await held.set?.promise;
        entries.set(key, entry);
      },
      delete: async (key: string) => {
        await held.delete?.promise;
        return entries.delete(key);
      },
      keys: () => entries.keys(),
    };
    let version = 0;
    const f = memoizeAsync(async (id: number) => `${id}, version ${(version += 1)}`, {
      name: 'f',
      cache: store,
      ttl: 60_000,
      staleWhileRevalidate: 60_000,
    });
    const expireLate = async (): Promise<void> => {
      const expired = f.expire(7);
      void expired.catch(() => undefined);
      await flush();
      jest.advanceTimersByTime(1_001);
      await expect(expired).rejects.toThrow('within 1000 ms');
    };
    return { f, entries, held, expireLate };
  }

  it('does not bring back what was deleted meanwhile, be it with the read or the write', async () => {
    for (const what of ['get', 'set'] as const) {
      const { f, entries, held, expireLate } = open();
      await f(7);
      await f.settled();
      const late = (held[what] = deferred<void>());
      await expireLate();
      await f.delete(7);
      late.resolve();
      await flush();
      expect(entries.size).toBe(0);
    }
  });

  it.each(['delete', 'clear'] as const)('shows nothing while a %s is under way', async (control) => {
    const { f, entries, held } = open();
    await f(7);
    await f.settled();
    const late = (held.delete = deferred<void>());
    const forgotten = control === 'delete' ? f.delete(7) : f.clear();
    await flush();
    const expired = f.expire(7);
    expect(await f.peek(7)).toBeUndefined();
    late.resolve();
    await forgotten;
    expect([await expired, entries.size]).toEqual([false, 0]);
  });

  it('asks a store that calls do not ask for a while', async () => {
    const { f, entries, held } = open();
    await f(7);
    await f.settled();
    const late = (held.get = deferred<void>());
    for (let read = 0; read < 5; read += 1) {
      void f.has(7);
      jest.advanceTimersByTime(1_001);
      await flush();
    }
    delete held.get;
    late.resolve();
    const { storeErrors } = f.stats();
    expect(await f.has(7)).toBe(false);
    expect(f.stats().storeErrors).toBe(storeErrors + 1);
    expect(await f.expire(7)).toBe(true);
    expect([...entries.values()]).toMatchObject([{ value: '7, version 1', freshUntil: Date.now() }]);
  });

  it('does not replace what was stored meanwhile', async () => {
    const { f, entries, held, expireLate } = open();
    await f(7);
    await f.settled();
    const late = (held.get = deferred<void>());
    await expireLate();
    delete held.get;
    await f.refresh(7);
    await f.settled();
    late.resolve();
    await flush();
    expect([...entries.values()]).toMatchObject([{ value: '7, version 2', freshUntil: expect.any(Number) }]);
    expect(await f(7)).toBe('7, version 2');
    expect(f.stats()).toMatchObject({ hits: 1, stale: 0 });
  });
});

describe('expire in a store that processes share', () => {
  /** Each command is answered by hand. */
  function open() {
    const sent: string[] = [];
    const answers: Deferred<boolean>[] = [];
    const ask = (command: string): Promise<boolean> => {
      const answer = deferred<boolean>();
      sent.push(command);
      answers.push(answer);
      return answer.promise;
    };
    const grant: Grant<string> = {
      lost: new AbortController().signal,
      commit: async () => 'stored',
      release: () => undefined,
    };
    const cache: SharedStore<string> = {
      get: async () => ({ v: 1, value: 'old', storedAt: 1_000_000, freshUntil: 1_060_000 }),
      set: async () => undefined,
      delete: () => ask('delete'),
      deleteByPrefix: () => ask('clear'),
      acquire: async () => ({ grant }),
      begin: async () => grant,
      expire: () => ask('expire'),
    };
    const options = { name: 'f', cache, ttl: 60_000, staleWhileRevalidate: 60_000, storeTimeout: 500 };
    return { f: memoizeAsync(async () => 'new', options), sent, answers };
  }

  it.each(['delete', 'clear'] as const)('is sent behind a %s, which may fail', async (control) => {
    const { f, sent, answers } = open();
    const forgotten = control === 'delete' ? f.delete() : f.clear();
    await flush();
    const expired = f.expire();
    expect(await f.peek()).toBeUndefined();
    expect(sent).toEqual([control]);
    answers[0]!.reject(new Error('not forgotten'));
    await expect(forgotten).rejects.toThrow('not forgotten');
    await flush();
    expect(sent).toEqual([control, 'expire']);
    answers[1]!.resolve(true);
    expect(await expired).toBe(true);
  });

  it('is over when what was sent in its place is', async () => {
    const { f, sent, answers } = open();
    const done: string[] = [];
    const follow = (name: string, answer: Promise<boolean>): void => {
      answer.then(
        (value) => done.push(`${name}: ${value}`),
        (error: Error) => done.push(`${name}: ${error.message}`),
      );
    };
    follow('first', f.delete());
    follow('second', f.expire());
    follow('third', f.expire());
    await flush();
    answers[0]!.resolve(true);
    await flush();
    expect([sent, done]).toEqual([['delete', 'expire'], ['first: true']]);
    follow('fourth', f.expire());
    follow('fifth', f.delete());
    answers[1]!.resolve(true);
    await flush();
    expect(done.slice(1).sort()).toEqual(['second: true', 'third: true']);
    answers[2]!.reject(new Error('no delete'));
    await flush();
    expect(sent).toEqual(['delete', 'expire', 'delete']);
    expect(done.slice(3).sort()).toEqual(['fifth: no delete', 'fourth: no delete']);
  });

  it('is sent ahead of a clear', async () => {
    const { f, sent, answers } = open();
    const all = [f.delete(), f.expire(), f.clear()];
    await flush();
    for (let index = 0; index < 3; index += 1) {
      answers[index]!.resolve(true);
      await flush();
    }
    await Promise.all(all);
    expect(sent).toEqual(['delete', 'expire', 'clear']);
  });
});

describe('expire of stores that have a method of that name, or two tiers', () => {
  it('calls no method of a user', async () => {
    const entries = new Map<string, Entry<string>>();
    const calls: unknown[] = [];
    const cache = {
      get: (key: string) => entries.get(key),
      set: (key: string, entry: Entry<string>) => void entries.set(key, entry),
      delete: (key: string) => entries.delete(key),
      expire: (...args: unknown[]) => calls.push(args),
    };
    const f = memoizeAsync(async (id: number) => `value ${id}`, { name: 'f', cache, ttl: 60_000, staleIfError: 1_000 });
    await f(7);
    expect(await f.expire(7)).toBe(true);
    expect(calls).toEqual([]);
    expect(entries.get('f|#7')).toMatchObject({ freshUntil: 1_000_000 });
  });

  it('expires what is far, not what is near', async () => {
    const far = new Keyv();
    const open = (version: string) =>
      memoizeAsync(async (id: number) => `${version} ${id}`, {
        name: 'f',
        cache: tiered(new Map(), far),
        ttl: 60_000,
        staleWhileRevalidate: 10_000,
      });
    const [one, two] = [open('old'), open('new')];
    await one(7);
    await one.settled();
    await two.refresh(7);
    await two.settled();
    expect(await one.peek(7)).toBe('old 7');
    expect(await one.expire(7)).toBe(true);
    expect(await one.peek(7)).toBe('new 7');
  });
});
