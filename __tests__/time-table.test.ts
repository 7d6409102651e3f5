import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Memoized, MemoizeEvent, MemoizeOptions, Store } from '../lib/index.js';
import { FaultyStore } from './support/faulty-store.js';

type Load = (id: number) => Promise<string>;

const START = 1_000_000;
const TTL = 1_000;

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: START }));
afterEach(() => void jest.useRealTimers());

/** How the stored value stands when the calls come. All waits: `softTimeout` 100, `timeout` 300. */
const states = {
  fresh: { age: 500, staleWhileRevalidate: 2_000, staleIfError: 2_000 },
  'in both stale windows': { age: 1_100, staleWhileRevalidate: 2_000, staleIfError: 2_000 },
  'in the revalidate window only': { age: 1_100, staleWhileRevalidate: 2_000, staleIfError: 0 },
  'in the error window only': { age: 1_100, staleWhileRevalidate: 0, staleIfError: 2_000 },
  gone: { age: 1_100, staleWhileRevalidate: 50, staleIfError: 100 },
} as const;

/** What becomes of the run. */
const runs = {
  succeeds: (resolve: (value: string) => void) => void setTimeout(resolve, 50, 'new'),
  fails: (_resolve: unknown, reject: (error: Error) => void) => void setTimeout(() => reject(new Error('down')), 50),
  'hangs past soft': (resolve: (value: string) => void) => void setTimeout(resolve, 200, 'new'),
  'hangs past hard': (resolve: (value: string) => void) => void setTimeout(resolve, 350, 'late'),
} as const;

/** What is read below as `answer@milliseconds`, and which events were heard, with what they say beside the key. */
interface Row {
  readonly answers: readonly string[];
  readonly peeked: string | undefined;
  readonly events: string;
}

/** First the caller at 0 ms and the joiner at 10 ms. */
const calls: Record<keyof typeof states, Record<keyof typeof runs, Row>> = {
  fresh: {
    succeeds: { answers: ['old@0', 'old@10'], peeked: 'old', events: 'hit hit' },
    fails: { answers: ['old@0', 'old@10'], peeked: 'old', events: 'hit hit' },
    'hangs past soft': { answers: ['old@0', 'old@10'], peeked: 'old', events: 'hit hit' },
    'hangs past hard': { answers: ['old@0', 'old@10'], peeked: 'old', events: 'hit hit' },
  },
  'in both stale windows': {
    succeeds: { answers: ['old@0', 'old@10'], peeked: 'new', events: 'stale stale run:fulfilled' },
    fails: { answers: ['old@0', 'old@10'], peeked: 'old', events: 'stale stale run:rejected' },
    'hangs past soft': { answers: ['old@0', 'old@10'], peeked: 'new', events: 'stale stale run:fulfilled' },
    'hangs past hard': { answers: ['old@0', 'old@10'], peeked: 'old', events: 'stale stale timeout run:timeout' },
  },
  'in the revalidate window only': {
    succeeds: { answers: ['old@0', 'old@10'], peeked: 'new', events: 'stale stale run:fulfilled' },
    fails: { answers: ['old@0', 'old@10'], peeked: 'old', events: 'stale stale run:rejected' },
    'hangs past soft': { answers: ['old@0', 'old@10'], peeked: 'new', events: 'stale stale run:fulfilled' },
    'hangs past hard': { answers: ['old@0', 'old@10'], peeked: 'old', events: 'stale stale timeout run:timeout' },
  },
  'in the error window only': {
    succeeds: { answers: ['new@50', 'new@50'], peeked: 'new', events: 'miss join run:fulfilled' },
    fails: { answers: ['old@50', 'old@50'], peeked: 'old', events: 'miss join run:rejected fallback:error' },
    'hangs past soft': {
      answers: ['old@100', 'old@100'],
      peeked: 'new',
      events: 'miss join fallback:soft-timeout run:fulfilled',
    },
    'hangs past hard': {
      answers: ['old@100', 'old@100'],
      peeked: 'old',
      events: 'miss join fallback:soft-timeout timeout run:timeout',
    },
  },
  gone: {
    succeeds: { answers: ['new@50', 'new@50'], peeked: 'new', events: 'miss join run:fulfilled' },
    fails: { answers: ['down@50', 'down@50'], peeked: undefined, events: 'miss join run:rejected' },
    'hangs past soft': { answers: ['new@200', 'new@200'], peeked: 'new', events: 'miss join run:fulfilled' },
    'hangs past hard': {
      answers: ['TimeoutError@300', 'TimeoutError@300'],
      peeked: undefined,
      events: 'miss join timeout run:timeout',
    },
  },
};

