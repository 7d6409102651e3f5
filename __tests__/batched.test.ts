import { AsyncLocalStorage } from 'node:async_hooks';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { batched, memoizeAsync, TimeoutError } from 'aiocachetools';
import { createSource, flush } from './support/call-recorder.js';
import type { Entry } from 'aiocachetools';

type Answer = readonly (string | Error)[] | ReadonlyMap<number, string | Error>;

/** A batch function that answers at once, and the items it was asked for. */
function createLoader(): {
  readonly load: (items: readonly number[]) => Promise<string[]>;
  readonly batches: number[][];
} {
  const batches: number[][] = [];
  return {
    batches,
    load: async (items) => {
      batches.push([...items]);
      return items.map((item) => `value ${item}`);
    },
  };
}

/** A batch function whose runs settle when the test says so. */
const createBatches = () => createSource<[items: readonly number[], ...rest: unknown[]], Answer>();

/** How a promise has settled so far. */
function watch(promise: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'pending' };
  promise.then(
    (value) => (watched.outcome = { value }),
    (error: unknown) => (watched.outcome = { error }),
  );
  return watched;
}

/** The end of this turn of the event loop. */
const endTurn = () => jest.advanceTimersByTimeAsync(0);

let unhandled: unknown[];
const keepUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', keepUnhandled);
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 0 });
});

afterEach(async () => {
  expect(jest.getTimerCount()).toBe(0);
  jest.restoreAllMocks();
  jest.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', keepUnhandled);
  expect(unhandled).toEqual([]);
});

