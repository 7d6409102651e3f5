import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Memoized, Store } from '../lib/index.js';
import { count, createSource, deferred, flush, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

type Load = (id: number) => Promise<string>;
type Loader = Memoized<Load>;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

const answering = ['at once', 'later'] as const;
const forgetting = {
  delete: (load: Loader): Promise<unknown> => load.delete(1),
  clear: (load: Loader): Promise<unknown> => load.clear(),
};
const fencing = { ...forgetting, prime: (load: Loader): Promise<unknown> => load.prime([1], 'primed') };

/** One loader, or two of one name on one store: calls go through the first, controls through the last. */
const wrappers = { 'by the same wrapper': 1, 'by another wrapper on the store': 2 } as const;

function rig(answers: (typeof answering)[number], wrapperCount: 1 | 2 = 1) {
  const source = createSource();
  const store = new FaultyStore(answers);
  const heard = listen();
  const load: Loader = memoizeAsync<Load>(source.fn, {
    name: 'load',
    cache: store as Store<string>,
    onEvent: heard.onEvent,
  });
  const other: Loader =
    wrapperCount === 1
      ? load
      : memoizeAsync<Load>(source.fn, { name: 'load', cache: store as Store<string>, onEvent: heard.onEvent });
  const stored = (): unknown => store.entries.get(`load|${load.keyOf(1)}`)?.value;
  return { source, store, heard, load, other, stored };
}

async function settledAll(...loaders: Loader[]): Promise<void> {
  for (const loader of loaders) {
    await loader.settled();
    expect(loader.stats().inFlight).toBe(0);
  }
}

describe.each(answering)('a fence on a store that answers %s', (answers) => {
  describe.each(Object.entries(wrappers))('%s', (_who, wrapperCount) => {
    it.each(Object.entries(forgetting))(
      '%s: a run that started before answers its callers and is not written',
      async (_name, forget) => {
        const { source, store, heard, load, other } = rig(answers, wrapperCount);
        const before = load(1);
        await flush();
        const forgotten = forget(other);
        const after = load(1);
        await flush();
        expect(source.runs).toHaveLength(2);
        source.runs[0]!.resolve('old');
        await expect(before).resolves.toBe('old');
        await flush();
        expect(store.entries.size).toBe(0);
        source.runs[1]!.resolve('new');
        await expect(after).resolves.toBe('new');
        await forgotten;
        await settledAll(load, other);
        await expect(load(1)).resolves.toBe('new');
        expect(heard.of('discard')).toEqual([{ type: 'discard', name: 'load', key: load.keyOf(1) }]);
      },
    );

    it.each(Object.entries(forgetting))(
      '%s: removal is by identity when the old run settles last',
      async (_name, forget) => {
        const { source, load, other, stored } = rig(answers, wrapperCount);
        const before = load(1);
        await flush();
        await forget(other);
        const after = load(1);
        await flush();
        source.runs[0]!.resolve('old');
        await before;
        const joined = load(1);
        await flush();
        expect(source.runs).toHaveLength(2);
        source.runs[1]!.resolve('new');
        await expect(Promise.all([after, joined])).resolves.toEqual(['new', 'new']);
        await settledAll(load, other);
        expect(stored()).toBe('new');
      },
    );

    it.each(Object.entries(forgetting))('%s: an old run that fails leaves the new one alone', async (_name, forget) => {
      const { source, load, other, stored } = rig(answers, wrapperCount);
      const before = load(1).catch(() => 'failed');
      await flush();
      await forget(other);
      const after = load(1);
      await flush();
      source.runs[0]!.reject(new Error('down'));
      await expect(before).resolves.toBe('failed');
      const joined = load(1);
      await flush();
      source.runs[1]!.resolve('new');
      await expect(Promise.all([after, joined])).resolves.toEqual(['new', 'new']);
      await settledAll(load, other);
      expect(stored()).toBe('new');
    });

    it.each(Object.entries(forgetting))(
      '%s: what is stored is gone from the moment of the call',
      async (_name, forget) => {
        const { source, load, other } = rig(answers, wrapperCount);
        const first = load(1);
        await flush();
        source.runs[0]!.resolve('old');
        await first;
        await settledAll(load);
        const forgotten = forget(other);
        const after = load(1);
        await flush();
        source.runs[1]!.resolve('new');
        await expect(after).resolves.toBe('new');
        await forgotten;
        await settledAll(load, other);
        await expect(load.peek(1)).resolves.toBe('new');
      },
    );

    it.each(Object.entries(forgetting))(
      '%s: a refresh and a background run are not written either',
      async (_name, forget) => {
        const { source, store, load, other } = rig(answers, wrapperCount);
        const refreshed = load.refresh(1);
        await flush();
        await forget(other);
        source.runs[0]!.resolve('old');
        await expect(refreshed).resolves.toBe('old');
        await settledAll(load, other);
        expect(store.entries.size).toBe(0);
      },
    );

    it('prime: calls made after it get the primed value, a run that started before is not written', async () => {
      const { source, load, other, stored, heard } = rig(answers, wrapperCount);
      const before = load(1);
      await flush();
      const primed = other.prime([1], 'primed');
      const after = load(1);
      await primed;
      await expect(after).resolves.toBe('primed');
      await expect(load(1)).resolves.toBe('primed');
      source.runs[0]!.resolve('old');
      await expect(before).resolves.toBe('old');
      await settledAll(load, other);
      expect(stored()).toBe('primed');
      expect(source.runs).toHaveLength(1);
      expect(heard.of('discard')).toHaveLength(1);
    });

    it('prime: calls wait for a value on its way', async () => {
      const { source, load, other, stored } = rig(answers, wrapperCount);
      const before = load(1);
      await flush();
      const value = deferred<string>();
      const primed = other.prime([1], value.promise);
      const after = load(1);
      source.runs[0]!.resolve('old');
      await expect(before).resolves.toBe('old');
      const later = load(1);
      value.resolve('primed');
      await expect(Promise.all([after, later, primed])).resolves.toEqual(['primed', 'primed', undefined]);
      await settledAll(load, other);
      expect(stored()).toBe('primed');
      expect(source.runs).toHaveLength(1);
    });

    it('prime: a value that fails rejects the prime and who joined it, and leaves what is stored', async () => {
      const { source, load, other } = rig(answers, wrapperCount);
      await load.prime([1], 'stored');
      const value = deferred<string>();
      const primed = other.prime([1], value.promise).catch((error: unknown) => error);
      const joined = load(1).catch((error: unknown) => error);
      const error = new Error('no value');
      value.reject(error);
      expect(await primed).toBe(error);
      expect(await joined).toBe(error);
      await settledAll(load, other);
      await expect(load(1)).resolves.toBe('stored');
      expect(source.runs).toHaveLength(0);
    });

    it.each(Object.entries(forgetting))(
      '%s: a primed value on its way is not written and not joined again',
      async (_name, forget) => {
        const { source, load, other, store, heard } = rig(answers, wrapperCount);
        const value = deferred<string>();
        const primed = load.prime([1], value.promise);
        const before = load(1);
        await forget(other);
        const after = load(1);
        await flush();
        value.resolve('primed');
        await expect(Promise.all([primed, before])).resolves.toEqual([undefined, 'primed']);
        expect(store.entries.size).toBe(0);
        source.runs[0]!.resolve('new');
        await expect(after).resolves.toBe('new');
        await settledAll(load, other);
        expect(heard.of('discard')).toHaveLength(1);
      },
    );

    it('prime: the later of two is the one that counts', async () => {
      const { load, other, stored } = rig(answers, wrapperCount);
      const [slow, fast] = [deferred<string>(), deferred<string>()];
      const first = load.prime([1], slow.promise);
      const second = other.prime([1], fast.promise);
      const call = load(1);
      fast.resolve('second');
      await second;
      slow.resolve('first');
      await first;
      await expect(call).resolves.toBe('second');
      await settledAll(load, other);
      expect(stored()).toBe('second');
    });

    it('refresh: starts beside a plain run and fences it', async () => {
      const { source, load, other, stored, heard } = rig(answers, wrapperCount);
      const before = load(1);
      await flush();
      const refreshed = other.refresh(1);
      const joined = load(1);
      await flush();
      expect(source.runs).toHaveLength(2);
      source.runs[1]!.resolve('new');
      await expect(Promise.all([refreshed, joined])).resolves.toEqual(['new', 'new']);
      source.runs[0]!.resolve('old');
      await expect(before).resolves.toBe('old');
      await settledAll(load, other);
      expect(stored()).toBe('new');
      expect(heard.of('discard')).toHaveLength(1);
    });

    it('refresh: calls are answered from the stored entry meanwhile', async () => {
      const { source, load, other } = rig(answers, wrapperCount);
      await load.prime([1], 'stored');
      const refreshed = other.refresh(1);
      await expect(load(1)).resolves.toBe('stored');
      source.runs[0]!.resolve('new');
      await refreshed;
      await expect(load(1)).resolves.toBe('new');
      await settledAll(load, other);
    });

    it('refresh: concurrent ones share a run, and a failed one leaves the stored entry', async () => {
      const { source, load, other } = rig(answers, wrapperCount);
      await load.prime([1], 'stored');
      const outcomes = [load.refresh(1), other.refresh(1)].map((refreshed) =>
        refreshed.catch((error: unknown) => error),
      );
      await flush();
      expect(source.runs).toHaveLength(1);
      const error = new Error('down');
      source.runs[0]!.reject(error);
      expect(await Promise.all(outcomes)).toEqual([error, error]);
      await expect(load(1)).resolves.toBe('stored');
      const again = load.refresh(1);
      await flush();
      source.runs[1]!.resolve('new');
      await expect(again).resolves.toBe('new');
      await settledAll(load, other);
    });

    it('refresh: a failed one leaves no call behind that joined it', async () => {
      const { source, load, other } = rig(answers, wrapperCount);
      const refreshed = other.refresh(1).catch(() => 'failed');
      const joined = load(1).catch(() => load(1));
      await flush();
      source.runs[0]!.reject(new Error('down'));
      await flush();
      source.runs[1]!.resolve('new');
      await expect(Promise.all([refreshed, joined])).resolves.toEqual(['failed', 'new']);
      await settledAll(load, other);
    });

    it.each(Object.entries(fencing))('%s: a second refresh starts anew after it', async (_name, fence) => {
      const { source, load, other } = rig(answers, wrapperCount);
      const before = load.refresh(1);
      await flush();
      await fence(other);
      const after = load.refresh(1);
      await flush();
      expect(source.runs).toHaveLength(2);
      source.runs[0]!.resolve('old');
      source.runs[1]!.resolve('new');
      await expect(Promise.all([before, after])).resolves.toEqual(['old', 'new']);
      await settledAll(load, other);
      await expect(load(1)).resolves.toBe('new');
    });
  });

  it('leaves other keys alone', async () => {
    const { source, load } = rig(answers);
    const calls = [load(1), load(2)];
    await flush();
    await load.delete(2);
    await load.prime([3], 'three');
    void load.refresh(4);
    const joined = load(1);
    source.runs[0]!.resolve('one');
    source.runs[1]!.resolve('two');
    await expect(Promise.all([...calls, joined])).resolves.toEqual(['one', 'two', 'one']);
    source.runs[2]!.resolve('four');
    await settledAll(load);
    expect(await load.has(1)).toBe(true);
    expect(await load.has(2)).toBe(false);
  });

  it('says whether there was something to delete', async () => {
    const { load } = rig(answers);
    await expect(load.delete(1)).resolves.toBe(false);
    await load.prime([1], 'value');
    await expect(load.delete(1)).resolves.toBe(true);
  });

  it('clears every entry of its name and no other', async () => {
    const { store, load } = rig(answers);
    const foreign = { v: 1, value: 'foreign', storedAt: Date.now() } as const;
    for (const key of ['loader|1', 'load', 'other|load|1']) store.entries.set(key, foreign);
    await load.prime([1], 'one');
    await load.prime([2], 'two');
    await load.clear();
    expect([...store.entries.keys()]).toEqual(['loader|1', 'load', 'other|load|1']);
  });
});

describe('a fence during a lookup', () => {
  it.each(Object.entries(forgetting))(
    '%s: what the read brings counts for nothing, and the run may be joined and written',
    async (_name, forget) => {
      const { source, store, load, stored } = rig('later');
      await load.prime([1], 'old');
      store.faults.get = 'hangs';
      const before = load(1);
      const forgotten = forget(load);
      const after = load(1);
      store.hung[0]!.land();
      await forgotten;
      await flush();
      expect(source.runs).toHaveLength(1);
      const joined = load(1);
      source.runs[0]!.resolve('new');
      await expect(Promise.all([before, after, joined])).resolves.toEqual(['new', 'new', 'new']);
      await settledAll(load);
      expect(stored()).toBe('new');
      expect(load.stats()).toMatchObject({ misses: 1, joins: 2, hits: 0, discards: 0 });
    },
  );

  it('is not undone by an old value that the read brings late', async () => {
    const { source, store, load } = rig('later');
    const old = { v: 1, value: 'old', storedAt: Date.now() } as const;
    store.faults.get = 'hangs';
    const before = load(1);
    await load.delete(1);
    store.entries.set(`load|${load.keyOf(1)}`, old);
    store.hung[0]!.land();
    await flush();
    source.runs[0]!.resolve('new');
    await expect(before).resolves.toBe('new');
  });

  it('prime: the call takes the primed value', async () => {
    const { source, store, load, heard } = rig('later');
    store.faults.get = 'hangs';
    const before = load(1);
    await load.prime([1], 'primed');
    const after = load(1);
    await flush();
    for (const operation of store.hung) operation.land();
    await expect(Promise.all([before, after])).resolves.toEqual(['primed', 'primed']);
    await settledAll(load);
    expect(source.runs).toHaveLength(0);
    expect(heard.of('hit').length + heard.of('join').length).toBe(2);
  });

  it('prime: the call waits for a value on its way, and with it a signal may leave', async () => {
    const { store, load, heard } = rig('later');
    const signalled = load as unknown as (id: number, signal: AbortSignal) => Promise<string>;
    store.faults.get = 'hangs';
    const caller = new AbortController();
    const before = load(1);
    const leaver = signalled(1, caller.signal).catch((error: unknown) => error);
    const value = deferred<string>();
    const primed = load.prime([1], value.promise);
    store.hung[0]!.land();
    await flush();
    caller.abort('left');
    expect(await leaver).toBe('left');
    value.resolve('primed');
    await expect(Promise.all([before, primed])).resolves.toEqual(['primed', undefined]);
    await settledAll(load);
    expect(heard.types()).toEqual(['join', 'join', 'abort']);
  });

  it.each(['before the read answers', 'after the read has answered'])(
    'prime: the call runs when the value fails %s',
    async (when) => {
      const { source, store, load, stored } = rig('later');
      store.faults.get = 'hangs';
      const before = load(1);
      const value = deferred<string>();
      const primed = load.prime([1], value.promise).catch(() => 'prime failed');
      if (when === 'after the read has answered') {
        store.hung[0]!.land();
        await flush();
      }
      value.reject(new Error('no value'));
      await expect(primed).resolves.toBe('prime failed');
      store.hung[0]!.land();
      await flush();
      expect(source.runs).toHaveLength(1);
      const joined = load(1);
      store.hung[1]?.land();
      await flush();
      source.runs[0]!.resolve('new');
      await expect(Promise.all([before, joined])).resolves.toEqual(['new', 'new']);
      await settledAll(load);
      expect(stored()).toBe('new');
      expect(source.runs).toHaveLength(1);
    },
  );

  it('prime: where the value fails, the call joins what runs by then', async () => {
    const { source, store, load } = rig('later');
    store.faults.get = 'hangs';
    const before = load(1);
    const value = deferred<string>();
    const primed = load.prime([1], value.promise).catch(() => 'prime failed');
    store.hung[0]!.land();
    await flush();
    const refreshed = load.refresh(1);
    value.reject(new Error('no value'));
    await primed;
    await flush();
    source.runs[0]!.resolve('refreshed');
    await expect(Promise.all([before, refreshed])).resolves.toEqual(['refreshed', 'refreshed']);
    await settledAll(load);
    expect(source.runs).toHaveLength(1);
  });

  it('refresh: the call is answered from the store', async () => {
    const { source, store, load } = rig('later');
    await load.prime([1], 'stored');
    store.faults.get = 'hangs';
    const call = load(1);
    const refreshed = load.refresh(1);
    store.hung[0]!.land();
    await expect(call).resolves.toBe('stored');
    source.runs[0]!.resolve('new');
    await expect(refreshed).resolves.toBe('new');
    await settledAll(load);
  });

  it('refresh: the call that finds nothing joins it', async () => {
    const { source, store, load } = rig('later');
    store.faults.get = 'hangs';
    const call = load(1);
    const refreshed = load.refresh(1);
    store.hung[0]!.land();
    await flush();
    source.runs[0]!.resolve('new');
    await expect(Promise.all([call, refreshed])).resolves.toEqual(['new', 'new']);
    expect(source.runs).toHaveLength(1);
    expect(load.stats()).toMatchObject({ joins: 1, misses: 0 });
  });

  it('refresh: the call takes its value where it is done before the read', async () => {
    const { source, store, load } = rig('later');
    await load.prime([1], 'stored');
    store.faults.get = 'hangs';
    const call = load(1);
    const refreshed = load.refresh(1);
    source.runs[0]!.resolve('new');
    await refreshed;
    store.hung[0]!.land();
    await expect(call).resolves.toBe('new');
    await settledAll(load);
  });

  it.each([0, 10, () => 0])('refresh: with a ttl of %p its value is gone before the read answers', async (ttl) => {
    const source = createSource();
    const store = new FaultyStore('later');
    const load = memoizeAsync<Load>(source.fn, { name: 'load', cache: store as Store<string>, ttl });
    store.faults.get = 'hangs';
    const call = load(1);
    const refreshed = load.refresh(1);
    source.runs[0]!.resolve('refreshed');
    await refreshed;
    await jest.advanceTimersByTimeAsync(20);
    const joined = load(1);
    store.hung[0]!.land();
    await flush();
    source.runs[1]!.resolve('new');
    await expect(Promise.all([call, joined])).resolves.toEqual(['new', 'new']);
    await settledAll(load);
  });

  it('refresh: its value is forgotten by a delete before the read answers', async () => {
    const { source, store, load } = rig('later');
    store.faults.get = 'hangs';
    const call = load(1);
    const refreshed = load.refresh(1);
    source.runs[0]!.resolve('refreshed');
    await refreshed;
    await load.delete(1);
    const after = load(1);
    store.hung[0]!.land();
    await flush();
    source.runs[1]!.resolve('new');
    await expect(Promise.all([call, after])).resolves.toEqual(['new', 'new']);
    await settledAll(load);
  });
});

describe('a fence while a write is under way', () => {
  it.each(Object.entries(forgetting))(
    '%s: is sent after the write, and the entry is gone meanwhile',
    async (_name, forget) => {
      const { source, store, load, stored } = rig('later');
      const first = load(1);
      await flush();
      store.faults.set = 'hangs';
      source.runs[0]!.resolve('old');
      await first;
      const forgotten = forget(load);
      const deletes = count(store.calls, 'delete');
      const after = load(1);
      await flush();
      expect(source.runs).toHaveLength(2);
      expect(count(store.calls, 'delete')).toBe(deletes);
      expect(await load.has(1)).toBe(false);
      store.hung[0]!.land();
      await forgotten;
      expect(stored()).toBeUndefined();
      store.faults.set = undefined;
      source.runs[1]!.resolve('new');
      await expect(after).resolves.toBe('new');
      await settledAll(load);
      expect(stored()).toBe('new');
    },
  );

  it.each(Object.entries(forgetting))('%s: a write that waits its turn is not sent any more', async (_name, forget) => {
    const { store, load, stored } = rig('later');
    store.faults.set = 'hangs';
    const first = load.prime([1], 'first');
    const second = load.prime([1], 'second');
    const forgotten = forget(load);
    expect(store.hung).toHaveLength(1);
    store.hung[0]!.land();
    await first;
    expect(await load.peek(1)).toBeUndefined();
    await second;
    await forgotten;
    expect(store.hung).toHaveLength(1);
    expect(stored()).toBeUndefined();
    await settledAll(load);
  });

  it('orders prime after a write that is under way', async () => {
    const { source, store, load, stored } = rig('later');
    const first = load(1);
    await flush();
    store.faults.set = 'hangs';
    source.runs[0]!.resolve('old');
    await first;
    const primed = load.prime([1], 'primed');
    await expect(load(1)).resolves.toBe('primed');
    expect(store.hung).toHaveLength(1);
    store.hung[0]!.land();
    await flush();
    store.hung[1]!.land();
    await primed;
    expect(stored()).toBe('primed');
  });

  it('does not read an old entry while a slow delete is under way', async () => {
    const { source, store, load, stored } = rig('later');
    await load.prime([1], 'old');
    store.faults.delete = 'hangs';
    const deleted = load.delete(1);
    const call = load(1);
    await flush();
    expect(source.runs).toHaveLength(1);
    expect(await load.peek(1)).toBeUndefined();
    source.runs[0]!.resolve('new');
    await expect(call).resolves.toBe('new');
    await expect(load(1)).resolves.toBe('new');
    expect(stored()).toBe('old');
    store.hung[0]!.land();
    await expect(deleted).resolves.toBe(true);
    await settledAll(load);
    expect(stored()).toBe('new');
  });

  it('does not read old entries while a slow clear is under way', async () => {
    const { source, store, load } = rig('later');
    await load.prime([1], 'old');
    store.faults.keys = 'hangs';
    const cleared = load.clear();
    const calls = [load(1), load(2)];
    await flush();
    expect(source.runs).toHaveLength(2);
    source.runs[0]!.resolve('one');
    source.runs[1]!.resolve('two');
    await expect(Promise.all(calls)).resolves.toEqual(['one', 'two']);
    store.faults.keys = undefined;
    store.hung[0]!.land();
    await cleared;
    await settledAll(load);
    expect([...store.entries.values()].map(({ value }) => value).sort()).toEqual(['one', 'two']);
  });

  it.each(Object.entries(forgetting))('%s: deletes again what lands after its deadline', async (_name, forget) => {
    const { source, store, load, stored, heard } = rig('later');
    const first = load(1);
    await flush();
    store.faults.set = 'hangs';
    source.runs[0]!.resolve('old');
    await first;
    const forgotten = forget(load);
    await jest.advanceTimersByTimeAsync(1_001);
    await forgotten;
    expect(heard.of('store-error')).toMatchObject([
      { operation: 'set', error: { name: 'TimeoutError', timeout: 1_000 } },
    ]);
    store.hung[0]!.land();
    await flush();
    expect(stored()).toBeUndefined();
    const after = load(1);
    await flush();
    expect(source.runs).toHaveLength(2);
    source.runs[1]!.resolve('new');
    await expect(after).resolves.toBe('new');
  });

  it('keeps a late write that no fence has overtaken', async () => {
    const { source, store, load, stored } = rig('later');
    const first = load(1);
    await flush();
    store.faults.set = 'hangs';
    source.runs[0]!.resolve('value');
    await first;
    await jest.advanceTimersByTimeAsync(1_001);
    store.hung[0]!.land();
    await flush();
    expect(stored()).toBe('value');
    await expect(load(1)).resolves.toBe('value');
  });

  it('tells who asked for a control, and nobody else, that the store failed', async () => {
    const { store, load, heard } = rig('later');
    await load.prime([1], 'value');
    store.faults.delete = 'rejects';
    store.faults.set = 'throws';
    await expect(load.delete(1)).rejects.toMatchObject({ name: 'StoreError', operation: 'delete' });
    await expect(load.clear()).rejects.toMatchObject({ name: 'StoreError', operation: 'delete' });
    await expect(load.prime([2], 'two')).rejects.toMatchObject({ name: 'StoreError', operation: 'set' });
    expect(heard.of('store-error').map(({ operation }) => operation)).toEqual(['delete', 'clear', 'set']);
    store.faults.delete = 'hangs';
    const deleted = load.delete(1).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(1_001);
    expect(await deleted).toMatchObject({ name: 'TimeoutError', timeout: 1_000 });
    await settledAll(load);
  });

  it('frees what a write that never settles has left when the next operation on the key has passed', async () => {
    const { store, load, stored } = rig('later');
    store.faults.set = 'hangs';
    const hung = load.prime([1], 'hung').catch(() => 'timed out');
    await jest.advanceTimersByTimeAsync(1_001);
    await expect(hung).resolves.toBe('timed out');
    store.faults.set = undefined;
    await load.prime([1], 'next');
    await load.prime([1], 'after');
    expect(stored()).toBe('after');
    await expect(load(1)).resolves.toBe('after');
  });
});

describe('a fence without a store', () => {
  it.each(Object.entries(forgetting))('%s: detaches the run', async (_name, forget) => {
    const source = createSource();
    const load: Loader = memoizeAsync<Load>(source.fn, { cache: null });
    const before = load(1);
    await forget(load);
    const after = load(1);
    source.runs[0]!.resolve('old');
    source.runs[1]!.resolve('new');
    await expect(Promise.all([before, after])).resolves.toEqual(['old', 'new']);
    expect(load.stats()).toMatchObject({ runs: 2, discards: 0 });
  });

  it('prime: is joined while its value is on its way, and finds no place afterwards', async () => {
    const source = createSource();
    const load: Loader = memoizeAsync<Load>(source.fn, { cache: null });
    const value = deferred<string>();
    const primed = load.prime([1], value.promise);
    const joined = load(1);
    value.resolve('primed');
    await expect(Promise.all([primed, joined])).resolves.toEqual([undefined, 'primed']);
    const after = load(1);
    source.runs[0]!.resolve('run');
    await expect(after).resolves.toBe('run');
    await expect(load.delete(1)).resolves.toBe(false);
    await expect(load.has(1)).resolves.toBe(false);
    await expect(load.peek(1)).resolves.toBeUndefined();
    await settledAll(load);
  });
});

describe('a `ttl` function', () => {
  it.each(answering)('that deletes the key leaves nothing in a store that answers %s', async (answers) => {
    const store = new FaultyStore(answers);
    const load: Loader = memoizeAsync<Load>(async (id: number) => `run ${id}`, {
      name: 'load',
      cache: store as Store<string>,
      ttl: () => {
        void load.delete(1);
        return 1_000;
      },
    });
    await load(1);
    await load.settled();
    await load.prime([1], 'primed');
    await load.settled();
    expect(store.entries.size).toBe(0);
    expect(load.stats()).toMatchObject({ discards: 2 });
  });
});
