import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from '../../lib/store/deadline.js';

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

  it('expire each after the limit, in order', () => {
    start('a');
    jest.advanceTimersByTime(30);
    start('b');
    jest.advanceTimersByTime(40);
    start('c');
    start('d');
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual([
      ['a', 100],
      ['b', 130],
      ['c', 170],
      ['d', 170],
    ]);
  });

  it('that were stopped do not expire: the first, the last, one between, all', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(start);
    b!.stop();
    d!.stop();
    a!.stop();
    jest.advanceTimersByTime(100);
    expect(expired).toEqual([['c', 100]]);
    c!.stop();

    const others = ['e', 'f', 'g'].map(start);
    for (const deadline of others) deadline.stop();
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual([['c', 100]]);
  });

  it('can be stopped twice without harm to the others', () => {
    const a = start('a');
    const b = start('b');
    start('c');
    a.stop();
    b.stop();
    a.stop();
    b.stop();
    jest.advanceTimersByTime(100);
    expect(expired).toEqual([['c', 100]]);
  });

  it('share one timer, which keeps no process alive', () => {
    const setTimeout = jest.spyOn(globalThis, 'setTimeout');
    for (let index = 0; index < 1_000; index += 1) {
      start('stopped').stop();
      start('running');
    }
    expect(jest.getTimerCount()).toBe(1);
    expect((setTimeout.mock.results[0]!.value as NodeJS.Timeout).hasRef()).toBe(false);
    jest.advanceTimersByTime(100);
    expect(expired).toHaveLength(1_000);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leave no timer behind once all have been stopped and their time has passed', () => {
    start('a').stop();
    jest.advanceTimersByTime(100);
    expect(jest.getTimerCount()).toBe(0);
    start('b');
    jest.advanceTimersByTime(99);
    expect(expired).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(expired).toEqual([['b', 200]]);
  });

  it('may be started and stopped by one that expires', () => {
    deadlines.start(() => {
      expired.push(['a', Date.now()]);
      b.stop();
      start('c');
    });
    const b = start('b');
    jest.advanceTimersByTime(1_000);
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

  it('go by a clock that nobody sets', () => {
    start('a');
    jest.setSystemTime(1e12);
    jest.advanceTimersByTime(99);
    expect(expired).toEqual([]);
    jest.setSystemTime(0);
    jest.advanceTimersByTime(1);
    expect(expired).toHaveLength(1);
  });

  it.each(['one', 'many'])('expire under fake timers that leave the clock alone: %s', (how) => {
    jest.useFakeTimers({ now: 0, doNotFake: ['performance'] });
    deadlines = new Deadlines(10_000);
    const names = how === 'one' ? ['a'] : ['a', 'b', 'c'];
    for (const name of names) {
      start(name);
      jest.advanceTimersByTime(5_000);
    }
    start('stopped').stop();
    jest.advanceTimersByTime(names.length * 10_000);
    expect(expired.map(([name]) => name)).toEqual(names);
    for (const [index, [, at]] of expired.entries()) expect(at).toBeGreaterThanOrEqual(index * 5_000 + 10_000);
  });

  it('tell their limit', () => {
    expect(deadlines.limit).toBe(100);
  });
});
