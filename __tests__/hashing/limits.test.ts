import { describe, expect, it } from '@jest/globals';
import { UnkeyableArgumentError } from '../../lib/errors.js';
import { createKeyBuilder } from '../support/create-key-builder.js';

const keyFor = createKeyBuilder({ name: 'f' });
const key = (...args: unknown[]): string => keyFor(undefined, args);

/** The message and the path of a refusal. */
function refusal(value: unknown): string {
  try {
    key(value);
  } catch (error) {
    expect(error).toBeInstanceOf(UnkeyableArgumentError);
    return (error as Error).message.replace(/^f: cannot build a key from argument 0 ?/, '').replace(/\. List.*/, '');
  }
  throw new Error('was not refused');
}

const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

describe('limits', () => {
  it('takes 200 levels and refuses 201', () => {
    expect(key(nested(200))).toMatch(/^[{[]|^\$/);
    expect(refusal(nested(201))).toMatch(/^at `\[0\]\.a\[0\]\.a.*` \(more than 200 levels\)$/);
    expect(refusal(nested(1_000_000))).toMatch(/\(more than 200 levels\)$/);
  });

  it('counts levels inside what is left out in part', () => {
    const build = createKeyBuilder({ name: 'f', ignore: ['a.b'] });
    expect(build(undefined, [{ a: { c: nested(198) } }])).toMatch(/^\$/);
    expect(() => build(undefined, [{ a: { c: nested(199) } }])).toThrow('(more than 200 levels)');
  });

  it('names a cycle where it closes', () => {
    const self: Record<string, unknown> = {};
    self.self = self;
    expect(refusal(self)).toBe('at `.self` (a cycle)');
    const list: unknown[] = [1];
    list.push({ list });
    expect(refusal({ list })).toBe('at `.list[1].list` (a cycle)');
    const map = new Map<unknown, unknown>();
    map.set('me', map);
    expect(refusal(map)).toBe('at `.values()[0]` (a cycle)');
    const set = new Set<unknown>();
    set.add([set]);
    expect(refusal(set)).toBe('at `.values()[0][0]` (a cycle)');
  });

  it('takes shared references for what they hold', () => {
    const shared = { a: 1 };
    expect(key([shared, shared])).toBe(key([{ a: 1 }, { a: 1 }]));
  });

  it('takes 100,000 containers and refuses one more, over all arguments', () => {
    const rows = Array.from({ length: 99_999 }, () => []);
    expect(key(rows)).toMatch(/^\$/);
    expect(refusal([...rows, []])).toBe('(more than 100,000 objects)');
    expect(() => key(rows, [])).toThrow('f: cannot build a key from argument 1 (more than 100,000 objects).');
    expect(key(rows)).toMatch(/^\$/);
  });

  it('stops at a bomb of shared references, having read no more of it than it may', () => {
    let reads = 0;
    const counted = { get a() { return ++reads; } }; // prettier-ignore
    let bomb: unknown = counted;
    for (let i = 0; i < 100; i++) bomb = [bomb, bomb];
    expect(refusal(bomb)).toBe('(more than 100,000 objects)');
    let maps: unknown = counted;
    for (let i = 0; i < 100; i++) maps = new Map([[1, maps], [2, maps]]); // prettier-ignore
    expect(refusal(maps)).toBe('(more than 100,000 objects)');
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThan(200_000);
  });

  it('counts holes', () => {
    expect(refusal(new Array(1e9))).toBe('(more than 100,000 objects)');
    expect(refusal(new Array(4294967295))).toBe('(more than 100,000 objects)');
    expect(key(new Array(3))).toBe('[^^^]');
    expect(key(new Array(99_999))).toMatch(/^\$/);
    expect(refusal(new Array(100_000))).toBe('(more than 100,000 objects)');
  });

  it('counts names, and reads nothing after those that are too long together', () => {
    let reads = 0;
    const half = 'n'.repeat(5 * 1024 * 1024);
    const object = { [`${half}a`]: 1, [`${half}b`]: 2, get last() { return ++reads; } }; // prettier-ignore
    expect(refusal(object)).toBe('(more than 8 Mi characters)');
    expect(reads).toBe(0);
  });

  it('takes no memory for what an array only claims to hold', () => {
    const claims = [1];
    claims.length = 4294967295;
    expect(refusal(claims)).toBe('(more than 100,000 objects)');
  });

  it('takes 8 Mi characters and refuses more', () => {
    const limit = 8 * 1024 * 1024;
    const tooLong = '(more than 8 Mi characters)';
    expect(key('a'.repeat(limit - 9))).toMatch(/^\$/);
    expect(refusal('a'.repeat(limit + 1))).toBe(tooLong);
    const half = 'a'.repeat(limit / 2);
    expect(refusal([half, half])).toBe(tooLong);
    expect(refusal({ a: half, b: half })).toBe(tooLong);
    expect(refusal(new Map([[half, half]]))).toBe(tooLong);
    expect(refusal(new Set([half, `${half}b`]))).toBe(tooLong);
    expect(refusal({ ['a'.repeat(limit + 1)]: 1 })).toBe(tooLong);
    expect(refusal(new Uint8Array(limit))).toBe(tooLong);
    expect(refusal(Array.from({ length: limit / 4 }, (_, i) => i))).toBe(tooLong);
    expect(refusal(Object('a'.repeat(limit + 1)))).toBe(tooLong);
    expect(refusal(Array(1000).fill('a'.repeat(400_000_000)))).toBe(tooLong);
    expect(() => key(half, half)).toThrow('f: cannot build a key from argument 1 (more than 8 Mi characters).');
  }, 30_000);
});

describe('text that would be too long for the language', () => {
  const long = 'y'.repeat(8e6);
  const longestOfAll = 'y'.repeat(2 ** 29 - 24);

  it.each([
    ['a Map', () => new Map(Array.from({ length: 80 }, (_, index) => [index, long]))],
    ['a Set', () => new Set(Array.from({ length: 80 }, () => [long]))],
    ['an array', () => Array<string>(80).fill(long)],
    ['an object', () => Object.fromEntries(Array.from({ length: 80 }, (_, index) => [index, long]))],
    ['a string as long as it can be', () => longestOfAll],
    ['such a string in an object', () => ({ a: longestOfAll })],
    ['such a string deeper down', () => ({ a: { b: longestOfAll } })],
    ['a Buffer', () => Buffer.allocUnsafe(2 ** 29)],
    ['an ArrayBuffer', () => new ArrayBuffer(2 ** 29)],
  ])('is refused before it is made: %s', (_name, make) => {
    const build = createKeyBuilder({ name: 'getUser' });
    expect(() => build(undefined, [make()])).toThrow(
      'getUser: cannot build a key from argument 0 (more than 8 Mi characters)',
    );
  });
});
