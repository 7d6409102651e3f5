import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { LRUCache } from 'lru-cache';
import { RememberedErrors } from '../lib/in-flight/remembered-errors.js';
import { deferred, flush } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';
import type { Entry, Memoized } from 'aiocachetools';

const globals = { Promise, setTimeout };

afterEach(() => {
  Object.assign(globalThis, globals);
  jest.useRealTimers();
});

function deferredNumber() {
  let resolve: (value: number) => void = () => undefined;
  const promise = new Promise<number>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Replaces a global, as test tools and APM agents do. */
function replace(name: keyof typeof globals, value: unknown): void {
  Object.assign(globalThis, { [name]: value });
}

describe('in an environment that others change', () => {
  it.each(['at once', 'later'] as const)(
    'a `Promise` that is replaced after import wedges no key, on a store that answers %s',
    async (when) => {
      const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: new FaultyStore(when) });
      class Foreign {}
      replace('Promise', Foreign);
      const calls = [load(7), load(7)];
      replace('Promise', globals.Promise);
      expect(await Promise.all(calls)).toEqual([7, 7]);
      expect(await load(7)).toBe(7);
      expect(load.stats()).toMatchObject({ runs: 1, inFlight: 0 });
    },
  );

  it.each([
    ['returns nothing', () => undefined],
    [
      'throws',
      () => {
        throw new Error('no timers here');
      },
    ],
  ])('a `setTimeout` that %s wedges no key', async (_, fake) => {
    const load = memoizeAsync(async (id: number) => id, {
      name: 'load',
      cache: new FaultyStore('later'),
      timeout: 1_000,
      storeTimeout: 50,
    });
    replace('setTimeout', fake);
    expect(await load(7)).toBe(7);
    expect(await load(7)).toBe(7);
    expect(load.stats()).toMatchObject({ inFlight: 0 });
  });

  it('fake timers that come and go leave `storeTimeout` alive', async () => {
    const store = new FaultyStore('later');
    store.faults.get = 'hangs';
    const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: store, storeTimeout: 20 });
    jest.useFakeTimers();
    void load(1);
    jest.useRealTimers();
    const alive = setInterval(() => undefined, 1_000);
    expect(await load(2)).toBe(2);
    clearInterval(alive);
  });

  it('a promise with members of its own is handed out as a plain one, on every way', async () => {
    const load = memoizeAsync(
      (id: number) => Object.assign(Promise.resolve(id), { json: () => 'once' }) as Promise<number>,
      { name: 'load' },
    );
    const [run, joined] = [load(7), load(7)];
    await run;
    for (const promise of [run, joined, load(7)]) {
      expect(promise.constructor).toBe(Promise);
      expect(Object.keys(promise)).toEqual([]);
    }
  });

  it('a store whose `get` calls the wrapper for the same key gets one run', async () => {
    let runs = 0;
    const inner: Promise<number>[] = [];
    const entries = new Map<string, Entry<number>>();
    const store = {
      get: (key: string) => {
        if (inner.length === 0) inner.push(load(7));
        return entries.get(key);
      },
      set: (key: string, entry: Entry<number>) => entries.set(key, entry),
      delete: (key: string) => entries.delete(key),
    };
    const load = memoizeAsync(async (id: number) => id + ++runs, { name: 'load', cache: store });
    expect(await load(7)).toBe(8);
    expect(await Promise.all(inner)).toEqual([8]);
    expect(load.stats()).toMatchObject({ runs: 1, misses: 1, joins: 1, inFlight: 0 });
    inner.length = 0;
    expect(await load(7)).toBe(8);
    expect(await Promise.all(inner)).toEqual([8]);
    expect(load.stats()).toMatchObject({ runs: 1, hits: 1, joins: 2 });
  });

  it('a store whose `get` invalidates the key brings nothing', async () => {
    let version = 1;
    const entries = new Map<string, Entry<number>>();
    const store = {
      get: (key: string) => {
        const entry = entries.get(key);
        void load.delete(7);
        return entry;
      },
      set: (key: string, entry: Entry<number>) => entries.set(key, entry),
      delete: (key: string) => entries.delete(key),
    };
    const load = memoizeAsync(async (_id: number) => version, { name: 'load', cache: store });
    await load.prime([7], 0);
    version = 2;
    expect(await load(7)).toBe(2);
  });
});

describe('a store whose `get` calls the wrapper', () => {
  function nesting(act: (load: Load, depth: number) => void) {
    let depth = 0;
    const entries = new Map<string, Entry<number>>();
    const store = {
      get: (key: string) => {
        depth += 1;
        act(load, depth);
        return entries.get(key);
      },
      set: (key: string, entry: Entry<number>) => entries.set(key, entry),
      delete: (key: string) => entries.delete(key),
    };
    const load: Load = memoizeAsync(async (id: number) => id, { name: 'load', cache: store });
    return load;
  }
  type Load = Memoized<(id: number) => Promise<number>>;

  it('for another key answers both', async () => {
    let isOn = false;
    const inner: Promise<number>[] = [];
    const load = nesting((wrapper) => {
      if (isOn && inner.length === 0) inner.push(wrapper(1));
    });
    await load(0);
    isOn = true;
    expect(await load(0)).toBe(0);
    expect(new Set(await Promise.all(inner))).toEqual(new Set([1]));
  });

  it('for the same key, after it has primed it, answers every call', async () => {
    const inner: Promise<unknown>[] = [];
    const load = nesting((wrapper, depth) => {
      if (depth === 1) inner.push(wrapper(0), wrapper.prime([0], 5), wrapper(0));
      else if (depth === 2) inner.push(wrapper(0));
    });
    const outer = load(0);
    expect(await outer).toBeDefined();
    for (const answer of await Promise.all(inner.filter((_, index) => index !== 1))) expect([0, 5]).toContain(answer);
  });
});