describe('batched', () => {
  describe('collects', () => {
    it('the items of one turn, in the order of the calls, also those of its promise jobs', async () => {
      const { load, batches } = createLoader();
      const get = batched(load);
      const later = Promise.resolve()
        .then(flush)
        .then(() => get(1));
      const values = Promise.all([get(3), get(2), later]);
      await endTurn();
      expect(await values).toEqual(['value 3', 'value 2', 'value 1']);
      expect(batches).toEqual([[3, 2, 1]]);
    });

    it('the items of another turn in another batch', async () => {
      const { load, batches } = createLoader();
      const get = batched(load);
      for (const item of [1, 2]) {
        void get(item);
        await endTurn();
      }
      expect(batches).toEqual([[1], [2]]);
    });

    it('while another batch is under way', async () => {
      const { fn, calls, runs } = createBatches();
      const get = batched(fn);
      const first = watch(get(1));
      await endTurn();
      const second = watch(get(2));
      await endTurn();
      runs[1]!.resolve(['second']);
      await flush();
      expect([first.outcome, second.outcome]).toEqual(['pending', { value: 'second' }]);
      runs[0]!.resolve(['first']);
      await flush();
      expect(first.outcome).toEqual({ value: 'first' });
      expect(calls).toEqual([[[1]], [[2]]]);
    });

    it('the same item twice as two items', async () => {
      const { load, batches } = createLoader();
      const get = batched(load);
      const values = Promise.all([get(1), get(1)]);
      await endTurn();
      expect(await values).toEqual(['value 1', 'value 1']);
      expect(batches).toEqual([[1, 1]]);
    });

    it('for `wait` milliseconds after the first item', async () => {
      const { load, batches } = createLoader();
      const get = batched(load, { wait: 10 });
      void get(1);
      await jest.advanceTimersByTimeAsync(9);
      void get(2);
      expect(batches).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(batches).toEqual([[1, 2]]);
    });

    it('at most `maxSize` items, and asks for a full batch without waiting', async () => {
      const { load, batches } = createLoader();
      const get = batched(load, { maxSize: 2, wait: 10 });
      const values = Promise.all([1, 2, 3, 4, 5].map((item) => get(item)));
      expect(batches).toEqual([]);
      await flush();
      expect(batches).toEqual([
        [1, 2],
        [3, 4],
      ]);
      await jest.advanceTimersByTimeAsync(10);
      expect(batches).toEqual([[1, 2], [3, 4], [5]]);
      expect(await values).toEqual([1, 2, 3, 4, 5].map((item) => `value ${item}`));
    });

    it('one item at a time where `maxSize` is 1, without a timer', async () => {
      const { load, batches } = createLoader();
      const get = batched(load, { maxSize: 1 });
      void get(1);
      void get(2);
      expect(jest.getTimerCount()).toBe(0);
      await flush();
      expect(batches).toEqual([[1], [2]]);
    });

    it('again up to `maxSize` when a call has left', async () => {
      const { load, batches } = createLoader();
      const get = batched(async (items: number[], _signal?: AbortSignal) => load(items), { maxSize: 2 });
      const controller = new AbortController();
      const left = watch(get(1, controller.signal));
      controller.abort('gone');
      void get(2);
      void get(3);
      await flush();
      expect(left.outcome).toEqual({ error: 'gone' });
      expect(batches).toEqual([[2, 3]]);
    });

    it('on a host without setImmediate', async () => {
      const { load, batches } = createLoader();
      const get = batched(load);
      const { setImmediate } = globalThis;
      try {
        Object.assign(globalThis, { setImmediate: undefined });
        void get(1);
        void get(2);
      } finally {
        Object.assign(globalThis, { setImmediate });
      }
      await endTurn();
      expect(batches).toEqual([[1, 2]]);
    });
  });

  describe('splits by what follows the item', () => {
    it.each<[string, unknown[], unknown[], number]>([
      ['equal primitives', ['a', NaN], ['a', NaN], 1],
      ['other primitives', ['a'], ['b'], 2],
      ['0 and -0', [0], [-0], 2],
      ['equal objects that are not the same', [{ a: 1 }], [{ a: 1 }], 2],
      ['an argument more', ['a'], ['a', 'b'], 2],
      ['undefined and nothing', ['a', undefined], ['a'], 1],
      ['signals', ['a', new AbortController().signal], ['a', new AbortController().signal], 1],
      ['a signal and none', ['a', new AbortController().signal], ['a'], 1],
      ['signals in objects', [{ signal: new AbortController().signal }], [{ signal: new AbortController().signal }], 1],
      ['a signal and undefined in objects', [{ signal: new AbortController().signal }], [{ signal: undefined }], 1],
      ['objects with signals and equal properties', [{ signal: undefined, db: 1 }], [{ db: 1, signal: undefined }], 1],
      ['objects with signals and other properties', [{ signal: undefined, db: 1 }], [{ signal: undefined, db: 2 }], 2],
      ['objects with signals and more properties', [{ signal: undefined }], [{ signal: undefined, db: undefined }], 2],
      ['an object with a signal and one without', [{ signal: undefined }], [{}], 2],
      ['a `signal` that is none', [{ signal: 1 }], [{ signal: 1 }], 2],
      [
        'an object with a signal and an instance',
        [{ signal: undefined }],
        [Object.assign(new Date(), { signal: undefined })],
        2,
      ],
    ])('%s', async (_, one, other, count) => {
      const { fn, runs } = createBatches();
      const get = batched(fn);
      const values = [get(1, ...one), get(2, ...other)];
      await endTurn();
      expect(runs).toHaveLength(count);
      for (const run of runs)
        run.resolve(
          new Map([
            [1, 'one'],
            [2, 'two'],
          ]),
        );
      expect(await Promise.all(values)).toEqual(['one', 'two']);
    });

    it('and finds each open batch again', async () => {
      const { fn, calls } = createBatches();
      const get = batched(fn);
      for (const item of [1, 2, 3, 4]) void get(item, item % 2);
      await endTurn();
      expect(calls).toEqual([
        [[1, 3], 1],
        [[2, 4], 0],
      ]);
    });

    it('and by the receiver, which `fn` gets', async () => {
      class Table {
        constructor(readonly name: string) {}
        readonly find = find;
      }
      const find = batched(async function (this: Table, ids: number[]) {
        return ids.map((id) => `${this.name} ${id} of ${ids.length}`);
      });
      const [users, groups] = [new Table('users'), new Table('groups')];
      const values = Promise.all([users.find(1), groups.find(2), users.find(3)]);
      await endTurn();
      expect(await values).toEqual(['users 1 of 2', 'groups 2 of 1', 'users 3 of 2']);
    });
  });

  describe('answers', () => {
    async function answer(returned: unknown, items: readonly unknown[] = [1, 2]): Promise<unknown[]> {
      const get = batched(async function load() {
        return returned as Answer;
      });
      const watched = items.map((item) => watch(get(item as number)));
      await endTurn();
      return watched.map(({ outcome }) => outcome);
    }

    it('with the value at the position of the item, `undefined` and holes too', async () => {
      expect(await answer([null, undefined])).toEqual([{ value: null }, { value: undefined }]);
      expect(await answer(new Array(2))).toEqual([{ value: undefined }, { value: undefined }]);
    });

    it('with the value that a Map has for the item, and with `undefined` where it has none', async () => {
      const key = {};
      expect(
        await answer(
          new Map<unknown, string>([
            [key, 'k'],
            [NaN, 'n'],
            [9, 'more'],
          ]),
          [key, NaN, 1],
        ),
      ).toEqual([{ value: 'k' }, { value: 'n' }, { value: undefined }]);
    });

    it('with a Map of another realm or of a class of its own', async () => {
      class Lookup extends Map<number, string> {}
      expect(await answer(runInNewContext(`new Map([[1, 'a']])`), [1])).toEqual([{ value: 'a' }]);
      expect(await answer(new Lookup([[1, 'a']]), [1])).toEqual([{ value: 'a' }]);
      const own = { get: (id: number) => `own ${id}`, has: () => true, size: 1 };
      expect(await answer(own, [1])).toEqual([{ value: 'own 1' }]);
    });

    const error = new RangeError('no such user');
    it.each<[string, unknown]>([
      ['in an array', ['one', error]],
      [
        'in a Map',
        new Map<number, unknown>([
          [1, 'one'],
          [2, error],
        ]),
      ],
    ])('with the error of one item, %s', async (_, returned) => {
      expect(await answer(returned)).toEqual([{ value: 'one' }, { error }]);
    });

    it.each<[string, unknown, boolean]>([
      ['an error of another realm', runInNewContext('new Error("far")'), true],
      ['a DOMException', new DOMException('no'), true],
      ['an object with a message', { message: 'no' }, false],
      ['an object that calls itself an error', { [Symbol.toStringTag]: 'Error' }, false],
    ])('and takes %s for what it is', async (_, returned, isError) => {
      expect(await answer([returned], [1])).toEqual([isError ? { error: returned } : { value: returned }]);
    });

    it('with the one error of `fn` for each item', async () => {
      const { fn, runs } = createBatches();
      const get = batched(fn);
      const watched = [watch(get(1)), watch(get(2))];
      await endTurn();
      runs[0]!.reject(error);
      await flush();
      expect(watched.map(({ outcome }) => (outcome as { error: unknown }).error)).toEqual([error, error]);
    });

    it('with what `fn` throws', async () => {
      const get = batched(() => {
        throw error;
      });
      const watched = [watch(get(1)), watch(get(2))];
      await endTurn();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error }, { error }]);
    });

    it.each<[string, unknown, string]>([
      ['too short an array', ['one'], 'Expected `load` to return 2 values, one for each item, got 1'],
      ['too long an array', [1, 2, 3], 'Expected `load` to return 2 values, one for each item, got 3'],
      ['nothing', undefined, 'Expected `load` to return an array or a Map, got undefined'],
      ['null', null, 'Expected `load` to return an array or a Map, got null'],
      ['a string', 'ab', 'Expected `load` to return an array or a Map, got "ab"'],
      ['a plain object', { 1: 'one' }, 'Expected `load` to return an array or a Map, got [object Object]'],
      ['a Set', new Set([1, 2]), 'Expected `load` to return an array or a Map, got [object Set]'],
      ['a WeakMap', new WeakMap(), 'Expected `load` to return an array or a Map, got [object WeakMap]'],
    ])('with a TypeError where `fn` returns %s', async (_, returned, message) => {
      const outcome = { error: new TypeError(message) };
      expect(await answer(returned)).toEqual([outcome, outcome]);
    });

    it('with a TypeError that does without the name of a function that has none', async () => {
      const get = batched(
        (
          () => async () =>
            5 as never
        )(),
      );
      const watched = watch(get(1));
      await endTurn();
      const message = 'Expected the batched function to return an array or a Map, got 5';
      expect(watched.outcome).toEqual({ error: new TypeError(message) });
    });

    it.each<[string, () => unknown]>([
      ['an array', () => ['one']],
      ['a thenable', () => ({ then: (resolve: (value: unknown) => void) => resolve(['one']) })],
    ])('where `fn` returns %s in place of a promise', async (_, returned) => {
      const get = batched(returned as () => Promise<string[]>);
      const watched = watch(get(1));
      await endTurn();
      expect(watched.outcome).toEqual({ value: 'one' });
    });

    it.each<[string, object]>([
      [
        'a thenable whose `then` throws',
        {
          then: () => {
            throw error;
          },
        },
      ],
      [
        'a Map whose `get` throws',
        {
          get: () => {
            throw error;
          },
          has: () => true,
          size: 1,
        },
      ],
      [
        'a proxy that throws',
        new Proxy(
          {},
          {
            get: (_, name) => {
              if (name === 'then') return undefined;
              throw error;
            },
          },
        ),
      ],
    ])('with the error of %s', async (_, returned) => {
      expect(await answer(returned)).toEqual([{ error }, { error }]);
    });

    it('the other items where `get` throws for one', async () => {
      const lookup = {
        get: (id: number) => {
          if (id === 1) throw error;
          return 'two';
        },
        has: () => true,
        size: 1,
      };
      expect(await answer(lookup)).toEqual([{ error }, { value: 'two' }]);
    });

    it('by the items of the calls, whatever `fn` does to its list', async () => {
      const get = batched(async (items: number[]) => {
        const map = new Map(items.map((item) => [item, `value ${item}`]));
        items.length = 0;
        return map;
      });
      const values = Promise.all([get(1), get(2)]);
      await endTurn();
      expect(await values).toEqual(['value 1', 'value 2']);
    });
  });

  describe('with signals', () => {
    const createAbortable = () => {
      const { fn, calls, runs } = createBatches();
      const get = batched(fn as (items: number[], signal?: AbortSignal) => Promise<Answer>);
      const signalOf = (run: number) => calls[run]![1] as AbortSignal;
      return { get, calls, runs, signalOf };
    };

    it('rejects a call that was aborted before, and asks for nothing', async () => {
      const { get, calls } = createAbortable();
      const watched = watch(get(1, AbortSignal.abort('before')));
      expect(jest.getTimerCount()).toBe(0);
      await endTurn();
      expect(watched.outcome).toEqual({ error: 'before' });
      expect(calls).toEqual([]);
    });

    it('leaves out who left before `fn` is called', async () => {
      const { get, calls, runs } = createAbortable();
      const [leaving, staying] = [new AbortController(), new AbortController()];
      const watched = [watch(get(1, leaving.signal)), watch(get(2, staying.signal))];
      leaving.abort('left');
      await flush();
      expect(watched[0]!.outcome).toEqual({ error: 'left' });
      await endTurn();
      expect(calls.map(([items]) => items)).toEqual([[2]]);
      runs[0]!.resolve(['two']);
      await flush();
      expect(watched[1]!.outcome).toEqual({ value: 'two' });
    });

    it('does not call `fn`, and keeps no timer, where all have left', async () => {
      const { get, calls } = createAbortable();
      const controller = new AbortController();
      const watched = [watch(get(1, controller.signal)), watch(get(2, controller.signal))];
      controller.abort('left');
      expect(jest.getTimerCount()).toBe(0);
      await endTurn();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error: 'left' }, { error: 'left' }]);
      expect(calls).toEqual([]);
      void get(3);
      await endTurn();
      expect(calls.map(([items]) => items)).toEqual([[3]]);
    });

    it('leaves out who left between the end of the collection and the call of `fn`', async () => {
      const { fn, calls } = createBatches();
      const get = batched(fn, { maxSize: 2 });
      const [one, two] = [new AbortController(), new AbortController()];
      const watched = [watch(get(1, one.signal)), watch(get(2, two.signal))];
      one.abort('one');
      await flush();
      expect(watched[0]!.outcome).toEqual({ error: 'one' });
      expect(calls.map(([items]) => items)).toEqual([[2]]);
      void [watch(get(3, two.signal)), watch(get(4, two.signal))];
      two.abort('two');
      await flush();
      expect(calls).toHaveLength(1);
    });

    it('aborts the signal of `fn` when the last call has left, with its reason', async () => {
      const { get, runs, signalOf } = createAbortable();
      const [one, two] = [new AbortController(), new AbortController()];
      const watched = [watch(get(1, one.signal)), watch(get(2, two.signal))];
      await endTurn();
      const signal = signalOf(0);
      expect([one.signal, two.signal]).not.toContain(signal);
      two.abort('two');
      await flush();
      expect(watched.map(({ outcome }) => outcome)).toEqual(['pending', { error: 'two' }]);
      expect(signal.aborted).toBe(false);
      one.abort('one');
      expect([signal.aborted, signal.reason]).toEqual([true, 'one']);
      await flush();
      expect(watched[0]!.outcome).toEqual({ error: 'one' });
      runs[0]!.reject(new Error('aborted'));
    });

    it('aborts nothing while a call without a signal waits', async () => {
      const { get, runs, signalOf } = createAbortable();
      const controller = new AbortController();
      const watched = [watch(get(1, controller.signal)), watch(get(2))];
      await endTurn();
      controller.abort('left');
      expect(signalOf(0).aborted).toBe(false);
      runs[0]!.resolve(['one', 'two']);
      await flush();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error: 'left' }, { value: 'two' }]);
    });

    it('aborts nothing after `fn` has answered, and listens no longer', async () => {
      const { get, runs, signalOf } = createAbortable();
      const controller = new AbortController();
      const removed = jest.spyOn(controller.signal, 'removeEventListener');
      const watched = watch(get(1, controller.signal));
      await endTurn();
      runs[0]!.resolve(['one']);
      await flush();
      expect(removed).toHaveBeenCalledTimes(1);
      controller.abort('late');
      expect(signalOf(0).aborted).toBe(false);
      expect(watched.outcome).toEqual({ value: 'one' });
    });

    it('gives `fn` an object like the first one, with the signal of the batch', async () => {
      const { fn, calls } = createBatches();
      const get = batched(fn);
      const controllers = [new AbortController(), new AbortController()];
      const options = controllers.map(({ signal }) => ({ signal, tenant: 'a' }));
      const watched = options.map((each, index) => watch(get(index, each)));
      await endTurn();
      const given = calls[0]![1] as { signal: AbortSignal; tenant: string };
      expect(given.tenant).toBe('a');
      expect(given).not.toBe(options[0]);
      expect(options[0]!.signal).toBe(controllers[0]!.signal);
      controllers.forEach((controller, index) => controller.abort(index));
      expect([given.signal.aborted, given.signal.reason]).toEqual([true, 1]);
      await flush();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error: 0 }, { error: 1 }]);
    });

    it('lets a call leave by the signal in its item', async () => {
      const calls: object[][] = [];
      const get = batched(async (items: { id: number; signal: AbortSignal }[]) => {
        calls.push(items);
        return items.map(({ id }) => id);
      });
      const [one, two] = [new AbortController(), new AbortController()];
      const items = [one, two].map(({ signal }, id) => ({ id, signal }));
      const watched = items.map((item) => watch(get(item)));
      one.abort('one');
      await endTurn();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error: 'one' }, { value: 1 }]);
      expect(calls).toEqual([[items[1]]]);
      expect(calls[0]![0]).toBe(items[1]);
    });

    it('ends one call only where its signal throws', async () => {
      const { load, batches } = createLoader();
      const get = batched(async (items: number[], _signal?: AbortSignal) => load(items));
      const { signal } = new AbortController();
      Object.defineProperty(signal, 'addEventListener', {
        value: () => {
          throw new Error('broken');
        },
      });
      const watched = [watch(get(1, signal)), watch(get(2))];
      await endTurn();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error: new Error('broken') }, { value: 'value 2' }]);
      expect(batches).toEqual([[2]]);
    });

    it('keeps no timer where a signal aborts while it is listened to', async () => {
      const { load, batches } = createLoader();
      const get = batched(async (items: number[], _signal?: AbortSignal) => load(items));
      const { signal } = new AbortController();
      Object.defineProperty(signal, 'addEventListener', { value: (_: string, abort: () => void) => abort() });
      const watched = watch(get(1, signal));
      expect(jest.getTimerCount()).toBe(0);
      await endTurn();
      expect(watched.outcome).toEqual({ error: expect.any(DOMException) });
      expect(batches).toEqual([]);
    });
  });

  describe('in a hostile environment', () => {
    const error = new Error('hostile');
    const fail = (): never => {
      throw error;
    };

    it('never throws synchronously', async () => {
      const { load } = createLoader();
      const get = batched(load as (items: number[], ...rest: unknown[]) => Promise<string[]>);
      const hostile = [
        Object.defineProperty({}, 'signal', { get: fail, enumerable: true }),
        new Proxy({}, { get: fail, getPrototypeOf: fail, ownKeys: fail }),
      ];
      const watched = hostile.map((argument) => watch(get(1, argument)));
      await endTurn();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ error }, { error }]);
    });

    it('rejects where no timer can be armed, and works when it can again', async () => {
      const { load, batches } = createLoader();
      const get = batched(load);
      const armed = jest.spyOn(globalThis, 'setImmediate').mockImplementation(fail);
      const watched = watch(get(1));
      await flush();
      expect(watched.outcome).toEqual({ error });
      armed.mockRestore();
      void get(2);
      await endTurn();
      expect(batches).toEqual([[2]]);
    });

    it('answers where a timer calls back at once', async () => {
      const { load } = createLoader();
      const get = batched(load);
      jest.spyOn(globalThis, 'setImmediate').mockImplementation(((callback: () => void) => callback()) as never);
      const watched = [watch(get(1)), watch(get(2))];
      await flush();
      expect(watched.map(({ outcome }) => outcome)).toEqual([{ value: 'value 1' }, { value: 'value 2' }]);
    });
  });

  describe('in asynchronous contexts', () => {
    const context = new AsyncLocalStorage<string>();
    const createSeeing = () => {
      const seen: [context: string | undefined, items: number[]][] = [];
      const fn = async (items: number[], _signal?: AbortSignal): Promise<string[]> => {
        seen.push([context.getStore(), items]);
        await Promise.resolve();
        return items.map((item) => `${context.getStore()} ${item}`);
      };
      return { fn, seen };
    };

    it('calls `fn` in the one of the callers', async () => {
      const { fn, seen } = createSeeing();
      const get = batched(fn);
      const values = context.run('a', () => Promise.all([get(1), get(2)]));
      await endTurn();
      expect(await values).toEqual(['a 1', 'a 2']);
      expect(seen).toEqual([['a', [1, 2]]]);
    });

    it('calls `fn` in the one of the first caller where there are several', async () => {
      const { fn, seen } = createSeeing();
      const get = batched(fn);
      const values = [context.run('a', () => get(1)), context.run('b', () => get(2))];
      await endTurn();
      expect(await Promise.all(values)).toEqual(['a 1', 'a 2']);
      expect(seen).toEqual([['a', [1, 2]]]);
    });

    it('calls `fn` in the one of those who stay where the first has left', async () => {
      const { fn, seen } = createSeeing();
      const get = batched(fn, { maxSize: 3 });
      const leave = (item: number): AbortController => {
        const controller = new AbortController();
        context.run('a', () => get(item, controller.signal)).catch(() => undefined);
        return controller;
      };
      const first = leave(1);
      context.run('c', () => first.abort());
      void context.run('b', () => get(2));
      await endTurn();
      const second = leave(3);
      void context.run('b', () => get(4));
      void context.run('b', () => get(5));
      // The batch is full, so its first call has been told to go on.
      second.abort();
      await flush();
      expect(seen).toEqual([
        ['b', [2]],
        ['b', [4, 5]],
      ]);
    });

    it('brings each caller its value in its own', async () => {
      const { fn } = createSeeing();
      const get = batched(fn);
      const told: (string | undefined)[] = [];
      for (const name of ['a', 'b']) {
        void context.run(name, () => get(1).then(() => told.push(context.getStore())));
      }
      await endTurn();
      expect(told).toEqual(['a', 'b']);
    });
  });

  describe('checks what it is given', () => {
    it.each([undefined, null, 5, {}, 'load'])('refuses %p in place of a function', (given) => {
      expect(() => batched(given as never)).toThrow(TypeError);
      expect(() => batched(given as never)).toThrow(/^Expected a function that takes items, got /);
    });

    it.each<[unknown, string]>([
      [null, 'Expected options to be a plain object, got null'],
      [[], 'Expected options to be a plain object, got []'],
      [{ maxsize: 5 }, 'Unknown option `maxsize`, got 5'],
      [{ [Symbol('s')]: 5 }, 'Unknown option `Symbol(s)`, got 5'],
      [{ maxSize: 0 }, 'Expected `maxSize` to be a whole number > 0, got 0'],
      [{ maxSize: 1.5 }, 'Expected `maxSize` to be a whole number > 0, got 1.5'],
      [{ maxSize: '5' }, 'Expected `maxSize` to be a whole number > 0, got "5"'],
      [{ wait: -1 }, 'Expected `wait` to be a number of milliseconds from 0 to 2147483647, got -1'],
      [{ wait: NaN }, 'Expected `wait` to be a number of milliseconds from 0 to 2147483647, got NaN'],
      [{ wait: Infinity }, 'Expected `wait` to be a number of milliseconds from 0 to 2147483647, got Infinity'],
      [{ wait: '1' }, 'Expected `wait` to be a number of milliseconds from 0 to 2147483647, got "1"'],
    ])('refuses the options %p', (options, message) => {
      expect(() => batched(async (ids: number[]) => ids, options as never)).toThrow(new TypeError(message));
    });

    it('takes an option that is undefined for one that is not given, and an endless `maxSize`', async () => {
      const { load, batches } = createLoader();
      const get = batched(load, { maxSize: undefined, wait: undefined });
      const endless = batched(load, { maxSize: Infinity });
      void [get(1), endless(2)];
      await endTurn();
      expect(batches).toEqual([[1], [2]]);
    });

    it('keeps the name and the length of the function', () => {
      const get = batched(async function loadUsers(ids: number[], _db: object) {
        return ids;
      });
      expect([get.name, get.length]).toEqual(['loadUsers', 2]);
    });
  });
});

