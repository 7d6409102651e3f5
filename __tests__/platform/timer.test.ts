import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
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

  describe('when the loop was busy', () => {
    let now: number;
    beforeEach(() => {
      now = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => now);
    });

    it.each([
      [0, 100],
      [4, 101],
      [30, 130],
      [100, 200],
      [60_000, 200],
    ])('a timer that is %d ms late calls back after another moment', (lateness, calledAt) => {
      startTimer(100, record);
      now = 100 + lateness;
      jest.advanceTimersByTime(calledAt - 1);
      expect(calls).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(calls).toEqual([calledAt]);
    });

    it.each([
      [0, false],
      [49, false],
      [50, true],
      [1e9, true],
    ])('a timer that is %d ms late says whether this process was busy', (lateness, wasBusy) => {
      const timer = startTimer(100, record);
      expect(timer.firedAt).toBeUndefined();
      now = 100 + lateness;
      jest.advanceTimersByTime(300);
      expect([timer.wasBusy, timer.firedAt]).toEqual([wasBusy, 100 + lateness]);
    });

    it('can be stopped meanwhile', () => {
      for (const lateness of [1, 50]) {
        now = 0;
        const timer = startTimer(100, record);
        now = 100 + lateness;
        jest.advanceTimersByTime(100);
        timer.stop();
        jest.advanceTimersByTime(1_000);
      }
      expect(calls).toEqual([]);
    });

    it('takes a host without `setImmediate`', () => {
      const { setImmediate: original } = globalThis;
      Reflect.deleteProperty(globalThis, 'setImmediate');
      try {
        startTimer(100, record);
        now = 102;
        jest.advanceTimersByTime(101);
        expect(calls).toEqual([101]);
      } finally {
        globalThis.setImmediate = original;
      }
    });
  });

  it('lets an answer count that arrived while the loop was blocked', async () => {
    jest.useRealTimers();
    const path = join(mkdtempSync(join(tmpdir(), 'timer-')), 'server');
    const worker = new Worker(
      `const { createServer } = require('node:net');
       createServer((socket) => socket.on('data', () => socket.write('answer'))).listen(
         ${JSON.stringify(path)}, () => require('node:worker_threads').parentPort.postMessage('ready'));`,
      { eval: true },
    );
    try {
      await once(worker, 'message');
      const socket = connect(path);
      await once(socket, 'connect');
      const events: string[] = [];
      for (const delay of [20, 40]) {
        socket.write('question');
        const ended = new Promise<void>((resolve) => {
          startTimer(delay, () => resolve(void events.push('timeout')));
        });
        socket.once('data', () => events.push('answer'));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40);
        await ended;
      }
      expect(events).toEqual(['answer', 'timeout', 'answer', 'timeout']);
      socket.destroy();
    } finally {
      await worker.terminate();
    }
  });

  describe('where timers are replaced', () => {
    it('calls back by the clock that it was started with', async () => {
      jest.useRealTimers();
      const called = new Promise<void>((resolve) => startTimer(1, resolve));
      jest.useFakeTimers();
      await called;
    });

    it('stays stopped where `clearTimeout` belongs to another clock', () => {
      const timer = startTimer(5, record);
      const clearTimeout = jest.spyOn(globalThis, 'clearTimeout').mockImplementation(() => {});
      timer.stop();
      clearTimeout.mockRestore();
      jest.advanceTimersByTime(5);
      expect(calls).toEqual([]);
    });

    it.each([
      ['returns nothing', () => undefined],
      [
        'throws',
        () => {
          throw new Error('Disallowed operation called within global scope');
        },
      ],
    ])('never throws where `setTimeout` %s', (_, setTimeout) => {
      jest.spyOn(globalThis, 'setTimeout').mockImplementation(setTimeout as never);
      startTimer(5, record).stop();
      expect(calls).toEqual([]);
    });

    it('takes no arguments from the host', () => {
      jest
        .spyOn(globalThis, 'setTimeout')
        .mockImplementation(((callback: (...args: unknown[]) => void) => callback(1)) as never);
      startTimer(5, record);
      expect(calls).toEqual([0]);
    });
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
