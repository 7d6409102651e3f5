import { describe, expect, it } from '@jest/globals';
import { ListLimit, propertyStep, tooLong, UnkeyableValue } from '../../lib/hashing/unkeyable.js';

/** A refusal that was passed on by these steps, the innermost first, each from a container of its own. */
function refusedAt(...steps: string[]): UnkeyableValue {
  const refusal = new UnkeyableValue('function');
  for (const step of steps) expect(() => UnkeyableValue.rethrow(refusal, {}, step)).toThrow(refusal);
  return refusal;
}

describe('UnkeyableValue', () => {
  it('gives the path from the outside in', () => {
    expect(refusedAt().describe()).toEqual({ reason: 'function', path: '' });
    expect(refusedAt('.c', '[1]', '.a').describe()).toEqual({ reason: 'function', path: '.a[1].c' });
    expect(refusedAt('.c', '.a').describe()).toEqual(refusedAt('.c', '.a').describe());
  });

  it('gives the same path each time', () => {
    const refusal = refusedAt('.c', '.a');
    expect([refusal.describe().path, refusal.describe().path]).toEqual(['.a.c', '.a.c']);
  });

  it('gives the path to where a cycle closes', () => {
    const [outer, inner] = [{}, {}];
    const refusal = new UnkeyableValue('more than 200 levels');
    for (const [container, step] of [[inner, '.x'], [outer, '.b'], [inner, '.a'], [outer, '.b']] as const)
      expect(() => UnkeyableValue.rethrow(refusal, container, step)).toThrow(refusal);
    expect(refusal.describe()).toEqual({ reason: 'a cycle', path: '.b.a' });
  }); // prettier-ignore

  it('gives no path where a limit on the list was reached', () => {
    const refusal = tooLong();
    expect(() => UnkeyableValue.rethrow(refusal, {}, '.a')).toThrow(refusal);
    expect(refusal.describe()).toEqual({ reason: 'more than 8 Mi characters', path: '' });
    expect(refusal).toBeInstanceOf(ListLimit);
    expect([refusal.message, refusal.value]).toEqual(['more than 8 Mi characters', undefined]);
  });

  it('shows 160 characters of a path', () => {
    expect(refusedAt(`.${'a'.repeat(159)}`).describe().path).toBe(`.${'a'.repeat(159)}`);
    expect(refusedAt(`.${'a'.repeat(160)}`).describe().path).toBe(`.${'a'.repeat(159)}…`);
  });

  it.each([[null], [undefined], ['text'], [7], [{}], [new Error('mine')]])('passes on any other error: %p', (error) => {
    expect(UnkeyableValue.is(error)).toBe(false);
    let thrown: unknown = 'nothing';
    try {
      UnkeyableValue.rethrow(error, {}, '.a');
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBe(error);
  });
});

describe('propertyStep', () => {
  it.each([
    ['a', '.a'],
    ['Z9', '.Z9'],
    ['_', '._'],
    ['$', '.$'],
    ['a_$1', '.a_$1'],
    ['__proto__', '.__proto__'],
    ['', '[""]'],
    ['1', '["1"]'],
    ['1a', '["1a"]'],
    ['a-b', '["a-b"]'],
    ['a b', '["a b"]'],
    [' a', '[" a"]'],
    ['a\n', '["a\\n"]'],
    ['é', '["é"]'],
    ['a"b', '["a\\"b"]'],
  ])('writes %p as code', (name, step) => {
    expect(propertyStep(name)).toBe(step);
  });

  it('shows 60 characters of a name', () => {
    expect(propertyStep('n'.repeat(60))).toBe(`.${'n'.repeat(60)}`);
    expect(propertyStep('n'.repeat(61))).toBe(`["${'n'.repeat(60)}…"]`);
  });
});