/** First who asks for a refresh at 0 ms, then the caller at 10 ms. */
const callsBesideRefresh: typeof calls = {
  fresh: {
    succeeds: { answers: ['new@50', 'old@10'], peeked: 'new', events: 'hit run:fulfilled' },
    fails: { answers: ['down@50', 'old@10'], peeked: 'old', events: 'hit run:rejected' },
    'hangs past soft': { answers: ['new@200', 'old@10'], peeked: 'new', events: 'hit run:fulfilled' },
    'hangs past hard': { answers: ['TimeoutError@300', 'old@10'], peeked: 'old', events: 'hit timeout run:timeout' },
  },
  'in both stale windows': {
    succeeds: { answers: ['new@50', 'old@10'], peeked: 'new', events: 'stale run:fulfilled' },
    fails: { answers: ['down@50', 'old@10'], peeked: 'old', events: 'stale run:rejected' },
    'hangs past soft': { answers: ['new@200', 'old@10'], peeked: 'new', events: 'stale run:fulfilled' },
    'hangs past hard': { answers: ['TimeoutError@300', 'old@10'], peeked: 'old', events: 'stale timeout run:timeout' },
  },
  'in the revalidate window only': {
    succeeds: { answers: ['new@50', 'old@10'], peeked: 'new', events: 'stale run:fulfilled' },
    fails: { answers: ['down@50', 'old@10'], peeked: 'old', events: 'stale run:rejected' },
    'hangs past soft': { answers: ['new@200', 'old@10'], peeked: 'new', events: 'stale run:fulfilled' },
    'hangs past hard': { answers: ['TimeoutError@300', 'old@10'], peeked: 'old', events: 'stale timeout run:timeout' },
  },
  'in the error window only': {
    succeeds: { answers: ['new@50', 'new@50'], peeked: 'new', events: 'join run:fulfilled' },
    fails: { answers: ['down@50', 'old@50'], peeked: 'old', events: 'join run:rejected fallback:error' },
    'hangs past soft': {
      answers: ['new@200', 'old@110'],
      peeked: 'new',
      events: 'join fallback:soft-timeout run:fulfilled',
    },
    'hangs past hard': {
      answers: ['TimeoutError@300', 'old@110'],
      peeked: 'old',
      events: 'join fallback:soft-timeout timeout run:timeout',
    },
  },
  gone: {
    succeeds: { answers: ['new@50', 'new@50'], peeked: 'new', events: 'join run:fulfilled' },
    fails: { answers: ['down@50', 'down@50'], peeked: undefined, events: 'join run:rejected' },
    'hangs past soft': { answers: ['new@200', 'new@200'], peeked: 'new', events: 'join run:fulfilled' },
    'hangs past hard': {
      answers: ['TimeoutError@300', 'TimeoutError@300'],
      peeked: undefined,
      events: 'join timeout run:timeout',
    },
  },
};

function describeEvent(event: MemoizeEvent): string {
  if (event.type === 'run') return `run:${event.outcome}`;
  return event.type === 'fallback' ? `fallback:${event.reason}` : event.type;
}

/** When and how a call was answered. */
async function told(call: Promise<string>): Promise<string> {
  const answer = await call.catch((error: Error) => (error.name === 'Error' ? error.message : error.name));
  return `${answer}@${Date.now() - START}`;
}

function rig(
  answers: 'at once' | 'later',
  { age, ...options }: MemoizeOptions<Load> & { readonly age: number },
  run: (typeof runs)[keyof typeof runs],
) {
  const store = new FaultyStore(answers);
  const events: string[] = [];
  let runCount = 0;
  const load: Memoized<Load> = memoizeAsync<Load>(
    (_id) =>
      new Promise((resolve, reject) => {
        runCount += 1;
        run(resolve, reject);
      }),
    {
      name: 'load',
      cache: store as Store<string>,
      ttl: TTL,
      softTimeout: 100,
      timeout: 300,
      ...options,
      onEvent: (event) => events.push(describeEvent(event)),
    },
  );
  store.entries.set(`load|${load.keyOf(1)}`, {
    v: 1,
    value: 'old',
    storedAt: START - age,
    freshUntil: START - age + TTL,
  });
  return { load, store, events, runCount: () => runCount };
}

