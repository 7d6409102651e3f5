import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RecursionGuard } from '../../lib/in-flight/recursion.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const runOf = (key: string) => ({ key, isSettled: false });
const [a, b, c] = ['a', 'b', 'c'].map(runOf) as [
  ReturnType<typeof runOf>,
  ReturnType<typeof runOf>,
  ReturnType<typeof runOf>,
];

describe('RecursionGuard', () => {
  it('finds no cycle outside any run', () => {
    expect(new RecursionGuard().cycle(a)).toBeUndefined();
  });

  it('gives back what the run gives', () => {
    const guard = new RecursionGuard();
    expect(guard.enter(a, () => 'Ada')).toBe('Ada');
    expect(() => guard.enter(a, () => { throw new RangeError('mine'); })).toThrow(new RangeError('mine')); // prettier-ignore
    expect(guard.cycle(a)).toBeUndefined();
  });

  it('names the way from a run to a call that would wait for it', () => {
    const guard = new RecursionGuard();
    guard.enter(a, () => {
      expect(guard.cycle(a)).toEqual(['a', 'a']);
      guard.enter(b, () =>
        guard.enter(c, () => {
          expect(guard.cycle(a)).toEqual(['a', 'b', 'c', 'a']);
          expect(guard.cycle(b)).toEqual(['b', 'c', 'b']);
        }),
      );
      expect(guard.cycle(b)).toBeUndefined();
    });
  });

  it('goes by the run, not by its key', () => {
    const guard = new RecursionGuard();
    guard.enter(a, () => expect(guard.cycle(runOf('a'))).toBeUndefined());
  });

  it('follows a run through what it waits for, and not into what runs beside it', async () => {
    const guard = new RecursionGuard();
    const inside = guard.enter(a, async () => {
      await Promise.resolve();
      return guard.cycle(a);
    });
    const beside = guard.enter(b, async () => {
      await Promise.resolve();
      return guard.cycle(a);
    });
    expect(await inside).toEqual(['a', 'a']);
    expect(await beside).toBeUndefined();
  });

  it('keeps no run that is over', () => {
    const guard = new RecursionGuard();
    const [outer, inner] = [runOf('outer'), runOf('inner')];
    guard.enter(outer, () => {
      outer.isSettled = true;
      guard.enter(inner, () => {
        expect(guard.cycle(outer)).toBeUndefined();
        expect(guard.cycle(inner)).toEqual(['inner', 'inner']);
      });
    });
  });

  it.each([
    ['no process', undefined],
    ['a process without modules', {}],
    ['a process without such a module', { getBuiltinModule: () => undefined }],
    ['a module without the class', { getBuiltinModule: () => ({}) }],
  ])('asks for an AsyncLocalStorage where there is %s', (_, process) => {
    jest.replaceProperty(globalThis, 'process', process as never);
    expect(() => new RecursionGuard()).toThrow(
      new TypeError('Expected `detectRecursion` only where there is an AsyncLocalStorage, as in Node'),
    );
  });
});
