import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Keyv } from 'keyv';
import { TimeoutError } from '../../lib/errors.js';
import { Deadlines, withDeadline } from '../../lib/store/deadline.js';
import { createEntry } from '../../lib/store/entry.js';
import { OrderedStore } from '../../lib/store/ordered-store.js';
import { TagMarks } from '../../lib/store/tag-marks.js';
import { isSharedStore } from '../../lib/store/store-like.js';
import { deferred, flush } from '../support/call-recorder.js';
import { collectGarbage } from '../support/collect-garbage.js';
import { FaultyStore } from '../support/faulty-store.js';
import type { StoreLike } from '../../lib/store/store-like.js';
import type { Entry } from '../../lib/store/store.js';

const entry = entryOf('Ada');
const other = entryOf('Grace');
let deadlines: Deadlines;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'], now: 1_000 });
  deadlines = new Deadlines(250);
});

afterEach(() => {
  jest.useRealTimers();
});

function isVisible(ordered: OrderedStore<string>, key: string, entry: Entry<string>): boolean {
  return ordered.visible(key, entry) !== undefined;
}

describe('OrderedStore', () => {
  describe('what reaches the store', () => {
    it('has the prefix before every key', async () => {
      const store = new FaultyStore('at once');
      const ordered = new OrderedStore<string>(store, 'getUser|', new TagMarks());
      void ordered.get('7', 250);
      void ordered.set('7', entry, 60, deadlines);
      void ordered.delete('7', deadlines);
      expect(store.calls).toEqual([
        { method: 'get', args: ['getUser|7'] },
        { method: 'set', args: ['getUser|7', entry, 60] },
        { method: 'delete', args: ['getUser|7'] },
      ]);
    });

    it('has a `ttl` only where `set` declares three parameters, or the store says so', () => {
      const given: unknown[][] = [];
      const two = { ...new Recorder(given), set: (...args: [string, unknown]) => given.push(args) };
      Object.defineProperty(two.set, 'length', { value: 2 });
      const three = { ...two, set: (key: string, value: unknown, ttl?: number) => given.push([key, value, ttl]) };
      const wrapped = { ...two, takesTtl: true };
      const open = (store: StoreLike<string>): OrderedStore<string> => {
        const ordered = new OrderedStore<string>({ ...store, get: () => undefined }, '', new TagMarks());
        void ordered.get('a', 250);
        return ordered;
      };
      void open(two).set('a', entry, 60, deadlines);
      void open(three).set('b', entry, 60, deadlines);
      void open(three).set('c', entry, undefined, deadlines);
      void open(wrapped).set('d', entry, 60, deadlines);
      expect(given).toEqual([
        ['a', entry],
        ['b', entry, 60],
        ['c', entry, undefined],
        ['d', entry, 60],
      ]);
    });

    it('is `del` where there is no `delete`', () => {
      const deleted: string[] = [];
      const store = { get: () => undefined, set: () => undefined, del: (key: string) => deleted.push(key) > 0 };
      expect(new OrderedStore<string>(store, 'p|', new TagMarks()).delete('a', deadlines)).toBe(true);
      expect(deleted).toEqual(['p|a']);
    });

    it('is called as a method', () => {
      const store = new Map<string, Entry<string>>();
      const ordered = new OrderedStore<string>(store, 'p|', new TagMarks());
      expect(ordered.get('a', 250)).toBeUndefined();
      void ordered.set('a', entry, undefined, deadlines);
      expect(ordered.get('a', 250)).toBe(entry);
      expect(ordered.get('a', 250)).toBe(entry);
      expect([...store]).toEqual([['p|a', entry]]);
      expect(ordered.delete('a', deadlines)).toBe(true);
      expect(ordered.delete('a', deadlines)).toBe(false);
    });
  });

  describe('pendingEntry', () => {
    it('is nothing where no operation is under way', () => {
      const ordered = new OrderedStore<string>(new FaultyStore('at once'), '', new TagMarks());
      expect(ordered.pendingEntry('a')).toBeUndefined();
      void ordered.set('a', entry, undefined, deadlines);
      expect(ordered.pendingEntry('a')).toBeUndefined();
    });

    it('is the entry on its way, then `null` for one that is being forgotten, of the latest operation', async () => {
      const store = hanging();
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      const written = ordered.set('a', entry, undefined, deadlines);
      expect(ordered.pendingEntry('a')).toBe(entry);
      expect(ordered.pendingEntry('b')).toBeUndefined();
      const deleted = ordered.delete('a', deadlines);
      expect(ordered.pendingEntry('a')).toBeNull();
      const writtenAgain = ordered.set('a', other, undefined, deadlines);
      expect(ordered.pendingEntry('a')).toBe(other);
      for (let index = 0; index < 3; index += 1) {
        expect(ordered.pendingEntry('a')).toBe(other);
        store.hung[index]!.land();
        await flush();
      }
      expect(ordered.pendingEntry('a')).toBeUndefined();
      await Promise.all([written, deleted, writtenAgain]);
      expect(store.entries.get('a')).toEqual({ ...other, key: 'a' });
    });

    it('is nothing again once the store has had its time', async () => {
      const ordered = new OrderedStore<string>(hanging(), '', new TagMarks());
      const written = ordered.set('a', entry, undefined, deadlines) as Promise<unknown>;
      const failed = expect(written).rejects.toThrow(
        new TimeoutError('The store did not answer `set` within 250 ms', 250),
      );
      await jest.advanceTimersByTimeAsync(250);
      await failed;
      expect(ordered.pendingEntry('a')).toBeUndefined();
    });

    it.each([
      ['throws', () => fail()],
      ['throws when asked for `then`', () => Object.defineProperty({}, 'then', { get: fail })],
      ['rejects', () => Promise.reject(new Error('no'))],
      ['answers with a `then` that throws', () => ({ then: fail })],
      ['answers with a promise whose own `then` throws', () => Object.assign(Promise.resolve(), { then: fail })],
      ['answers with a promise whose constructor throws', oddPromise],
      ['answers at once', () => true],
    ])('is nothing again, before any deadline, where the store %s', async (_, answer) => {
      const first = deferred<void>();
      let sets = 0;
      const store = {
        ...new Recorder([]),
        set: (): unknown => ((sets += 1) === 1 ? first.promise : answer()),
      };
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      void ordered.set('a', entry, undefined, deadlines);
      const queued = ordered.set('a', other, undefined, deadlines) as Promise<unknown>;
      queued.catch(() => undefined);
      expect(ordered.pendingEntry('a')).toBe(other);
      first.resolve();
      await flush();
      expect(sets).toBe(2);
      expect(ordered.pendingEntry('a')).toBeUndefined();

      try {
        await (ordered.set('b', other, undefined, deadlines) as Promise<unknown>);
      } catch {
        // The store refuses here too, at once or later: the point is that nothing stays.
      }
      expect(ordered.pendingEntry('b')).toBeUndefined();
    });

    it('is `null` for every key while `clear` is under way, but for those written since', async () => {
      const store = new FaultyStore('later');
      store.entries.set('a', entry).set('b', entry);
      store.faults.delete = 'hangs';
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      const cleared = ordered.clear(deadlines);
      expect(ordered.pendingEntry('a')).toBeNull();
      const written = ordered.set('a', other, undefined, deadlines);
      expect(ordered.pendingEntry('a')).toBe(other);
      expect(ordered.pendingEntry('b')).toBeNull();
      await flush();
      store.hung[0]!.land();
      await flush();
      store.hung[1]!.land();
      await Promise.all([cleared, written]);
      expect(ordered.pendingEntry('a')).toBeUndefined();
      expect([...store.entries]).toEqual([['a', { ...other, key: 'a' }]]);
    });
  });

  describe('a delete or clear that fails', () => {
    const old = { ...entry, storedAt: 900 };

    it.each(['rejects', 'throws', 'hangs'] as const)('hides what was stored before a delete that %s', async (fault) => {
      const store = new FaultyStore();
      store.faults.delete = fault;
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      await late(async () => ordered.delete('a', deadlines));
      expect(ordered.pendingEntry('a')).toBeUndefined();
      expect(isVisible(ordered, 'a', old)).toBe(false);
      expect(isVisible(ordered, 'b', old)).toBe(true);
      expect(isVisible(ordered, 'a', { ...entry, storedAt: ordered.stamp() })).toBe(true);

      store.faults.delete = undefined;
      await (ordered.delete('a', deadlines) as Promise<unknown>);
      expect(isVisible(ordered, 'a', old)).toBe(true);
    });

    it('hides everything where there are more than can be remembered one by one', async () => {
      const store = new FaultyStore('at once');
      store.faults.delete = 'throws';
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      for (let index = 0; index <= 1_000; index += 1) await late(async () => ordered.delete(`${index}`, deadlines));
      for (const key of ['0', '999', '1000', 'other']) expect(isVisible(ordered, key, old)).toBe(false);
      expect(isVisible(ordered, 'other', { ...entry, storedAt: ordered.stamp() })).toBe(true);
    });

    it.each(['rejects', 'throws', 'hangs'] as const)(
      'hides all that was stored before a clear that %s',
      async (fault) => {
        const store = new FaultyStore();
        store.faults.keys = fault;
        const ordered = new OrderedStore<string>(store, '', new TagMarks());
        await late(() => ordered.clear(deadlines));
        expect(isVisible(ordered, 'a', old)).toBe(false);
        expect(isVisible(ordered, 'a', { ...entry, storedAt: ordered.stamp() })).toBe(true);
      },
    );

    it.each(['delete', 'clear'] as const)(
      'hides what was stored in the same millisecond, after one before it: %s',
      async (kind) => {
        const store = new FaultyStore('at once');
        store.faults.delete = store.faults.keys = 'throws';
        const ordered = new OrderedStore<string>(store, '', new TagMarks());
        const forget = (): Promise<void> =>
          expect(
            (async () => (kind === 'delete' ? ordered.delete('a', deadlines) : ordered.clear(deadlines)))(),
          ).rejects.toThrow();
        for (let time = 0; time < 3; time += 1) {
          await forget();
          const stored = { ...entry, storedAt: ordered.stamp() };
          expect(isVisible(ordered, 'a', stored)).toBe(true);
          await forget();
          expect(isVisible(ordered, 'a', stored)).toBe(false);
        }
      },
    );

    it('stamps no entry far ahead of a clock that was set back', async () => {
      const store = new FaultyStore('at once');
      store.faults.delete = 'throws';
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      ordered.stamp();
      jest.setSystemTime(-3_600_000);
      await late(async () => ordered.delete('a', deadlines));
      expect(ordered.stamp() - Date.now()).toBeLessThanOrEqual(1_001);
    });

    /** Rejects in the end. */
    async function late(act: () => Promise<unknown>): Promise<void> {
      const failed = expect(act()).rejects.toThrow();
      await jest.advanceTimersByTimeAsync(250);
      await failed;
    }
  });

  describe('an expiry', () => {
    it('does not lengthen the life of what an earlier one has ended', async () => {
      const ordered = new OrderedStore<string>(new FaultyStore(), '', new TagMarks());
      const windows = { staleWhileRevalidate: 10_000, staleIfError: 0 };
      const stored = [900, 1_050, 1_150].map((storedAt) => ({ ...entry, storedAt, freshUntil: 9_000 }));
      for (let time = 0; time < 3; time += 1) {
        void ordered.expire('a', windows, deadlines);
        await jest.advanceTimersByTimeAsync(100);
      }
      // Expired at 1,000, 1,100 and 1,200. Of the second it is known that it was ended after it was stored.
      expect(stored.map((each) => ordered.visible('a', each)?.freshUntil)).toEqual([1_000, 1_050, 1_200]);
      expect(ordered.visible('a', { ...entry, storedAt: 1_201, freshUntil: 9_000 })?.freshUntil).toBe(9_000);
    });
  });

  describe('the key of an entry', () => {
    it('is written to a store that answers with promises, and to no other', async () => {
      for (const [answers, key] of [
        ['later', 'p|a'],
        ['at once', undefined],
      ] as const) {
        const store = new FaultyStore(answers);
        const ordered = new OrderedStore<string>(store, 'p|', new TagMarks());
        await ordered.get('a', 250);
        await ordered.set('a', entry, undefined, deadlines);
        expect(store.entries.get('p|a')?.key).toBe(key);
      }
    });

    it('must be the one that was asked for', () => {
      const ordered = new OrderedStore<string>(new FaultyStore(), 'p|', new TagMarks());
      expect(isVisible(ordered, 'bob', { ...entry, key: 'p|bob' })).toBe(true);
      expect(isVisible(ordered, 'bob', entry)).toBe(true);
      for (const key of ['p|BOB', 'p|b\u00f3b', 'p|bob ', 'q|bob']) {
        expect(() => isVisible(ordered, 'bob', { ...entry, key })).toThrow(
          'Expected the store to compare keys exactly, got the entry of another key: wrap the store in `digestKeys`',
        );
      }
    });
  });

  describe('a store that hangs', () => {
    it('is tried once a second after five reads in a row, by all wrappers on it, and no caller waits', async () => {
      const store = new FaultyStore();
      const [one, other] = [
        new OrderedStore<string>(store, 'one|', new TagMarks()),
        new OrderedStore<string>(store, 'other|', new TagMarks()),
      ];
      const refusal = 'The store has not answered for a while. It is asked again within a second';
      for (let read = 0; read < 4; read += 1) one.hung();
      one.answered();
      for (let read = 0; read < 5; read += 1) {
        void one.get('a', 250);
        one.hung();
      }
      expect(() => one.get('a', 250)).toThrow(refusal);
      expect(() => other.get('b', 250)).toThrow(refusal);
      const asked = (): number => store.calls.filter(({ method }) => method === 'get').length;
      const before = asked();
      store.faults.get = 'hangs';
      await jest.advanceTimersByTimeAsync(1_000);
      // No caller waits for the probe.
      expect(() => other.get('b', 250)).toThrow(refusal);
      expect(() => one.get('a', 250)).toThrow(refusal);
      expect(asked()).toBe(before + 1);
      await jest.advanceTimersByTimeAsync(1_000);
      store.faults.get = undefined;
      expect(() => one.get('a', 250)).toThrow(refusal);
      await flush();
      expect(await other.get('b', 250)).toBeUndefined();
    });
  });

  describe('clear', () => {
    it.each([
      ['an iterable of keys', (keys: string[]) => ({ keys: () => keys })],
      ['an iterator of keys', (keys: string[]) => ({ keys: () => keys.values() })],
      ['an asynchronous iterable of keys', (keys: string[]) => ({ keys: () => later(keys) })],
      ['pairs, as Keyv has them', (keys: string[]) => ({ iterator: () => later(keys.map((key) => [key, 'value'])) })],
    ])('finds its own in %s', async (_, listing) => {
      const deleted: string[] = [];
      const keys = ['p|1', 'q|1', 'p', '', 'pp|1', 'p|2', 'p|p|3'];
      const store = { ...new Recorder([]), delete: (key: string) => deleted.push(key), ...listing(keys) };
      await new OrderedStore<string>(store, 'p|', new TagMarks()).clear(deadlines);
      expect(deleted).toEqual(['p|1', 'p|2', 'p|p|3']);
    });

    it('deletes by prefix where the store can, and never calls a `clear` of the store', async () => {
      const calls: unknown[] = [];
      const store = {
        ...new Recorder([]),
        keys: () => fail(),
        clear: () => fail(),
        deleteByPrefix: async (prefix: string) => calls.push(prefix),
      };
      await new OrderedStore<string>(store, 'p|', new TagMarks()).clear(deadlines);
      expect(calls).toEqual(['p|']);
    });

    it('keeps to the keys of its namespace in a Keyv that shares its backing', async () => {
      const backing = new Map<string, unknown>();
      const here = new Keyv({ store: backing, namespace: 'a' });
      const there = new Keyv({ store: backing, namespace: 'ba' });
      for (const keyv of [here, there]) await keyv.set('p|1', entry);
      await here.set('q|1', entry);
      await new OrderedStore<string>(here, 'p|', new TagMarks()).clear(deadlines);
      expect([...backing.keys()]).toEqual(['ba:p|1', 'a:q|1']);
    });

    it('waits for what was called for before, and is waited for by what comes after', async () => {
      const store = hanging();
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      void ordered.set('a', entry, undefined, deadlines);
      const cleared = ordered.clear(deadlines);
      expect(ordered.pendingEntry('a')).toBeNull();
      const written = ordered.set('b', other, undefined, deadlines);
      await flush();
      expect(store.hung.map(({ operation, key }) => [operation, key])).toEqual([['set', 'a']]);
      store.hung[0]!.land();
      await flush();
      expect(store.hung[1]).toMatchObject({ operation: 'delete', key: 'a' });
      store.hung[1]!.land();
      await flush();
      expect(store.hung[2]).toMatchObject({ operation: 'set', key: 'b' });
      store.hung[2]!.land();
      await Promise.all([cleared, written]);
      expect([...store.entries]).toEqual([['b', { ...other, key: 'b' }]]);
    });

    it('hides what was stored until then where the store can neither list nor delete by prefix', async () => {
      const store = leastStore();
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      expect(ordered.stamp()).toBe(1_000);
      expect(isVisible(ordered, '7', entryOf('before', 1_000))).toBe(true);
      await ordered.clear(deadlines);
      expect(isVisible(ordered, '7', entryOf('before', 1_000))).toBe(false);
      expect(ordered.stamp()).toBe(1_001);
      expect(isVisible(ordered, '7', entryOf('after', ordered.stamp()))).toBe(true);
      await ordered.clear(deadlines);
      expect(isVisible(ordered, '7', entryOf('between', 1_001))).toBe(false);
      expect(isVisible(ordered, '7', entryOf('after', ordered.stamp()))).toBe(true);
      jest.setSystemTime(5_000);
      expect(ordered.stamp()).toBe(5_000);
    });

    it('hides nothing where the store can', async () => {
      const ordered = new OrderedStore<string>(new Map<string, Entry<string>>(), '', new TagMarks());
      await ordered.clear(deadlines);
      expect(isVisible(ordered, '7', entryOf('at the same time', 1_000))).toBe(true);
      expect(ordered.stamp()).toBe(1_000);
    });

    it('gives every step of a listing the whole limit, and stops at the first that hangs', async () => {
      const steps: (() => void)[] = [];
      const next = () =>
        new Promise<IteratorResult<string>>((resolve) => {
          steps.push(() => resolve({ done: false, value: `p|${steps.length}` }));
        });
      const store = { ...new Recorder([]), keys: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) };
      const cleared = new OrderedStore<string>(store, 'p|', new TagMarks()).clear(deadlines);
      const failed = expect(cleared).rejects.toThrow('The store did not answer `clear` within 250 ms');
      for (let step = 0; step < 4; step += 1) {
        await jest.advanceTimersByTimeAsync(200);
        steps[step]!();
        await flush();
      }
      await jest.advanceTimersByTimeAsync(250);
      await failed;
      expect(steps).toHaveLength(5);
    });

    it('begins after another has ended', async () => {
      const store = hanging();
      store.entries.set('a', entry);
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      const both = [ordered.clear(deadlines), ordered.clear(deadlines)];
      await flush();
      expect(store.hung).toHaveLength(1);
      expect(ordered.pendingEntry('a')).toBeNull();
      store.hung[0]!.land();
      await Promise.all(both);
      expect(store.hung).toHaveLength(1);
      expect(ordered.pendingEntry('a')).toBeUndefined();
    });

    it('asks a store that hangs for no second key', async () => {
      const store = hanging();
      for (const key of ['p|1', 'p|2', 'p|3']) store.entries.set(key, entry);
      const failed = expect(new OrderedStore<string>(store, 'p|', new TagMarks()).clear(deadlines)).rejects.toThrow(
        TimeoutError,
      );
      await jest.advanceTimersByTimeAsync(250);
      await failed;
      expect(store.hung.map(({ key }) => key)).toEqual(['p|1']);
    });
  });

  describe('what lands late', () => {
    it('is deleted again where it is a write that something has overtaken, and kept where it is a delete', async () => {
      const entries = new Map<string, Entry<unknown>>();
      const answers = { set: deferred<void>(), delete: deferred<boolean>() };
      const deletes: string[] = [];
      const store = {
        get: (key: string) => entries.get(key),
        set: (key: string, value: Entry<unknown>) => (entries.set(key, value), answers.set.promise),
        delete: (key: string) => (deletes.push(key), entries.delete(key), answers.delete.promise),
      };
      const ordered = new OrderedStore<string>(store, '', new TagMarks());
      const late = async (operation: unknown) => {
        const failed = expect(operation).rejects.toThrow(TimeoutError);
        await jest.advanceTimersByTimeAsync(250);
        await failed;
      };
      await late(ordered.delete('a', deadlines));
      const firstDelete = answers.delete;
      answers.delete = deferred();
      answers.set.resolve();
      await (ordered.set('a', entry, undefined, deadlines) as Promise<unknown>);
      firstDelete.resolve(true);
      await flush();
      expect([deletes, entries.get('a')]).toEqual([['a'], { ...entry, key: 'a' }]);

      answers.set = deferred();
      await late(ordered.set('b', entry, undefined, deadlines));
      const firstSet = answers.set;
      answers.set = deferred();
      answers.set.resolve();
      answers.delete.resolve(true);
      await (ordered.set('b', other, undefined, deadlines) as Promise<unknown>);
      firstSet.resolve();
      await flush();
      expect([deletes, entries.get('b')]).toEqual([['a', 'b'], undefined]);
    });
  });

  describe('bookkeeping', () => {
    it('holds no entry whose write has settled', async () => {
      jest.useRealTimers();
      const store = { ...new Recorder([]), set: async () => undefined };
      const ordered = new OrderedStore<object>(store, '', new TagMarks());
      const held = await (async () => {
        const value = { big: true };
        await (ordered.set('a', createEntry({ value: value, ttl: 5 }, 1), 5, deadlines) as Promise<unknown>);
        return new WeakRef(value);
      })();
      await collectGarbage();
      expect(held.deref()).toBeUndefined();
      expect(ordered.pendingEntry('a')).toBeUndefined();
    });

    it('holds no entry of a write that never settles, once its time and the next operation have passed', async () => {
      const pending: Promise<unknown>[] = [];
      const store = {
        ...new Recorder([]),
        // The store lets go of the entry and forgets to answer.
        set: () => {
          const never = new Promise(() => undefined);
          pending.push(never);
          return never;
        },
        delete: async () => true,
      };
      const ordered = new OrderedStore<object>(store, '', new TagMarks());
      const held = await (async () => {
        const value = { big: true };
        const written = ordered.set('a', createEntry({ value: value, ttl: 5 }, 1), 5, deadlines) as Promise<unknown>;
        const failed = expect(written).rejects.toThrow(TimeoutError);
        await jest.advanceTimersByTimeAsync(250);
        await failed;
        return new WeakRef(value);
      })();
      await (ordered.delete('a', deadlines) as Promise<unknown>);
      jest.useRealTimers();
      await collectGarbage();
      expect(pending).toHaveLength(1);
      expect(held.deref()).toBeUndefined();
    });
  });
});