describe('signals', () => {
  it('that abort each other let each caller leave once', async () => {
    const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
    const { promise, resolve } = deferredNumber();
    const load = memoizeAsync(
      async (id: number, ...options: { signal?: AbortSignal }[]) => {
        if (id === 1) options[0]?.signal?.addEventListener('abort', () => two.abort());
        return promise;
      },
      { name: 'load' },
    );
    const left = [load(1, { signal: one.signal }), load(2, { signal: one.signal }, { signal: two.signal })];
    const stays = load(2, { signal: three.signal }, { signal: three.signal });
    one.abort();
    for (const call of left) await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    resolve(7);
    expect(await stays).toBe(7);
    expect(load.stats()).toMatchObject({ aborts: 2 });
  });

  it('have one listener, however many calls share one', async () => {
    const gate = deferred<number>();
    const load = memoizeAsync(async (id: number, _options: { signal: AbortSignal }) => gate.promise.then(() => id));
    const { signal } = new AbortController();
    const calls = Array.from({ length: 50 }, (_, id) => load(id, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    gate.resolve(1);
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('without a reason, as polyfills have them, reject with an `AbortError`', async () => {
    class AbortSignalPolyfill extends EventTarget {
      aborted = false;
      get [Symbol.toStringTag](): string {
        return 'AbortSignal';
      }
    }
    const load = memoizeAsync(async (_id: number, _signal: unknown) => new Promise(() => undefined));
    const gone = Object.assign(new AbortSignalPolyfill(), { aborted: true });
    const leaving = new AbortSignalPolyfill();
    const calls = [load(1, gone), load.refresh(1, gone), load(1, leaving)];
    leaving.aborted = true;
    leaving.dispatchEvent(new Event('abort'));
    for (const call of calls) {
      const error: unknown = await call.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DOMException);
      expect(error).toMatchObject({ name: 'AbortError' });
    }
  });
});

describe('has and peek', () => {
  it.each([['lru-cache', () => new LRUCache<string, Entry<number>>({ max: 2 })]])(
    'leave the order of use alone in %s',
    async (_, createCache) => {
      const load = memoizeAsync(async (id: number) => id, { name: 'load', cache: createCache() });
      await load(1);
      await load(2);
      expect([await load.has(1), await load.peek(1)]).toEqual([true, 1]);
      await load(3);
      expect([await load.has(1), await load.has(2)]).toEqual([false, true]);
    },
  );
});

describe('settled', () => {
  it('waits for a function that no caller waits for any more, at most for its limit', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    const gate = deferred<number>();
    const load = memoizeAsync(async (_id: number) => gate.promise, { timeout: 10 });
    const call = expect(load(7)).rejects.toThrow('did not settle');
    await jest.advanceTimersByTimeAsync(10);
    await call;
    const ended: string[] = [];
    void load.settled().then(() => ended.push('all'));
    void load.settled(50).then(() => ended.push('limit'));
    await jest.advanceTimersByTimeAsync(49);
    expect(ended).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(['limit']);
    gate.resolve(1);
    await flush();
    expect(ended).toEqual(['limit', 'all']);
    await expect(load.settled(-1)).rejects.toThrow('Expected `limit` to be a number of milliseconds >= 0, got -1');
  });
});

describe('RememberedErrors', () => {
  it('drop what is over early, behind what stays long, and after fake timers have come and gone', async () => {
    const errors = new RememberedErrors();
    jest.useFakeTimers({ now: 1_000 });
    errors.remember('of a dead clock', new Error('no'), 1_010);
    await Promise.resolve();
    jest.useRealTimers();
    jest.useFakeTimers({ now: 1_000 });
    errors.remember('long', new Error('no'), 100_000);
    errors.remember('short', new Error('no'), 1_100);
    await jest.advanceTimersByTimeAsync(2_200);
    expect(errors.size).toBe(1);
    errors.forgetAll();
  });

  it('drop what is over, without being asked', async () => {
    jest.useFakeTimers({ now: 1_000 });
    const errors = new RememberedErrors();
    for (let id = 0; id < 900; id += 1) errors.remember(`${id}`, new Error('no'), 1_010);
    errors.remember('later', new Error('no'), 5_000);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(errors.size).toBe(1);
    await jest.advanceTimersByTimeAsync(4_000);
    expect(errors.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('`ttl: 0` with a stale window', () => {
  it('always asks, and serves the old value where that fails', async () => {
    let isDown = false;
    let version = 0;
    const load = memoizeAsync(
      async () => {
        if (isDown) throw new Error('down');
        return (version += 1);
      },
      { ttl: 0, staleIfError: 60_000 },
    );
    expect([await load(), await load()]).toEqual([1, 2]);
    isDown = true;
    expect(await load()).toBe(2);
  });
});

describe('the `cache` of a wrapper with the default store', () => {
  it('tells its size', async () => {
    const load = memoizeAsync(async (id: number) => id);
    await Promise.all([load(1), load(2)]);
    expect((load.cache as unknown as Map<string, unknown>).size).toBe(2);
  });
});
