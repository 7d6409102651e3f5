import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { count, createSource, flush, listen } from '../support/call-recorder.js';
import { FaultyStore, StoreError } from '../support/faulty-store.js';
import type { Listener } from '../support/call-recorder.js';
import type { Fault, FaultyOperation } from '../support/faulty-store.js';
import type { Memoized } from 'aiocachetools';

const storeTimeout = 250;

let store: FaultyStore;
let listener: Listener;
let version: number;
let getUser: Memoized<(id: number) => Promise<string>>;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 });
  open('later');
});

afterEach(() => {
  jest.useRealTimers();
});

const faults: Fault[] = ['throws', 'rejects', 'rejects after a yield', 'hangs', 'refuses'];

describe.each(['at once', 'later'] as const)('a store that answers %s', (answers) => {
  beforeEach(() => open(answers));

  describe('get', () => {
    it.each(faults)('that %s is a miss within `storeTimeout`', async (fault) => {
      await getUser(7);
      await getUser.settled();
      version = 2;
      store.faults.get = fault;
      const answer = settlement(getUser(7));
      if (fault === 'hangs') {
        await jest.advanceTimersByTimeAsync(storeTimeout - 2);
        expect(answer.state).toBe('pending');
        await jest.advanceTimersByTimeAsync(2);
      }
      await flush();
      expect(answer).toEqual({ state: 'fulfilled', value: 'user 7, version 2' });
      expectErrors(fault === 'refuses' ? [] : [['get', fault]]);
      expect(getUser.stats()).toMatchObject({ runs: 2, misses: 2, storeErrors: fault === 'refuses' ? 0 : 1 });
    });

    it.each(faults)('that %s makes `has` and `peek` find nothing, within `storeTimeout`', async (fault) => {
      await getUser.prime([7], 'Ada');
      store.faults.get = fault;
      const [has, peek] = [settlement(getUser.has(7)), settlement(getUser.peek(7))];
      if (fault === 'hangs') await jest.advanceTimersByTimeAsync(storeTimeout);
      await flush();
      expect([has, peek]).toEqual([
        { state: 'fulfilled', value: false },
        { state: 'fulfilled', value: undefined },
      ]);
    });

    it('that hangs costs all who wait one read and one run', async () => {
      store.faults.get = 'hangs';
      const answers = Array.from({ length: 10 }, () => settlement(getUser(7)));
      await jest.advanceTimersByTimeAsync(storeTimeout);
      await flush();
      expect(answers.every(({ state }) => state === 'fulfilled')).toBe(true);
      expect(count(store.calls, 'get')).toBe(1);
      expect(getUser.stats()).toMatchObject({ runs: 1, misses: 1, joins: 9, storeErrors: 1 });
    });

    it('that brings its answer after the deadline changes nothing', async () => {
      await getUser.prime([7], 'old');
      store.faults.get = 'hangs';
      const answer = getUser(7);
      await jest.advanceTimersByTimeAsync(storeTimeout);
      expect(await answer).toBe('user 7, version 1');
      store.hung[0]!.land();
      await flush();
      store.faults.get = undefined;
      expect(await getUser(7)).toBe('user 7, version 1');
      expect(getUser.stats()).toMatchObject({ runs: 1, hits: 1 });
    });

    it('that fails late, after the deadline, is told of once', async () => {
      store.faults.get = 'hangs';
      const answer = getUser(7);
      await jest.advanceTimersByTimeAsync(storeTimeout);
      await answer;
      store.hung[0]!.fail();
      await flush();
      expectErrors([['get', 'hangs']]);
    });
  });

  describe('set', () => {
    it.each(faults)('that %s delays no call and loses no result', async (fault) => {
      store.faults.set = fault;
      const answer = settlement(getUser(7));
      await flush();
      expect(answer).toEqual({ state: 'fulfilled', value: 'user 7, version 1' });
      await jest.advanceTimersByTimeAsync(storeTimeout);
      expectErrors(fault === 'refuses' ? [] : [['set', fault]]);
      store.faults.set = undefined;
      version = 2;
      expect(await getUser(7)).toBe('user 7, version 2');
      await getUser.settled();
      expect(await getUser(7)).toBe('user 7, version 2');
    });

    it.each(faults)('that %s makes `prime` reject with what the store said', async (fault) => {
      store.faults.set = fault;
      const primed = settlement(getUser.prime([7], 'primed'));
      await jest.advanceTimersByTimeAsync(fault === 'hangs' ? storeTimeout : 0);
      await flush();
      if (fault === 'refuses') expect(primed).toEqual({ state: 'fulfilled', value: undefined });
      else expect(primed).toMatchObject({ state: 'rejected', reason: errorOf('set', fault) });
      expectErrors(fault === 'refuses' ? [] : [['set', fault]]);
      expect(await getUser(7)).toBe('user 7, version 1');
    });

    it('that hangs answers from the finished run until `storeTimeout`, then no longer', async () => {
      store.faults.set = 'hangs';
      await getUser(7);
      version = 2;
      await jest.advanceTimersByTimeAsync(storeTimeout - 2);
      expect(await getUser(7)).toBe('user 7, version 1');
      await jest.advanceTimersByTimeAsync(2);
      expect(await getUser(7)).toBe('user 7, version 2');
      expect(getUser.stats()).toMatchObject({ runs: 2, hits: 1 });
    });

    it('that hangs keeps `settled` waiting until `storeTimeout` and no longer', async () => {
      store.faults.set = 'hangs';
      await getUser(7);
      const settled = settlement(getUser.settled());
      await flush();
      expect(settled.state).toBe('pending');
      await jest.advanceTimersByTimeAsync(storeTimeout);
      expect(settled.state).toBe('fulfilled');
    });
  });

  describe('delete', () => {
    it.each(faults)('that %s makes `delete` reject, and the run under way is fenced all the same', async (fault) => {
      const { fn, runs } = createSource();
      getUser = memoizeAsync(fn, { cache: store, name: 'getUser', storeTimeout, onEvent: listener.onEvent });
      const early = getUser(7);
      await flush();
      store.faults.delete = fault;
      const deleted = settlement(getUser.delete(7));
      const late = getUser(7);
      await jest.advanceTimersByTimeAsync(fault === 'hangs' ? storeTimeout : 0);
      await flush();
      if (fault === 'refuses') expect(deleted).toEqual({ state: 'fulfilled', value: false });
      else expect(deleted).toMatchObject({ state: 'rejected', reason: errorOf('delete', fault) });
      expectErrors(fault === 'refuses' ? [] : [['delete', fault]]);
      runs[0]!.resolve('before');
      runs[1]!.resolve('after');
      expect(await Promise.all([early, late])).toEqual(['before', 'after']);
      await getUser.settled();
      expect(await getUser.peek(7)).toBe('after');
      expect(getUser.stats()).toMatchObject({ runs: 2, discards: 1 });
    });

    it.each(faults)('that %s does not hurt a call whose `ttl` says 0', async (fault) => {
      const forget = memoizeAsync(async (id: number) => `user ${id}`, {
        cache: store,
        name: 'getUser',
        storeTimeout,
        onEvent: listener.onEvent,
        ttl: () => 0,
      });
      store.faults.delete = fault;
      const answer = settlement(forget(7));
      await flush();
      expect(answer).toEqual({ state: 'fulfilled', value: 'user 7' });
      const settled = settlement(forget.settled());
      await jest.advanceTimersByTimeAsync(storeTimeout);
      expect(settled.state).toBe('fulfilled');
      expectErrors(fault === 'refuses' ? [] : [['delete', fault]]);
    });

    it('that hangs hides the old entry while it is under way', async () => {
      await getUser.prime([7], 'old');
      store.faults.delete = 'hangs';
      const deleted = getUser.delete(7);
      expect(await getUser(7)).toBe('user 7, version 1');
      expect(await getUser.has(7)).toBe(true);
      store.hung[0]!.land();
      expect(await deleted).toBe(true);
      await getUser.settled();
      expect(await getUser.peek(7)).toBe('user 7, version 1');
    });
  });

  describe('clear', () => {
    it.each(faults)('rejects where `delete` %s', async (fault) => {
      await getUser.prime([7], 'old');
      store.faults.delete = fault;
      const cleared = settlement(getUser.clear());
      await jest.advanceTimersByTimeAsync(fault === 'hangs' ? storeTimeout : 0);
      await flush();
      if (fault === 'refuses') expect(cleared.state).toBe('fulfilled');
      else expect(cleared).toMatchObject({ state: 'rejected', reason: errorOf('delete', fault) });
      expectErrors(fault === 'refuses' ? [] : [['clear', fault]]);
    });

    it.each(faults)('rejects where `keys` %s', async (fault) => {
      await getUser.prime([7], 'old');
      store.faults.keys = fault;
      const cleared = settlement(getUser.clear());
      await jest.advanceTimersByTimeAsync(fault === 'hangs' ? storeTimeout : 0);
      await flush();
      if (fault === 'refuses') expect(cleared.state).toBe('fulfilled');
      else expect(cleared).toMatchObject({ state: 'rejected', reason: errorOf('keys', fault) });
      expectErrors(fault === 'refuses' ? [] : [['clear', fault]]);
    });

    it.each([
      ['undefined', undefined],
      ['a number', 5],
      ['a text', 'keys'],
      ['an empty object', {}],
      ['a promise', Promise.resolve(['getUser|#7'])],
      ['a list of what is no key', [1, null, undefined, {}, Symbol('key'), ['getUser|#7']]],
      ['an iterator that brings nothing sound', { [Symbol.asyncIterator]: () => ({ next: () => 5 }) }],
      ['an iterable without an iterator', { [Symbol.asyncIterator]: () => undefined }],
    ])('hurts no later call where `keys` answers with %s', async (_, lie) => {
      await getUser.prime([7], 'old');
      store.faults.keys = 'lies';
      store.lie = () => lie;
      const cleared = settlement(getUser.clear());
      await flush();
      expect(cleared.state).not.toBe('pending');
      expect(await getUser(8)).toBe('user 8, version 1');
      await getUser.settled();
      expect(await getUser.peek(8)).toBe('user 8, version 1');
    });

    it('goes on with the other keys where one fails', async () => {
      for (const id of [1, 2, 3]) await getUser.prime([id], 'old');
      const remove = store.delete.bind(store);
      store.delete = (key) => {
        if (key === 'getUser|#2') throw new StoreError('delete');
        return remove(key);
      };
      await expect(getUser.clear()).rejects.toThrow(StoreError);
      expect([...store.entries.keys()]).toEqual(['getUser|#2']);
    });

    it('fences runs and shows nothing old while the store is at it', async () => {
      await getUser.prime([7], 'old');
      store.faults.delete = 'hangs';
      const cleared = getUser.clear();
      await flush();
      expect(await getUser(7)).toBe('user 7, version 1');
      expect(await getUser.has(8)).toBe(false);
      store.faults.delete = undefined;
      store.hung[0]!.land();
      await cleared;
      await getUser.settled();
      expect(await getUser.peek(7)).toBe('user 7, version 1');
    });
  });
});