describe('a store that is slower than what is called for', () => {
  it('is sent the first and the last write only', async () => {
    const store = new FaultyStore('later');
    store.faults.set = 'hangs';
    const ordered = new OrderedStore<string>(store, '', new TagMarks());
    const writes = Array.from({ length: 100 }, (_, index) => ordered.set('a', entryOf(String(index)), 5, deadlines));
    expect(ordered.pendingEntry('a')).toEqual(entryOf('99'));
    store.hung[0]!.land();
    await flush();
    store.hung[1]!.land();
    await Promise.all(writes);
    expect(store.hung).toHaveLength(2);
    expect(store.entries.get('a')).toEqual({ ...entryOf('99'), key: 'a' });
  });

  it('is sent one delete for all that wait in a row', async () => {
    const store = new FaultyStore('later');
    store.faults.set = store.faults.delete = 'hangs';
    const ordered = new OrderedStore<string>(store, '', new TagMarks());
    const written = ordered.set('a', entry, 5, deadlines);
    const deletes = Array.from({ length: 100 }, () => ordered.delete('a', deadlines));
    store.hung[0]!.land();
    await written;
    await flush();
    store.hung[1]!.land();
    expect(await Promise.all(deletes)).toEqual(Array(100).fill(true));
    expect(store.hung.map(({ operation }) => operation)).toEqual(['set', 'delete']);
  });

  it('gives a grant back whose commit was overtaken before it was sent', async () => {
    const store = new FaultyStore('later');
    store.faults.set = 'hangs';
    const ordered = new OrderedStore<string>(store, '', new TagMarks());
    const said: string[] = [];
    const grant = {
      commit: async () => {
        said.push('commit');
        return 'stored' as const;
      },
      release: (why: string) => said.push(why),
      lost: new AbortController().signal,
    };
    const written = ordered.set('a', entry, 5, deadlines);
    const committed = ordered.commit('a', other, 5, grant, deadlines);
    const deleted = ordered.delete('a', deadlines);
    expect(said).toEqual(['again']);
    store.hung[0]!.land();
    await Promise.all([written, committed, deleted]);
    expect(said).toEqual(['again']);
    expect(store.entries.size).toBe(0);
  });
});

