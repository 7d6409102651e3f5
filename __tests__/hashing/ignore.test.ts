import { describe, expect, it } from '@jest/globals';
import { compileIgnore, noExclusions } from '../../lib/hashing/ignore.js';

const { signal } = new AbortController();

describe('compileIgnore', () => {
  it('leaves out signals where there are no rules', () => {
    const { properties, keepsStrings, isEmpty, ...exclusions } = compileIgnore([]);
    const has = (value: unknown, index: number): boolean => exclusions.has(value, index);
    expect([has(signal, 0), has(signal, 7), has(1, 0), has(null, 0), has([signal], 0), has({}, 0)]).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(properties).toEqual({ names: undefined, dropsSignal: true });
    expect([keepsStrings, isEmpty]).toEqual([true, true]);
  });

  it('leaves out positions with any value', () => {
    const exclusions = compileIgnore([1, 3]);
    expect([0, 1, 2, 3].map((index) => exclusions.has('a', index))).toEqual([false, true, false, true]);
    expect(exclusions.isEmpty).toBe(false);
  });

  it('asks each predicate until one says `true`', () => {
    const asked: string[] = [];
    const says = (name: string, answer: unknown) => (): boolean => (asked.push(name), answer as boolean);
    const exclusions = compileIgnore([says('one', false), says('two', 1), says('three', true), says('four', true)]);
    expect(exclusions.has('a', 0)).toBe(true);
    expect(asked).toEqual(['one', 'two', 'three']);
    expect(compileIgnore([says('five', false)]).has('a', 0)).toBe(false);
    expect(exclusions.isEmpty).toBe(false);
  }); // prettier-ignore

  it('keeps lone strings unless the first position or a predicate may be meant', () => {
    const keeps = (...rules: Parameters<typeof compileIgnore>[0]): boolean => compileIgnore(rules).keepsStrings;
    expect([keeps('a'), keeps(1), keeps(1, 2), keeps('a', 1)]).toEqual([true, true, true, true]);
    expect([keeps(0), keeps(1, 0), keeps(() => false), keeps(1, () => false)]).toEqual([false, false, false, false]);
  });

  it('makes a tree of paths, in which the whole wins over its parts', () => {
    const { properties, isEmpty } = compileIgnore(['db', 'ctx.user.id', 'ctx.log', 'ctx.user.name', 'a', 'a.b', 'c.', '.d']);
    const inside = (names: [string, unknown][]): unknown => ({ names: new Map(names), dropsSignal: false });
    expect(properties).toEqual({
      names: new Map<string, unknown>([
        ['ctx', inside([['user', inside([['id', true], ['name', true]])], ['log', true]])],
        ['a', true],
        ['c', inside([['', true]])],
        ['', inside([['d', true]])],
        ['db', true],
      ]),
      dropsSignal: true,
    });
    expect(isEmpty).toBe(false);
  }); // prettier-ignore
});

describe('noExclusions', () => {
  it('leaves out nothing, not even a signal', () => {
    expect(noExclusions).toMatchObject({
      properties: { names: undefined, dropsSignal: false },
      keepsStrings: true,
      isEmpty: true,
    });
    expect(noExclusions.has(signal, 0)).toBe(false);
  });
});