describe('garbage from a store', () => {
  const entry = { v: 1, value: 'old', storedAt: 1 };
  const garbage: [string, () => unknown][] = [
    ['a text', () => 'garbage'],
    ['a number', () => 0],
    ['NaN', () => NaN],
    ['false', () => false],
    ['a bigint', () => 1n],
    ['a symbol', () => Symbol('entry')],
    ['a function', () => () => entry],
    ['a function with the properties of an entry', () => Object.assign(() => entry, entry)],
    ['an array', () => [entry]],
    ['an entry of another version', () => ({ ...entry, v: 2 })],
    ['an entry of the future', () => ({ ...entry, v: 1n })],
    ['an entry with a time that is NaN', () => ({ ...entry, storedAt: NaN })],
    ['an entry with an endless time', () => ({ ...entry, storedAt: Infinity })],
    ['an entry whose end is NaN', () => ({ ...entry, freshUntil: NaN })],
    ['an entry whose end is endless', () => ({ ...entry, freshUntil: Infinity })],
    ['an entry whose duration is negative', () => ({ ...entry, duration: -1 })],
    ['a getter of the version that throws', () => trap('v')],
    ['a getter of the value that throws', () => trap('value')],
    ['a getter of the time that throws', () => trap('storedAt')],
    ['a getter of the end that throws', () => trap('freshUntil')],
    ['a getter of `then` that throws', () => trap('then')],
    ['an entry whose value is a promise', () => ({ ...entry, value: Promise.resolve('old') })],
    ['an entry whose value hangs when awaited', () => ({ ...entry, value: { then: () => undefined } })],
    ['an entry whose value throws when awaited', () => ({ ...entry, value: trap('then') })],
    ['a proxy that refuses everything', () => new Proxy(entry, refuseAll)],
    ['a revoked proxy', revoked],
  ];

  const thenables: [string, () => unknown][] = [
    ['a `then` that throws', () => ({ then: () => fail() })],
    ['a `then` that rejects with nothing', () => ({ then: (_: unknown, reject: () => void) => reject() })],
    ['a `then` that resolves and throws', () => ({ then: (resolve: (value: number) => void) => (resolve(0), fail()) })],
    ['a promise with a `then` of its own that throws', () => Object.assign(Promise.resolve(5), { then: () => fail() })],
    ['a promise whose constructor throws', () => withTrap(Promise.resolve(5), 'constructor')],
    ['a proxy of a promise', () => new Proxy(Promise.resolve(5), {})],
    ['a promise of a promise that fails', () => Promise.resolve().then(() => Promise.reject(new Error('late')))],
  ];

  describe.each(['at once', 'later'] as const)('%s', (when) => {
    it.each(garbage)('%s is a miss', async (_, lie) => {
      store.faults.get = 'lies';
      store.lie = () => (when === 'at once' ? lie() : later(lie));
      const answers = [settlement(getUser(7)), settlement(getUser(7)), settlement(getUser.peek(8))];
      await flush();
      expect(answers).toEqual([
        { state: 'fulfilled', value: 'user 7, version 1' },
        { state: 'fulfilled', value: 'user 7, version 1' },
        { state: 'fulfilled', value: undefined },
      ]);
      expect(listener.of('store-error').map(({ operation, key }) => [operation, key])).toEqual([
        ['get', '#7'],
        ['get', '#8'],
      ]);
      expect(getUser.stats()).toMatchObject({ runs: 1, misses: 1, joins: 1 });
    });
  });

  it.each(thenables)('%s is a miss', async (_, lie) => {
    store.faults.get = 'lies';
    store.lie = lie;
    const answer = settlement(getUser(7));
    await flush();
    expect(answer).toEqual({ state: 'fulfilled', value: 'user 7, version 1' });
    expect(getUser.stats()).toMatchObject({ runs: 1, misses: 1, storeErrors: 1 });
  });

  it('a `then` that is never called back is a miss after `storeTimeout`', async () => {
    store.faults.get = 'lies';
    store.lie = () => ({ then: () => undefined });
    const answer = settlement(getUser(7));
    await jest.advanceTimersByTimeAsync(storeTimeout);
    expect(answer).toEqual({ state: 'fulfilled', value: 'user 7, version 1' });
  });

  it.each(thenables)('%s as the answer to a write loses no result and leaves nothing behind', async (_, lie) => {
    store.faults.set = 'lies';
    store.lie = lie;
    expect(await getUser(7)).toBe('user 7, version 1');
    await jest.advanceTimersByTimeAsync(storeTimeout);
    store.faults.set = undefined;
    version = 2;
    expect(await getUser(7)).toBe('user 7, version 2');
    await getUser.settled();
    expect(await getUser(7)).toBe('user 7, version 2');
    expect(getUser.stats()).toMatchObject({ runs: 2, hits: 1, inFlight: 0 });
  });

  it.each([...thenables, ...garbage])('%s as the answer to a queued write blocks nothing', async (_, lie) => {
    store.faults.set = 'hangs';
    await getUser(7);
    store.faults.set = 'lies';
    store.lie = lie;
    const primed = settlement(getUser.prime([7], 'primed'));
    store.hung[0]!.land();
    await jest.advanceTimersByTimeAsync(storeTimeout);
    expect(primed.state).not.toBe('pending');
    store.faults.set = undefined;
    store.entries.clear();
    version = 2;
    expect(await getUser(7)).toBe('user 7, version 2');
  });

  it.each([...thenables, ...garbage])('%s as the answer to a delete blocks nothing', async (name, lie) => {
    await getUser.prime([7], 'old');
    store.faults.delete = 'lies';
    store.lie = lie;
    const deleted = [settlement(getUser.delete(7)), settlement(getUser.delete(7))];
    await jest.advanceTimersByTimeAsync(storeTimeout);
    expect(deleted.map(({ state }) => state)).not.toContain('pending');
    // It resolves with a count.
    if (name !== 'a `then` that resolves and throws') {
      expect(deleted.map(({ value }) => value)).not.toContain(true);
    }
    store.faults.delete = undefined;
    expect(await getUser.delete(7)).toBe(true);
    expect(await getUser(7)).toBe('user 7, version 1');
  });
});

