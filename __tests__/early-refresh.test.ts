import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync } from '../lib/index.js';
import type { Memoized, Store } from '../lib/index.js';
import { flush, listen } from './support/call-recorder.js';
import { FaultyStore } from './support/faulty-store.js';
import { Random, seedOfRun } from './model/random.js';

type Load = (id: number) => Promise<string>;

const TTL = 1_000;
/** How long a run takes. */
const DURATION = 50;
const seed = seedOfRun();

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function rig(earlyRefresh: number, answers: 'at once' | 'later' = 'at once') {
  let runs = 0;
  const store = new FaultyStore(answers);
  const heard = listen();
  const load: Memoized<Load> = memoizeAsync<Load>(
    (id) => new Promise((resolve) => setTimeout(resolve, DURATION, `run ${++runs} of ${id}`)),
    { name: 'load', cache: store as Store<string>, ttl: TTL, earlyRefresh, onEvent: heard.onEvent },
  );
  const first = async (): Promise<void> => {
    const call = load(1);
    await jest.advanceTimersByTimeAsync(DURATION);
    await call;
    await flush();
  };
  return { load, store, heard, first, runs: () => runs };
}

describe(`earlyRefresh (SEED=${seed})`, () => {
  it.each(['at once', 'later'] as const)('refreshes behind a hit, on a store that answers %s', async (answers) => {
    const { load, heard, first, runs } = rig(1, answers);
    await first();
    jest.spyOn(Math, 'random').mockReturnValue(Math.exp(-2));
    await jest.advanceTimersByTimeAsync(TTL - 2 * DURATION - 1);
    await expect(load(1)).resolves.toBe('run 1 of 1');
    await flush();
    expect(runs()).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    await expect(load(1)).resolves.toBe('run 1 of 1');
    await flush();
    expect(runs()).toBe(2);
    await jest.advanceTimersByTimeAsync(DURATION);
    await expect(load(1)).resolves.toBe('run 2 of 1');
    expect(heard.types()).toEqual(['miss', 'run', 'hit', 'hit', 'run', 'hit']);
  });

  it('never has two refreshes of a key under way, nor one beside a refresh that was asked for', async () => {
    const { load, first, runs } = rig(4);
    await first();
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const refreshed = load.refresh(1);
    await Promise.all([load(1), load(1), load(1)]);
    expect(runs()).toBe(2);
    await jest.advanceTimersByTimeAsync(DURATION);
    await refreshed;
    await Promise.all([load(1), load(1), load(1)]);
    expect(runs()).toBe(3);
    await jest.advanceTimersByTimeAsync(DURATION - 1);
    await load(1);
    expect(runs()).toBe(3);
  });

  it('never refreshes a primed value early, which took no time to make, nor one without an end', async () => {
    const { load, runs } = rig(4);
    jest.spyOn(Math, 'random').mockReturnValue(0);
    await load.prime([1], 'primed');
    await load(1);
    expect(runs()).toBe(0);
    const endless = memoizeAsync(async (id: number) => id, {
      cache: new Map(),
      name: 'load',
      ttl: () => Infinity,
      earlyRefresh: 4,
    });
    await endless(1);
    await endless(1);
    expect(endless.stats().runs).toBe(1);
  });

  it('is off by default', async () => {
    const { load, first, runs } = rig(0);
    await first();
    jest.spyOn(Math, 'random').mockReturnValue(0);
    await jest.advanceTimersByTimeAsync(TTL - 1);
    await load(1);
    expect(runs()).toBe(1);
  });

  it.each([1, 2, 4])('refreshes as often as its formula says, with beta %i', async (beta) => {
    const { load, store, first } = rig(beta);
    await first();
    const random = new Random(seed + beta);
    jest.spyOn(Math, 'random').mockImplementation(() => random.next());
    const [name, entry] = [...store.entries][0]!;
    for (const remaining of [10, 50, 120, 300]) {
      // P(now - d * beta * ln(u) >= freshUntil) = P(u <= exp(-remaining / (d * beta))).
      const expected = Math.exp(-remaining / (DURATION * beta));
      const rounds = 4_000;
      let refreshes = 0;
      for (let round = 0; round < rounds; round += 1) {
        jest.setSystemTime(entry.freshUntil! - remaining);
        const before = load.stats().runs;
        await load(1);
        if (load.stats().runs === before) continue;
        refreshes += 1;
        await load.delete(1);
        store.entries.set(name, entry);
      }
      // Six standard deviations: one run in 500 million fails by chance.
      const deviation = Math.sqrt((expected * (1 - expected)) / rounds);
      expect(Math.abs(refreshes / rounds - expected)).toBeLessThanOrEqual(6 * deviation + 1 / rounds);
    }
    jest.clearAllTimers();
  });

  it.each([1, 2, 4])('spreads a herd: few of many callers refresh in the last moments, with beta %i', async (beta) => {
    const { load, first } = rig(beta);
    await first();
    const random = new Random(seed + beta);
    jest.spyOn(Math, 'random').mockImplementation(() => random.next());
    let overlapping = 0;
    for (let time = 0; time < TTL - 1; time += 1) {
      await jest.advanceTimersByTimeAsync(1);
      void load(1);
      overlapping = Math.max(overlapping, load.stats().inFlight);
    }
    expect(overlapping).toBe(1);
    expect(load.stats()).toMatchObject({ misses: 1, joins: 0 });
    await jest.advanceTimersByTimeAsync(DURATION);
  });
});
