import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';

/*
 * A host in the manner of Workers: what a request has set up (timers above all) ends with the request, and so does the
 * work that it waited for. The module, and with it every flight, lives on for the next request.
 *
 */
class WorkersHost {
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #setTimeout = globalThis.setTimeout;

  /** Runs the first part of a request, up to where the host cuts it off. */
  async abandonedRequest(handle: () => unknown): Promise<void> {
    const real = this.#setTimeout;
    globalThis.setTimeout = ((callback: () => void, delay?: number) => {
      const timer = real(callback, delay);
      this.#timers.add(timer);
      return timer;
    }) as typeof setTimeout;
    try {
      handle();
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    } finally {
      globalThis.setTimeout = real;
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers.clear();
    }
  }
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 1_000_000 }));
afterEach(() => void jest.useRealTimers());

describe('on a host where the timers of a finished request never fire', () => {
  const stores: [name: string, cache: () => object][] = [
    ['the default store', () => ({})],
    ['a Map', () => ({ cache: new Map() })],
    ['no store', () => ({ cache: null })],
  ];

  it.each(stores)(
    'a run that has outlived its request wedges no key longer than `timeout`, with %s',
    async (_, cache) => {
      const host = new WorkersHost();
      let runs = 0;
      const load = memoizeAsync(
        (id: number): Promise<string> => {
          runs += 1;
          return runs === 1 ? new Promise(() => undefined) : Promise.resolve(`${id} of run ${runs}`);
        },
        { name: 'load', timeout: 50, ...cache() },
      );
      await host.abandonedRequest(() => void load(7).catch(() => undefined));

      // Before the limit the run may still bring something.
      await jest.advanceTimersByTimeAsync(40);
      let isSettled = false;
      await host.abandonedRequest(() =>
        load(7).then(
          () => (isSettled = true),
          () => undefined,
        ),
      );
      expect([runs, isSettled]).toEqual([1, false]);

      await jest.advanceTimersByTimeAsync(20);
      expect(await soon(load(7))).toBe('7 of run 2');
      expect(runs).toBe(2);
    },
  );

  it('callers that still wait for the abandoned run get its TimeoutError then', async () => {
    const host = new WorkersHost();
    let runs = 0;
    const load = memoizeAsync(
      () => ((runs += 1), runs === 1 ? new Promise<string>(() => undefined) : Promise.resolve('fresh')),
      { name: 'load', timeout: 50 },
    );
    let reason: unknown;
    await host.abandonedRequest(() => load().catch((error: unknown) => (reason = error)));
    await jest.advanceTimersByTimeAsync(60);
    expect(await soon(load())).toBe('fresh');
    expect(reason).toBeInstanceOf(TimeoutError);
    expect(load.stats()).toMatchObject({ runs: 2, timeouts: 1, inFlight: 0 });
  });
});

/** What a promise brings within one turn of the loop. */
async function soon<T>(promise: Promise<T>): Promise<T | 'nothing'> {
  let answer: T | 'nothing' = 'nothing';
  void promise.then((value) => (answer = value));
  await jest.advanceTimersByTimeAsync(1);
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  return answer;
}