describe('order and late writes', () => {
  it('sends what was not overtaken one after another, in the order of the calls', async () => {
    store.faults.set = store.faults.delete = 'hangs';
    await getUser(7);
    const deleted = getUser.delete(7);
    const primed = getUser.prime([7], 'primed');
    const deletedAgain = getUser.delete(7);
    const order: string[] = [];
    for (let step = 0; step < 3; step += 1) {
      await flush();
      expect(store.hung).toHaveLength(step + 1);
      order.push(store.hung[step]!.operation);
      store.hung[step]!.land();
    }
    expect(order).toEqual(['set', 'delete', 'delete']);
    expect(await Promise.all([deleted, primed, deletedAgain])).toEqual([true, undefined, false]);
    expect(store.entries.size).toBe(0);
  });

  it('does not make one key wait for another', async () => {
    store.faults.set = 'hangs';
    await getUser(7);
    store.faults.set = undefined;
    await getUser.prime([8], 'primed');
    expect([...store.entries.keys()]).toEqual(['getUser|#8']);
  });

  it('sends the next operation when the one before has hit `storeTimeout`', async () => {
    store.faults.set = 'hangs';
    await getUser(7);
    const deleted = settlement(getUser.delete(7));
    await jest.advanceTimersByTimeAsync(storeTimeout - 2);
    expect(count(store.calls, 'delete')).toBe(0);
    await jest.advanceTimersByTimeAsync(2);
    await flush();
    expect(deleted).toEqual({ state: 'fulfilled', value: false });
  });

  it.each(['delete', 'clear', 'prime'] as const)(
    'deletes a write that lands after its deadline and after %s',
    async (fence) => {
      store.faults.set = 'hangs';
      await getUser(7);
      await jest.advanceTimersByTimeAsync(storeTimeout);
      store.faults.set = undefined;
      if (fence === 'delete') await getUser.delete(7);
      if (fence === 'clear') await getUser.clear();
      if (fence === 'prime') await getUser.prime([7], 'primed');
      store.hung[0]!.land();
      await flush();
      expect([...store.entries.values()].map(({ value }) => value)).toEqual([]);
      expect(await getUser.has(7)).toBe(false);
    },
  );

  it.each(['delete', 'clear'] as const)(
    'deletes a write that lands after its deadline while %s waits for it',
    async (fence) => {
      store.faults.set = 'hangs';
      await getUser(7);
      const fenced = fence === 'delete' ? getUser.delete(7) : getUser.clear();
      await jest.advanceTimersByTimeAsync(storeTimeout);
      await fenced;
      store.hung[0]!.land();
      await flush();
      expect(store.entries.size).toBe(0);
    },
  );

  it('keeps a write that lands after its deadline where no fence came', async () => {
    store.faults.set = 'hangs';
    await getUser(7);
    await jest.advanceTimersByTimeAsync(storeTimeout);
    store.hung[0]!.land();
    await flush();
    version = 2;
    expect(await getUser(7)).toBe('user 7, version 1');
  });

  it('tells of a late write that cannot be deleted again nobody but the store', async () => {
    store.faults.set = 'hangs';
    await getUser(7);
    await jest.advanceTimersByTimeAsync(storeTimeout);
    await getUser.delete(7);
    store.faults.delete = 'rejects';
    store.hung[0]!.land();
    await flush();
    expectErrors([['set', 'hangs']]);
  });
});

