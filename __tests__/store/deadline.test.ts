import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from '../../lib/store/deadline.js';
import { flush } from '../support/call-recorder.js';
import { collectedUntil } from '../support/collect-garbage.js';

describe('Deadlines', () => {
  let expired: [name: string, at: number][];
  let deadlines: Deadlines;
  const start = (name: string) => deadlines.start(() => void expired.push([name, Date.now()]));

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    expired = [];
    deadlines = new Deadlines(100);
  });

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('expire each after the limit, in order', async () => {
    start('a');
    await jest.advanceTimersByTimeAsync(30);
    start('b');
    await jest.advanceTimersByTimeAsync(40);
    start('c');
    start('d');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(expired).toEqual([
      ['a', 100],
      ['b', 130],
      ['c', 170],
      ['d', 170],
    ]);
  });

  it('that were stopped do not expire: the first, the last, one between, all', async () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(start);
    b!.stop();
    d!.stop();
    a!.stop();
    await jest.advanceTimersByTimeAsync(100);
    expect(expired).toEqual([['c', 100]]);
    c!.stop();

    const others = ['e', 'f', 'g'].map(start);
    for (const deadline of others) deadline.stop();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(expired).toEqual([['c', 100]]);
  });

  it('can be stopped twice without harm to the others', async () => {
    const a = start('a');
    const b = start('b');
    start('c');
    a.stop();
    b.stop();
    a.stop();
    b.stop();
    await jest.advanceTimersByTimeAsync(100);
    expect(expired).toEqual([['c', 100]]);
  });

  it('share one timer, which keeps no process alive', async () => {
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    for (let index = 0; index < 1_000; index += 1) {
      start('stopped').stop();
      start('running');
    }
    expect(jest.getTimerCount()).toBe(1);
    expect((setTimeout.mock.results[0]!.value as NodeJS.Timeout).hasRef()).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    expect(expired).toHaveLength(1_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leave no timer behind once all have been stopped and their time has passed', async () => {
    start('a').stop();
    await jest.advanceTimersByTimeAsync(100);
    expect(jest.getTimerCount()).toBe(0);
    start('b');
    await jest.advanceTimersByTimeAsync(99);
    expect(expired).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(expired).toEqual([['b', 200]]);
  });

  it('may be started and stopped by one that expires', async () => {
    deadlines.start(() => {
      expired.push(['a', Date.now()]);
      b.stop();
      start('c');
    });
    const b = start('b');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(expired).toEqual([
      ['a', 100],
      ['c', 200],
    ]);
  });

  it('have none where the limit is endless', () => {
    deadlines = new Deadlines(Infinity);
    start('a');
    start('b').stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are measured by the monotonic clock', async () => {
    start('a');
    jest.setSystemTime(1e12);
    await jest.advanceTimersByTimeAsync(99);
    expect(expired).toEqual([]);
    jest.setSystemTime(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(expired).toHaveLength(1);
  });

  it.each(['one', 'many'])('expire under fake timers that leave the clock alone: %s', async (how) => {
    jest.useFakeTimers({ now: 0, doNotFake: ['performance'] });
    deadlines = new Deadlines(10_000);
    const names = how === 'one' ? ['a'] : ['a', 'b', 'c'];
    for (const name of names) {
      start(name);
      await jest.advanceTimersByTimeAsync(5_000);
    }
    start('stopped').stop();
    await jest.advanceTimersByTimeAsync(names.length * 10_000);
    expect(expired.map(([name]) => name)).toEqual(names);
    for (const [index, [, at]] of expired.entries()) expect(at).toBeGreaterThanOrEqual(index * 5_000 + 10_000);
  });

  it('that are stopped after they have passed, before `expire` is called, do not expire', async () => {
    start('a');
    const b = start('b');
    jest.advanceTimersByTime(100);
    b.stop();
    await flush();
    expect(expired.map(([name]) => name)).toEqual(['a']);
  });

  describe('when the loop was busy', () => {
    let now: number;
    beforeEach(() => {
      now = 0;
      jest.spyOn(performance, 'now').mockImplementation(() => now);
    });

    it('wait as long as the timer was late, and tell why', async () => {
      const a = start('a');
      now = 160;
      await jest.advanceTimersByTimeAsync(100);
      expect(expired).toEqual([]);
      await jest.advanceTimersByTimeAsync(59);
      expect([expired, a.wasBusy]).toEqual([[], false]);
      await jest.advanceTimersByTimeAsync(1);
      expect([expired, a.wasBusy]).toEqual([[['a', 160]], true]);
    });

    it('expire all that the same block made late, and give a turn to what became due since', async () => {
      start('a');
      now = 50;
      start('b');
      now = 70;
      start('c');
      now = 160;
      await jest.advanceTimersByTimeAsync(100);
      now = 220;
      await jest.advanceTimersByTimeAsync(60);
      expect(expired).toEqual([
        ['a', 160],
        ['b', 160],
      ]);
      await jest.advanceTimersByTimeAsync(51);
      expect(expired.slice(2)).toEqual([['c', 211]]);
    });

    it('count a block that ends with a new operation', async () => {
      start('a');
      now = 350;
      start('b').stop();
      await jest.advanceTimersByTimeAsync(99);
      expect(expired).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(expired).toEqual([['a', 100]]);
    });

    it('are not called late where the loop was on time', async () => {
      const a = start('a');
      now = 102;
      await jest.advanceTimersByTimeAsync(101);
      expect([expired, a.wasBusy]).toEqual([[['a', 101]], false]);
    });
  });

  describe('among asynchronous contexts', () => {
    const context = new AsyncLocalStorage<object>();

    it('expire each in the context of its operation', async () => {
      const seen: unknown[] = [];
      for (const user of ['Ada', 'Grace', 'Edsger']) {
        context.run({ user }, () => deadlines.start(() => void seen.push(context.getStore())));
        await jest.advanceTimersByTimeAsync(10);
      }
      await jest.advanceTimersByTimeAsync(100);
      expect(seen).toEqual([{ user: 'Ada' }, { user: 'Grace' }, { user: 'Edsger' }]);
    });

    it('do not keep the context of an early operation while others come and go', async () => {
      jest.useRealTimers();
      deadlines = new Deadlines(20);
      const early = new WeakRef({ user: 'Ada' });
      context.run(early.deref()!, () => start('early').stop());
      let current = start('current');
      const traffic = setInterval(() => {
        const next = start('next');
        current.stop();
        current = next;
      }, 2);
      try {
        await collectedUntil(() => early.deref() === undefined);
      } finally {
        clearInterval(traffic);
        current.stop();
      }
      expect(expired).toEqual([]);
    });
  });

  describe('where timers are replaced', () => {
    it('work again after fake timers were removed', async () => {
      start('under fakes');
      jest.useRealTimers();
      deadlines.start(() => expired.push(['real', 0]));
      const ended = new Promise<void>((resolve) => deadlines.start(resolve));
      await ended;
      expect(expired.map(([name]) => name)).toEqual(['under fakes', 'real']);
    });

    it('work under fake timers that are installed while one is pending', async () => {
      jest.useRealTimers();
      start('real');
      jest.useFakeTimers({ now: 0 });
      start('fake');
      await jest.advanceTimersByTimeAsync(100);
      expect(expired.map(([name]) => name)).toEqual(['real', 'fake']);
    });

    it('work again after all timers were cleared', async () => {
      start('a').stop();
      jest.clearAllTimers();
      await jest.advanceTimersByTimeAsync(200);
      start('b');
      await jest.advanceTimersByTimeAsync(100);
      expect(expired).toEqual([['b', 300]]);
    });

    it.each([
      ['returns nothing', () => undefined],
      [
        'throws',
        () => {
          throw new Error('Disallowed operation called within global scope');
        },
      ],
    ])('start all the same with a `setTimeout` that %s', async (_, setTimeout) => {
      const mock = jest.spyOn(globalThis, 'setTimeout').mockImplementation(setTimeout as never);
      start('a').stop();
      start('b');
      mock.mockRestore();
      start('c');
      await jest.advanceTimersByTimeAsync(100);
      expect(expired.map(([name]) => name)).toEqual(['b', 'c']);
    });
  });

  it('tell their limit', () => {
    expect(deadlines.limit).toBe(100);
  });
});
