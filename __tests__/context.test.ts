import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { deferred, flush } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';
import type { MemoizeOptions } from 'aiocachetools';
import type { Fault } from './support/faulty-store.js';

/** Whose call it is. */
const tenant = new AsyncLocalStorage<string>();

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

type Options = MemoizeOptions<(id: number) => Promise<string>>;

/** A loader that records in which context each function of the user's was called. */
function rig(options: Options = {}) {
  const contexts: [what: string, tenant: string | undefined][] = [];
  const note = (what: string): void => void contexts.push([what, tenant.getStore()]);
  const load = memoizeAsync(
    async (id: number) => {
      note('fn');
      return `${id} of ${tenant.getStore()}`;
    },
    {
      name: 'load',
      ttl: () => {
        note('ttl');
        return 100;
      },
      keyOf: (id) => {
        note('keyOf');
        return id;
      },
      onEvent: ({ type }) => note(type),
      ...options,
    },
  );
  const as = <T>(name: string, act: () => T): T => tenant.run(name, act);
  return { load, contexts, as };
}

function expectAll(contexts: readonly (readonly [string, string | undefined])[], name: string): void {
  expect(contexts.length).toBeGreaterThan(0);
  expect(contexts.filter(([, context]) => context !== name)).toEqual([]);
}

describe('the functions of the user, called in the context of the call that caused them', () => {
  const faults: (Fault | undefined)[] = [undefined, 'throws', 'rejects', 'rejects after a yield', 'hangs'];

  it.each(faults)('with two callers on an asynchronous store that has the fault %p', async (fault) => {
    const store = new FaultyStore('later');
    store.faults.get = fault;
    const { load, contexts, as } = rig({ cache: store, storeTimeout: 50 });
    const first = as('a', () => load(1));
    await jest.advanceTimersByTimeAsync(20);
    const second = as('b', () => load(2));
    await jest.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, second])).toEqual(['1 of a', '2 of b']);
    expect(contexts.filter(([what]) => what === 'fn')).toEqual([
      ['fn', 'a'],
      ['fn', 'b'],
    ]);
    for (const what of ['keyOf', 'ttl', 'miss', 'run']) {
      expect(contexts.filter(([each]) => each === what).map(([, name]) => name)).toEqual(['a', 'b']);
    }
  });

  it('on a hit and a join', async () => {
    const { load, contexts, as } = rig();
    await as('a', () => load(1));
    contexts.length = 0;
    await as('b', () => load(1));
    expectAll(contexts, 'b');
    contexts.length = 0;
    void as('c', () => load(2));
    contexts.length = 0;
    const joined = as('d', () => load(2));
    expectAll(contexts, 'd');
    await joined;
  });

  it('on a stale hit with a refresh behind it', async () => {
    const { load, contexts, as } = rig({ staleWhileRevalidate: 1_000 });
    await as('a', () => load(1));
    await jest.advanceTimersByTimeAsync(200);
    contexts.length = 0;
    expect(await as('b', () => load(1))).toBe('1 of a');
    await flush();
    expect(contexts.map(([what]) => what)).toEqual(['keyOf', 'stale', 'fn', 'ttl', 'run']);
    expectAll(contexts, 'b');
  });

  it('on an early refresh', async () => {
    const { load, contexts, as } = rig({ earlyRefresh: 1 });
    await as('a', () => load(1));
    contexts.length = 0;
    jest.spyOn(Math, 'random').mockReturnValue(0);
    jest.setSystemTime(1_000_099);
    await as('b', () => load(1));
    await flush();
    expectAll(contexts, 'b');
    jest.restoreAllMocks();
  });

  it('on a refresh', async () => {
    const { load, contexts, as } = rig();
    await as('a', () => load(1));
    contexts.length = 0;
    await as('b', () => load.refresh(1));
    expectAll(contexts, 'b');
  });

  it('after the limits of a run', async () => {
    // Faked timers call back in the context of the test.
    jest.useRealTimers();
    const alive = setInterval(() => undefined, 1_000);
    const contexts: [string, string | undefined][] = [];
    const load = memoizeAsync(async (_id: number) => deferred<string>().promise, {
      name: 'load',
      ttl: 0,
      staleIfError: 60_000,
      softTimeout: 5,
      timeout: 20,
      onEvent: ({ type }) => void contexts.push([type, tenant.getStore()]),
    });
    await load.prime([1], 'old');
    contexts.length = 0;
    expect(await tenant.run('b', () => load(1))).toBe('old');
    await tenant.run('b', () => expect(load(2)).rejects.toThrow('did not settle'));
    clearInterval(alive);
    expect(contexts.map(([type]) => type)).toEqual(expect.arrayContaining(['fallback', 'timeout', 'run']));
    expectAll(contexts, 'b');
  });
});