function open(answers: 'at once' | 'later'): void {
  store = new FaultyStore(answers);
  listener = listen();
  version = 1;
  getUser = memoizeAsync(async (id: number) => `user ${id}, version ${version}`, {
    cache: store,
    name: 'getUser',
    storeTimeout,
    onEvent: listener.onEvent,
  });
}

interface Settlement {
  state: 'pending' | 'fulfilled' | 'rejected';
  value?: unknown;
  reason?: unknown;
}

function settlement(promise: Promise<unknown>): Settlement {
  const outcome: Settlement = { state: 'pending' };
  promise.then(
    (value) => Object.assign(outcome, { state: 'fulfilled', value }),
    (reason: unknown) => Object.assign(outcome, { state: 'rejected', reason }),
  );
  return outcome;
}

function errorOf(operation: FaultyOperation, fault: Fault): unknown {
  return fault === 'hangs' ? expect.any(TimeoutError) : new StoreError(operation);
}

/** What `onEvent` was told of the store, and nothing else about it. */
function expectErrors(expected: readonly (readonly [operation: string, fault: Fault])[]): void {
  expect(listener.of('store-error').map(({ operation, error }) => [operation, error instanceof TimeoutError])).toEqual(
    expected.map(([operation, fault]) => [operation, fault === 'hangs']),
  );
}

function fail(): never {
  throw new Error('trapped');
}

function withTrap<T extends object>(target: T, property: string): T {
  return Object.defineProperty(target, property, { get: fail, configurable: true });
}

/** An entry that is sound but for one property, which throws. */
function trap(property: string): object {
  return withTrap({ v: 1, value: 'old', storedAt: 1 }, property);
}

const refuseAll: ProxyHandler<object> = {
  get: fail,
  has: fail,
  getPrototypeOf: fail,
  ownKeys: fail,
  getOwnPropertyDescriptor: fail,
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Garbage that comes later; what cannot even be awaited comes as a rejection. */
function later(lie: () => unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(lie()));
}