describe.each(['at once', 'later'] as const)('memoizeAsync on a store that answers %s', (answering) => {
  for (const state of Object.keys(states) as (keyof typeof states)[]) {
    describe(`with a value ${state}`, () => {
      for (const run of Object.keys(runs) as (keyof typeof runs)[]) {
        it(`answers first caller and joiner when the run ${run}`, async () => {
          const { load, events, runCount } = rig(answering, states[state], runs[run]);
          const first = told(load(1));
          await jest.advanceTimersByTimeAsync(10);
          const joiner = told(load(1));
          await jest.advanceTimersByTimeAsync(390);
          const expected = calls[state][run];
          expect(await Promise.all([first, joiner])).toEqual(expected.answers);
          expect(events.join(' ')).toBe(expected.events);
          expect(await load.peek(1)).toBe(expected.peeked);
          expect(runCount()).toBe(state === 'fresh' ? 0 : 1);
          await load.settled();
          expect(load.stats().inFlight).toBe(0);
        });

        it(`answers a caller beside a refresh when the run ${run}`, async () => {
          const { load, events, runCount } = rig(answering, states[state], runs[run]);
          const refreshed = told(load.refresh(1));
          await jest.advanceTimersByTimeAsync(10);
          const caller = told(load(1));
          await jest.advanceTimersByTimeAsync(390);
          const expected = callsBesideRefresh[state][run];
          expect(await Promise.all([refreshed, caller])).toEqual(expected.answers);
          expect(events.join(' ')).toBe(expected.events);
          expect(await load.peek(1)).toBe(expected.peeked);
          expect(runCount()).toBe(1);
          await load.settled();
        });
      }
    });
  }

  describe('when the value has left the revalidate window and its background run goes on', () => {
    const windows = { age: TTL + 490, staleWhileRevalidate: 500 };

    it.each([
      ['succeeds', 'new@50', 'stale join run:fulfilled', 2_000],
      ['fails', 'old@50', 'stale join run:rejected fallback:error', 2_000],
      ['hangs past soft', 'old@110', 'stale join fallback:soft-timeout run:fulfilled', 2_000],
      ['hangs past hard', 'old@110', 'stale join fallback:soft-timeout timeout run:timeout', 2_000],
      ['succeeds', 'new@50', 'stale join run:fulfilled', 0],
      ['fails', 'down@50', 'stale join run:rejected', 0],
      ['hangs past soft', 'new@200', 'stale join run:fulfilled', 0],
      ['hangs past hard', 'TimeoutError@300', 'stale join timeout run:timeout', 0],
    ] as const)('and %s, a caller gets %s', async (run, answer, heard, staleIfError) => {
      const { load, events, runCount } = rig(answering, { ...windows, staleIfError }, runs[run]);
      const first = told(load(1));
      await jest.advanceTimersByTimeAsync(10);
      const caller = told(load(1));
      await jest.advanceTimersByTimeAsync(390);
      expect(await Promise.all([first, caller])).toEqual(['old@0', answer]);
      expect(events.join(' ')).toBe(heard);
      expect(runCount()).toBe(1);
      await load.settled();
    });
  });

  it('answers who calls after the soft timeout at once, while the old value is of use', async () => {
    const { load, events } = rig(answering, states['in the error window only'], runs['hangs past soft']);
    const first = told(load(1));
    await jest.advanceTimersByTimeAsync(150);
    const late = told(load(1));
    await jest.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, late])).toEqual(['old@100', 'old@150']);
    expect(events.join(' ')).toBe('miss fallback:soft-timeout join fallback:soft-timeout run:fulfilled');
  });

  it('has who calls after the soft timeout wait for the run, once the old value is gone', async () => {
    const options = { age: TTL, staleIfError: 120 };
    const succeeding = rig(answering, options, runs['hangs past soft']);
    const first = told(succeeding.load(1));
    await jest.advanceTimersByTimeAsync(150);
    const late = [told(succeeding.load(1)), told(succeeding.load(1))];
    await jest.advanceTimersByTimeAsync(100);
    expect(await Promise.all([first, ...late])).toEqual(['old@100', 'new@200', 'new@200']);
    expect(succeeding.events.join(' ')).toBe('miss fallback:soft-timeout join join run:fulfilled');
    expect(succeeding.runCount()).toBe(1);
  });

  it('rejects who calls after the soft timeout with the timeout, once the old value is gone', async () => {
    const { load } = rig(answering, { age: TTL, staleIfError: 120 }, runs['hangs past hard']);
    const first = told(load(1));
    await jest.advanceTimersByTimeAsync(150);
    const late = told(load(1));
    await jest.advanceTimersByTimeAsync(250);
    expect(await Promise.all([first, late])).toEqual(['old@100', 'TimeoutError@300']);
  });

  it('gives no old value for an error once its window has closed during the run', async () => {
    const { load, events } = rig(answering, { age: TTL, staleIfError: 40, softTimeout: undefined }, runs.fails);
    const call = told(load(1));
    await jest.advanceTimersByTimeAsync(60);
    expect(await call).toBe('down@50');
    expect(events.join(' ')).toBe('miss run:rejected');
  });

  it('gives no old value at the soft timeout once its window has closed', async () => {
    const { load, events } = rig(answering, { age: TTL, staleIfError: 90 }, runs['hangs past soft']);
    const call = told(load(1));
    await jest.advanceTimersByTimeAsync(250);
    expect(await call).toBe('new@200');
    expect(events.join(' ')).toBe('miss run:fulfilled');
  });

  it('gives the old value at the timeout where there is no soft one', async () => {
    const { load, events } = rig(
      answering,
      { ...states['in the error window only'], softTimeout: undefined },
      runs['hangs past hard'],
    );
    const call = told(load(1));
    await jest.advanceTimersByTimeAsync(400);
    expect(await call).toBe('old@300');
    expect(events.join(' ')).toBe('miss timeout run:timeout fallback:timeout');
    expect(load.stats()).toMatchObject({ timeouts: 1, fallbacks: 1, errors: 0 });
  });

  it('gives the old value at the timeout to who follows a refresh, not to who asked for it', async () => {
    const { load, events } = rig(
      answering,
      { ...states['in the error window only'], softTimeout: undefined },
      runs['hangs past hard'],
    );
    const refreshed = told(load.refresh(1));
    const call = told(load(1));
    await jest.advanceTimersByTimeAsync(400);
    expect(await Promise.all([refreshed, call])).toEqual(['TimeoutError@300', 'old@300']);
    expect(events.join(' ')).toBe('join timeout run:timeout fallback:timeout');
  });

  it('starts anew after a timeout, aborts the signal of the old run and drops its late result', async () => {
    const signals: AbortSignal[] = [];
    const store = new FaultyStore(answering);
    const load = memoizeAsync(
      (id: number, signal: AbortSignal) => {
        signals.push(signal);
        return new Promise<string>((resolve) =>
          setTimeout(resolve, signals.length === 1 ? 350 : 100, `run ${signals.length} of ${id}`),
        );
      },
      { name: 'load', cache: store as Store<string>, timeout: 300 },
    );
    const own = new AbortController().signal;
    const first = load(1, own).catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(300);
    const error = await first;
    expect(error).toMatchObject({
      name: 'TimeoutError',
      timeout: 300,
      message: 'load: the run did not settle within 300 ms',
    });
    expect(signals[0]!.reason).toBe(error);
    expect(own.aborted).toBe(false);
    const second = load(1, own);
    await jest.advanceTimersByTimeAsync(100);
    await expect(second).resolves.toBe('run 2 of 1');
    await load.settled();
    expect([...store.entries.values()].map(({ value }) => value)).toEqual(['run 2 of 1']);
    expect(load.stats()).toMatchObject({ runs: 2, timeouts: 1, inFlight: 0 });
  });

  it('tells the store how long an entry can be of use', async () => {
    const store = new FaultyStore(answering);
    const hints: unknown[] = [];
    const load = memoizeAsync(async (id: number) => `${id}`, {
      name: 'load',
      cache: store as Store<string>,
      ttl: (_value, id) => (id === 3 ? Infinity : 10.5 * id),
      staleWhileRevalidate: 100,
      staleIfError: 250,
    });
    for (const id of [1, 2, 3]) await load(id);
    await load.settled();
    for (const { method, args } of store.calls) if (method === 'set') hints.push(args[2]);
    expect(hints).toEqual([261, 271, undefined]);
  });
});