describe('batched in memoizeAsync', () => {
  type Load = (items: readonly number[], signal?: AbortSignal) => Promise<Answer>;

  it('asks once for what is missing, and once for each key', async () => {
    const { load, batches } = createLoader();
    const get = memoizeAsync(batched(load), { name: 'get', ttl: 1_000 });
    void get.prime([2], 'primed');
    const values = Promise.all([1, 2, 3, 1, 3].map((id) => get(id)));
    await endTurn();
    expect(await values).toEqual(['value 1', 'primed', 'value 3', 'value 1', 'value 3']);
    expect(batches).toEqual([[1, 3]]);
    expect(await Promise.all([1, 2, 3].map((id) => get(id)))).toEqual(['value 1', 'primed', 'value 3']);
    expect(batches).toHaveLength(1);
    expect(get.stats()).toMatchObject({ runs: 2, joins: 2, inFlight: 0 });
  });

  it('asks once for what an asynchronous store does not hold', async () => {
    const entries = new Map<string, Entry<string>>();
    const store = {
      get: async (key: string) => entries.get(key),
      set: async (key: string, entry: Entry<string>) => void entries.set(key, entry),
      delete: async (key: string) => entries.delete(key),
    };
    const { load, batches } = createLoader();
    const get = memoizeAsync(batched(load), { name: 'get', cache: store });
    const values = Promise.all([1, 2, 1].map((id) => get(id)));
    await endTurn();
    expect(await values).toEqual(['value 1', 'value 2', 'value 1']);
    await get.settled();
    expect(batches).toEqual([[1, 2]]);
    expect([...entries.keys()]).toEqual(['get|#1', 'get|#2']);
    // The timer for the deadlines of the store is not that of a batch.
    await jest.advanceTimersByTimeAsync(1_000);
  });

  it('stores nothing for an item that failed, and asks for it again', async () => {
    const { fn, calls, runs } = createBatches();
    const get = memoizeAsync(batched(fn as Load), { name: 'get' });
    const watched = [watch(get(1)), watch(get(2))];
    await endTurn();
    runs[0]!.resolve(['one', new Error('two')]);
    await flush();
    expect(watched.map(({ outcome }) => outcome)).toEqual([{ value: 'one' }, { error: new Error('two') }]);
    const again = [watch(get(1)), watch(get(2))];
    await endTurn();
    expect(calls.map(([items]) => items)).toEqual([[1, 2], [2]]);
    runs[1]!.resolve(['two']);
    await flush();
    expect(again.map(({ outcome }) => outcome)).toEqual([{ value: 'one' }, { value: 'two' }]);
  });

  it('leaves an item when the last caller of its key has, and aborts when the last item is left', async () => {
    const { fn, calls } = createBatches();
    const get = memoizeAsync(batched(fn as Load), { name: 'get' });
    const [one, other, two, three] = Array.from({ length: 4 }, () => new AbortController());
    const watched = [
      watch(get(1, one!.signal)),
      watch(get(1, other!.signal)),
      watch(get(2, two!.signal)),
      watch(get(3, three!.signal)),
    ];
    one!.abort('one');
    three!.abort('three');
    await endTurn();
    // A second caller waits for 1, and 3 was left before the call.
    expect(calls.map(([items]) => items)).toEqual([[1, 2]]);
    const signal = calls[0]![1] as AbortSignal;
    other!.abort('other');
    expect(signal.aborted).toBe(false);
    two!.abort('two');
    expect([signal.aborted, signal.reason]).toEqual([true, 'two']);
    await flush();
    expect(watched.map(({ outcome }) => (outcome as { error: unknown }).error)).toEqual([
      'one',
      'other',
      'two',
      'three',
    ]);
    // A new call starts anew.
    void get(1);
    await endTurn();
    expect(calls.map(([items]) => items)).toEqual([[1, 2], [1]]);
  });

  it('takes options with signals, which memoizeAsync copies for each run, into one batch', async () => {
    const calls: unknown[][] = [];
    const load = async (ids: number[], options: { signal?: AbortSignal; tenant: string }) => {
      calls.push([ids, options.tenant, options.signal?.aborted]);
      return ids;
    };
    const get = memoizeAsync(batched(load), { name: 'get' });
    const values = [1, 2, 3].map((id) => get(id, { signal: new AbortController().signal, tenant: id < 3 ? 'a' : 'b' }));
    await endTurn();
    expect(await Promise.all(values)).toEqual([1, 2, 3]);
    expect(calls).toEqual([
      [[1, 2], 'a', false],
      [[3], 'b', false],
    ]);
  });

  it('gives up an item at its timeout, and not the others', async () => {
    const { fn, calls, runs } = createBatches();
    const single = batched(fn as Load);
    const [hasty, patient] = [1_000, 5_000].map((timeout) => memoizeAsync(single, { name: `for ${timeout}`, timeout }));
    const { signal } = new AbortController();
    const watched = [watch(hasty!(1, signal)), watch(patient!(2, signal))];
    await endTurn();
    expect(calls.map(([items]) => items)).toEqual([[1, 2]]);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(watched[0]!.outcome).toEqual({ error: expect.any(TimeoutError) });
    expect((calls[0]![1] as AbortSignal).aborted).toBe(false);
    runs[0]!.resolve(['one', 'two']);
    await flush();
    expect(watched[1]!.outcome).toEqual({ value: 'two' });
    // A late value of an item that was given up is not stored.
    expect(await hasty!.has(1)).toBe(false);
  });

  it('aborts the batch at the timeout of its last item', async () => {
    const { fn, calls } = createBatches();
    const get = memoizeAsync(batched(fn as Load), { name: 'get', timeout: 1_000 });
    const watched = [1, 2].map((id) => watch(get(id, new AbortController().signal)));
    await endTurn();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(watched.map(({ outcome }) => outcome)).toEqual(Array(2).fill({ error: expect.any(TimeoutError) }));
    const signal = calls[0]![1] as AbortSignal;
    expect([signal.aborted, signal.reason]).toEqual([true, expect.any(TimeoutError)]);
  });

  it('refreshes old values behind their callers in one batch', async () => {
    const { load, batches } = createLoader();
    const get = memoizeAsync(batched(load), { name: 'get', ttl: 10, staleWhileRevalidate: 1_000 });
    void [get(1), get(2)];
    await endTurn();
    await jest.advanceTimersByTimeAsync(20);
    expect(await Promise.all([get(1), get(2), get(1)])).toEqual(['value 1', 'value 2', 'value 1']);
    await endTurn();
    expect(batches).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});
