import { getEventListeners, setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Memoized, Store } from '../lib/index.js';
import { createSource, flush, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';

type Load = (id: number, signal?: AbortSignal) => Promise<string>;
type Loader = Memoized<Load>;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

const answering = ['at once', 'later'] as const;

function rig(answers: (typeof answering)[number], options: { ttl?: number; staleWhileRevalidate?: number } = {}) {
  const source = createSource<Parameters<Load>>();
  const store = new FaultyStore(answers);
  const heard = listen();
  const load: Loader = memoizeAsync<Load>(source.fn, {
    name: 'load',
    cache: store as Store<string>,
    onEvent: heard.onEvent,
    ...options,
  });
  /** The signal that run `index` was given. */
  const signalOf = (index: number): AbortSignal => source.calls[index]![1]!;
  return { source, store, heard, load, signalOf };
}

/** A caller with a signal of its own, and what becomes of it. */
function caller(load: Loader): { readonly controller: AbortController; readonly outcome: Promise<unknown> } {
  const controller = new AbortController();
  return { controller, outcome: load(1, controller.signal).catch((error: unknown) => ({ error })) };
}

async function expectQuiet(load: Loader): Promise<void> {
  // A run that was abandoned may never settle: its source is not told of signals.
  const settled = load.settled(1);
  await jest.advanceTimersByTimeAsync(1);
  await settled;
  expect(load.stats().inFlight).toBe(0);
  expect(jest.getTimerCount()).toBeLessThanOrEqual(1);
}

const crowds = [
  [1, 1],
  [2, 1],
  [2, 2],
  [10, 1],
  [10, 9],
  [10, 10],
] as const;

describe.each(answering)('AbortSignal, on a store that answers %s', (answers) => {
  describe.each(crowds)('of %i callers %i leave', (all, leaving) => {
    it('during the run', async () => {
      const { source, load, signalOf, heard } = rig(answers);
      const callers = Array.from({ length: all }, () => caller(load));
      await flush();
      expect(source.runs).toHaveLength(1);
      callers.slice(0, leaving).forEach(({ controller }, index) => controller.abort(`reason ${index}`));
      expect(signalOf(0).aborted).toBe(all === leaving);
      if (all === leaving) expect(signalOf(0).reason).toBe(`reason ${leaving - 1}`);
      source.runs[0]!.resolve('value');
      const outcomes = await Promise.all(callers.map(({ outcome }) => outcome));
      expect(outcomes).toEqual(
        callers.map((_caller, index) => (index < leaving ? { error: `reason ${index}` } : 'value')),
      );
      await expectQuiet(load);
      expect(await load.has(1)).toBe(all !== leaving);
      expect(heard.of('abort')).toHaveLength(leaving);
      expect(heard.of('run').map(({ outcome }) => outcome)).toEqual([all === leaving ? 'aborted' : 'fulfilled']);
      expect(load.stats()).toMatchObject({ misses: 1, joins: all - 1, aborts: leaving, runs: 1 });
    });

    it('before they call', async () => {
      const { source, load } = rig(answers);
      const calls = Array.from({ length: all }, async (_, index) => {
        const signal = index < leaving ? AbortSignal.abort(`reason ${index}`) : new AbortController().signal;
        return load(1, signal).catch((error: unknown) => ({ error }));
      });
      await flush();
      expect(source.runs).toHaveLength(all === leaving ? 0 : 1);
      source.runs[0]?.resolve('value');
      expect(await Promise.all(calls)).toEqual(
        calls.map((_call, index) => (index < leaving ? { error: `reason ${index}` } : 'value')),
      );
      await expectQuiet(load);
      const { hits, stale, joins, misses, aborts } = load.stats();
      expect(hits + stale + joins + misses).toBe(all - leaving);
      expect(aborts).toBe(0);
    });

    it('after the answer', async () => {
      const { source, load, signalOf } = rig(answers);
      const callers = Array.from({ length: all }, () => caller(load));
      await flush();
      source.runs[0]!.resolve('value');
      const outcomes = await Promise.all(callers.map(({ outcome }) => outcome));
      callers.slice(0, leaving).forEach(({ controller }) => controller.abort());
      expect(outcomes).toEqual(callers.map(() => 'value'));
      expect(signalOf(0).aborted).toBe(false);
      await expectQuiet(load);
      expect(await load.has(1)).toBe(true);
      expect(load.stats().aborts).toBe(0);
    });

    it('beside a caller without a signal, whom it does not concern', async () => {
      const { source, load, signalOf } = rig(answers);
      const callers = Array.from({ length: all }, () => caller(load));
      const steady = load(1);
      await flush();
      callers.slice(0, leaving).forEach(({ controller }) => controller.abort('left'));
      expect(signalOf(0).aborted).toBe(false);
      source.runs[0]!.resolve('value');
      await expect(steady).resolves.toBe('value');
      const outcomes = await Promise.all(callers.map(({ outcome }) => outcome));
      expect(outcomes.filter((outcome) => outcome === 'value')).toHaveLength(all - leaving);
      await expectQuiet(load);
    });
  });

  it('makes a caller reject before the next macrotask', async () => {
    const { load } = rig(answers);
    const order: string[] = [];
    for (const when of ['during', 'beforehand'] as const) {
      const controller = new AbortController();
      if (when === 'beforehand') controller.abort();
      const call = load(1, controller.signal).catch(() => order.push(when));
      await flush();
      controller.abort();
      const macrotask = new Promise<void>((resolve) => process.nextTick(resolve)).then(() => order.push('macrotask'));
      await Promise.all([call, macrotask]);
    }
    expect(order).toEqual(['during', 'macrotask', 'beforehand', 'macrotask']);
  });

  it('starts afresh for a newcomer of the very tick in which the last one left', async () => {
    const { source, load, signalOf } = rig(answers);
    const first = caller(load);
    await flush();
    first.controller.abort('left');
    const newcomer = caller(load);
    await flush();
    expect(signalOf(0).aborted).toBe(true);
    expect(source.runs).toHaveLength(2);
    source.runs[0]!.resolve('dropped');
    source.runs[1]!.resolve('value');
    await expect(newcomer.outcome).resolves.toBe('value');
    await expectQuiet(load);
    await expect(load(1)).resolves.toBe('value');
  });

  it('detaches the run before it aborts it, for who calls from its signal', async () => {
    const retried: Promise<string>[] = [];
    let runs = 0;
    const load: Loader = memoizeAsync<Load>(
      async (_id, signal) => {
        runs += 1;
        if (runs > 1) return 'second run';
        signal!.addEventListener('abort', () => retried.push(load(1)));
        return new Promise<string>(() => undefined);
      },
      { name: 'load', cache: new FaultyStore(answers) as Store<string> },
    );
    const first = caller(load);
    await flush();
    first.controller.abort('left');
    await expect(retried[0]).resolves.toBe('second run');
  });

  it('drops the result of an aborted run, and its error', async () => {
    const { source, load, store } = rig(answers);
    const [one, two] = [caller(load), caller(load)];
    await flush();
    one.controller.abort('one');
    two.controller.abort('two');
    source.runs[0]!.reject(new Error('aborted'));
    await flush();
    expect(store.entries.size).toBe(0);
    expect(load.stats()).toMatchObject({ errors: 0, aborts: 2, runs: 1 });
  });

  it('never aborts a background run that its callers leave, also those who joined it', async () => {
    const { source, store, load, signalOf } = rig(answers, { ttl: 100, staleWhileRevalidate: 1_000 });
    await load.prime([1], 'old');
    await jest.advanceTimersByTimeAsync(150);
    const starter = caller(load);
    await expect(starter.outcome).resolves.toBe('old');
    starter.controller.abort();
    store.entries.clear();
    const [one, two] = [caller(load), caller(load)];
    await flush();
    one.controller.abort('one');
    two.controller.abort('two');
    await expect(Promise.all([one.outcome, two.outcome])).resolves.toEqual([{ error: 'one' }, { error: 'two' }]);
    expect(signalOf(0).aborted).toBe(false);
    source.runs[0]!.resolve('new');
    await flush();
    await expectQuiet(load);
    await expect(load(1)).resolves.toBe('new');
    expect(source.runs).toHaveLength(1);
  });

  it('aborts a refresh when all who asked for it have left, and those who joined it', async () => {
    const { source, load, signalOf } = rig(answers);
    const controllers = [new AbortController(), new AbortController()];
    const outcomes = controllers.map(({ signal }) => load.refresh(1, signal).catch((error: unknown) => error));
    const joiner = caller(load);
    await flush();
    controllers.forEach((controller, index) => controller.abort(`reason ${index}`));
    expect(signalOf(0).aborted).toBe(false);
    joiner.controller.abort('joiner');
    expect(signalOf(0).aborted).toBe(true);
    expect(signalOf(0).reason).toBe('joiner');
    await expect(Promise.all(outcomes)).resolves.toEqual(['reason 0', 'reason 1']);
    await expect(joiner.outcome).resolves.toEqual({ error: 'joiner' });
    const again = load.refresh(1);
    await flush();
    source.runs[1]!.resolve('new');
    await expect(again).resolves.toBe('new');
    await expectQuiet(load);
  });

  it('rejects a refresh with a signal that was aborted beforehand, without a run', async () => {
    const { source, load } = rig(answers);
    await expect(load.refresh(1, AbortSignal.abort('gone'))).rejects.toBe('gone');
    expect(source.runs).toHaveLength(0);
  });

  it('keeps a refresh for a caller without a signal who joined it', async () => {
    const { source, load, signalOf } = rig(answers);
    const controller = new AbortController();
    const refreshed = load.refresh(1, controller.signal).catch((error: unknown) => error);
    const steady = load(1);
    await flush();
    controller.abort('left');
    await expect(refreshed).resolves.toBe('left');
    expect(signalOf(0).aborted).toBe(false);
    source.runs[0]!.resolve('value');
    await expect(steady).resolves.toBe('value');
    await expectQuiet(load);
  });

  it('aborts a fenced run too when its callers leave, and no other', async () => {
    const { source, load, signalOf } = rig(answers);
    const before = caller(load);
    await flush();
    await load.delete(1);
    const after = caller(load);
    await flush();
    before.controller.abort('left');
    expect(signalOf(0).aborted).toBe(true);
    expect(signalOf(1).aborted).toBe(false);
    source.runs[1]!.resolve('value');
    await expect(after.outcome).resolves.toBe('value');
    await expectQuiet(load);
    expect(await load.has(1)).toBe(true);
  });

  it('leaves no listener on a signal that was used for 1,000 calls', async () => {
    const { source, load } = rig(answers);
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    const calls = Array.from({ length: 500 }, (_, index) => load(index, signal));
    await flush();
    source.runs.forEach((run, index) => (index % 2 === 0 ? run.resolve('value') : run.reject(new Error('down'))));
    await Promise.allSettled(calls);
    await load.settled();
    await Promise.all(Array.from({ length: 500 }, (_, index) => load(index - (index % 2), signal)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('lets a caller of a prime leave, and the prime goes on', async () => {
    const { load } = rig(answers);
    let bring!: (value: string) => void;
    const primed = load.prime([1], new Promise((resolve) => (bring = resolve)));
    const leaver = caller(load);
    await flush();
    leaver.controller.abort('left');
    await expect(leaver.outcome).resolves.toEqual({ error: 'left' });
    bring('primed');
    await primed;
    await expect(load(1)).resolves.toBe('primed');
    await expectQuiet(load);
  });

  it('gives `fn` the signal of the run in place of each of the caller, and copies what held it', async () => {
    const received: unknown[][] = [];
    const fn = async (...args: unknown[]): Promise<string> => {
      received.push(args);
      return 'value';
    };
    const load = memoizeAsync(fn, { name: 'load', cache: new FaultyStore(answers) as Store<string> });
    const own = new AbortController().signal;
    const held = { signal: own, page: 1 };
    const bare = Object.assign(Object.create(null) as object, { signal: own });
    const deep = { nested: { page: 2 } };
    await load(own, held, bare, deep);
    const [signal, copied, copiedBare, sameDeep] = received[0] as [
      AbortSignal,
      typeof held,
      { signal: unknown },
      unknown,
    ];
    expect(signal).not.toBe(own);
    expect(copied).toEqual({ signal, page: 1 });
    expect(copied).not.toBe(held);
    expect(held.signal).toBe(own);
    expect(copiedBare.signal).toBe(signal);
    expect(Object.getPrototypeOf(copiedBare)).toBeNull();
    // Where `fn` starts in a later turn it gets a copy of plain arguments.
    expect(sameDeep === deep).toBe(answers === 'at once');
    expect(sameDeep).toEqual(deep);
  });

  it('takes the reason of the first of several signals of one call', async () => {
    const fn = jest.fn(async (_one: AbortSignal, _two: AbortSignal) => new Promise<string>(() => undefined));
    const load = memoizeAsync(fn, { name: 'load', cache: new FaultyStore(answers) as Store<string> });
    const [one, two] = [new AbortController(), new AbortController()];
    const call = load(one.signal, two.signal);
    await flush();
    two.abort('two');
    one.abort('one');
    await expect(call).rejects.toBe('two');
    expect(load.stats().aborts).toBe(1);
    expect(getEventListeners(one.signal, 'abort')).toHaveLength(0);
    await expect(load(new AbortController().signal, two.signal)).rejects.toBe('two');
  });

  it('lets `fn` abort its own caller', async () => {
    const controller = new AbortController();
    const load: Loader = memoizeAsync<Load>(
      async (_id, signal) => {
        controller.abort('from within');
        return `aborted: ${signal!.aborted}`;
      },
      { name: 'load', cache: new FaultyStore(answers) as Store<string> },
    );
    await expect(load(1, controller.signal)).rejects.toBe('from within');
    await expectQuiet(load);
    expect(load.stats()).toMatchObject({ aborts: 1, runs: 1 });
    expect(await load.has(1)).toBe(false);
  });
});

describe('AbortSignal during a lookup', () => {
  describe.each(crowds)('of %i callers %i leave', (all, leaving) => {
    it('and `fn` is started for those who stay', async () => {
      const { source, store, load, heard } = rig('later');
      store.faults.get = 'hangs';
      const callers = Array.from({ length: all }, () => caller(load));
      callers.slice(0, leaving).forEach(({ controller }, index) => controller.abort(`reason ${index}`));
      store.hung[0]!.land();
      await flush();
      expect(source.runs).toHaveLength(all === leaving ? 0 : 1);
      source.runs[0]?.resolve('value');
      expect(await Promise.all(callers.map(({ outcome }) => outcome))).toEqual(
        callers.map((_caller, index) => (index < leaving ? { error: `reason ${index}` } : 'value')),
      );
      await expectQuiet(load);
      expect(load.stats()).toMatchObject({ misses: 1, joins: all - 1, aborts: leaving });
      expect(heard.of('run')).toHaveLength(all === leaving ? 0 : 1);
    });
  });

  it('asks the store anew for a newcomer, whatever the first read brings', async () => {
    const { source, store, load } = rig('later');
    store.faults.get = 'hangs';
    const first = caller(load);
    first.controller.abort('left');
    const newcomer = caller(load);
    expect(store.hung).toHaveLength(2);
    store.hung[0]!.land();
    await flush();
    expect(source.runs).toHaveLength(0);
    store.hung[1]!.land();
    await flush();
    source.runs[0]!.resolve('value');
    await expect(newcomer.outcome).resolves.toBe('value');
    await expectQuiet(load);
    expect(load.stats()).toMatchObject({ misses: 2, joins: 0, aborts: 1 });
  });

  it('counts callers of the lookup as callers of the run', async () => {
    const { source, store, load, signalOf } = rig('later');
    store.faults.get = 'hangs';
    const [one, two] = [caller(load), caller(load)];
    one.controller.abort('one');
    store.hung[0]!.land();
    await flush();
    expect(source.runs).toHaveLength(1);
    two.controller.abort('two');
    expect(signalOf(0).reason).toBe('two');
    await expect(Promise.all([one.outcome, two.outcome])).resolves.toEqual([{ error: 'one' }, { error: 'two' }]);
    await expectQuiet(load);
  });

  it('counts callers of a lookup that follows a refresh', async () => {
    const { store, load, signalOf } = rig('later');
    store.faults.get = 'hangs';
    const [one, two] = [caller(load), caller(load)];
    const controller = new AbortController();
    const refreshed = load.refresh(1, controller.signal).catch((error: unknown) => error);
    store.hung[0]!.land();
    await flush();
    controller.abort('refresh left');
    one.controller.abort('one');
    expect(signalOf(0).aborted).toBe(false);
    two.controller.abort('two');
    expect(signalOf(0).reason).toBe('two');
    await expect(refreshed).resolves.toBe('refresh left');
    await expect(two.outcome).resolves.toEqual({ error: 'two' });
    await expectQuiet(load);
  });
});
