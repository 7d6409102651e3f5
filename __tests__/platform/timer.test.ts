import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startTimer, startWork } from '../../lib/platform/timer.js';

const longest = 2 ** 31 - 1;

describe('startTimer', () => {
  let calls: number[];
  const record = (): void => void calls.push(Date.now());

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    calls = [];
  });

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('calls back once, after the delay', () => {
    startTimer(250, record);
    jest.advanceTimersByTime(249);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(100_000);
    expect(calls).toEqual([250]);
  });

  it.each([longest - 1, longest, longest + 1, 2 * longest, 2 * longest + 5, 365 * 24 * 3_600_000])(
    'waits for %d ms, which `setTimeout` alone cannot always do',
    (delay) => {
      startTimer(delay, record);
      jest.advanceTimersByTime(delay - 1);
      expect(calls).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(calls).toEqual([delay]);
    },
  );

  it('never asks `setTimeout` for more than it can do', () => {
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    startTimer(3 * longest, record);
    jest.advanceTimersByTime(3 * longest);
    expect(calls).toHaveLength(1);
    expect(setTimeout.mock.calls.map(([, delay]) => delay)).toEqual([longest, longest, longest]);
  });

  it('never calls back after an endless delay, and starts nothing for it', () => {
    startTimer(Infinity, record);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('can be stopped, at any of its steps, more than once', () => {
    const timer = startTimer(2 * longest, record);
    jest.advanceTimersByTime(longest + 5);
    timer.stop();
    timer.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(5 * longest);
    expect(calls).toEqual([]);
    startTimer(Infinity, record).stop();
  });

  it('can be stopped after it has called back', () => {
    const timer = startTimer(5, record);
    jest.advanceTimersByTime(5);
    timer.stop();
    expect(calls).toEqual([5]);
  });

  it('keeps no process alive, at none of its steps', () => {
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    startTimer(2 * longest, record);
    jest.advanceTimersByTime(longest);
    const handles = setTimeout.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(handles.map((handle) => handle.hasRef())).toEqual([false, false]);
  });

  it('takes a host whose handles are numbers', () => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    const { setTimeout: original } = globalThis;
    const started: (() => void)[] = [];
    globalThis.setTimeout = ((callback: () => void) => started.push(callback)) as unknown as typeof setTimeout;
    try {
      startTimer(5, record);
    } finally {
      globalThis.setTimeout = original;
    }
    started[0]!();
    expect(calls).toHaveLength(1);
  });
});

describe('startWork', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('calls back once, after the delay', () => {
    jest.useFakeTimers({ now: 0 });
    const calls: number[] = [];
    startWork(250, () => calls.push(Date.now()));
    jest.advanceTimersByTime(249);
    expect(calls).toEqual([]);
    jest.advanceTimersByTime(100_000);
    expect(calls).toEqual([250]);
  });

  it.each([0, 5])('can be stopped within a delay of %d ms', (delay) => {
    jest.useFakeTimers({ now: 0 });
    const calls: number[] = [];
    startWork(delay, () => calls.push(Date.now())).stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10);
    expect(calls).toEqual([]);
  });

  it('calls back after all promise jobs of this turn where the delay is 0', async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) =>
      startWork(0, () => {
        order.push('work');
        resolve();
      }),
    );
    void Promise.resolve()
      .then(() => new Promise<void>((resolve) => process.nextTick(resolve)))
      .then(() => order.push('promise job'));
    await done;
    expect(order).toEqual(['promise job', 'work']);
  });

  it('keeps the process alive', () => {
    jest.useFakeTimers({ now: 0 });
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    const setImmediate = jest.spyOn(globalThis, 'setImmediate');
    const timers = [startWork(5, () => undefined), startWork(0, () => undefined)];
    const [timeout] = setTimeout.mock.results.map(({ value }) => value as NodeJS.Timeout);
    const [immediate] = setImmediate.mock.results.map(({ value }) => value as NodeJS.Immediate);
    expect([timeout!.hasRef(), immediate!.hasRef()]).toEqual([true, true]);
    for (const timer of timers) timer.stop();
  });
});