describe('withDeadline', () => {
  it.each([
    ['a value', () => 5],
    ['a promise', () => Promise.resolve(5)],
    ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(5) })],
  ])('is what %s comes to', async (_, answer) => {
    expect(await withDeadline(answer(), deadlines, 'get')).toBe(5);
  });

  it('rejects as the answer does', async () => {
    await expect(withDeadline(Promise.reject(new Error('no')), deadlines, 'get')).rejects.toThrow('no');
    await expect(withDeadline({ then: fail }, deadlines, 'get')).rejects.toThrow('trapped');
  });

  it('rejects with a TimeoutError that names the operation', async () => {
    const answer = withDeadline(new Promise(() => undefined), deadlines, 'get');
    const failed = expect(answer).rejects.toMatchObject({
      name: 'TimeoutError',
      timeout: 250,
      message: 'The store did not answer `get` within 250 ms',
    });
    await jest.advanceTimersByTimeAsync(250);
    await failed;
  });
});

describe('isSharedStore', () => {
  it('is true for a store that can acquire and begin', () => {
    const store = new Map<string, Entry<unknown>>();
    expect(isSharedStore(store)).toBe(false);
    expect(isSharedStore(Object.assign(store, { acquire: () => undefined }))).toBe(false);
    expect(isSharedStore(Object.assign(store, { begin: () => undefined }))).toBe(true);
    expect(isSharedStore(Object.assign(store, { begin: true }))).toBe(false);
  });
});

/** A store that holds nothing, to be spread and overridden. */
class Recorder {
  readonly get: (key: string) => unknown;
  readonly set: (key: string, value: unknown) => unknown;
  readonly delete: (key: string) => unknown;

  constructor(calls: unknown[][]) {
    this.get = (key) => void calls.push(['get', key]);
    this.set = (key, value) => void calls.push(['set', key, value]);
    this.delete = (key) => void calls.push(['delete', key]);
  }
}

function entryOf(value: string, storedAt = 1_000): Entry<string> {
  return createEntry({ value: value, ttl: 60 }, storedAt);
}

/** A store whose writes and deletes hang until the test lets them land. */
function hanging(): FaultyStore {
  const store = new FaultyStore('later');
  store.faults.set = store.faults.delete = 'hangs';
  return store;
}

function leastStore(): StoreLike {
  return { get: () => undefined, set: () => undefined, delete: () => true };
}

async function* later<T>(list: readonly T[]): AsyncGenerator<T> {
  for (const item of list) yield Promise.resolve(item);
}

function fail(): never {
  throw new Error('trapped');
}

function oddPromise(): Promise<void> {
  return Object.defineProperty(Promise.resolve(), 'constructor', { get: fail });
}
