import { describe, expect, it, jest } from '@jest/globals';
import { KeyCache } from '../../lib/hashing/key-cache.js';
import { createKeyBuilder } from '../support/create-key-builder.js';
import { asCalled } from '../support/as-called.js';
import { DeepEquality } from '../support/deep-equality.js';
import { ListGenerator } from '../support/hashing-generator.js';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const count = Math.min(3000, Number(process.env.LISTS ?? 3000));
const encoder = createKeyBuilder({ name: 'f', ignore: [99] });
const encode = (args: readonly unknown[]): string => encoder(undefined, args);
const sampleSize = 8192;

/** Learns a list at its second sight, as a builder does. */
function taught(...lists: unknown[][]): KeyCache {
  const cache = new KeyCache(encode);
  for (const list of [...lists, ...lists]) cache.learn(list, encode(list));
  return cache;
}

describe('KeyCache', () => {
  it('learns a list when it comes the second time', () => {
    const cache = new KeyCache(encode);
    const list = ['a', 1, { page: 1, query: { q: 'x' } }];
    cache.learn(list, encode(list));
    expect(cache.find(list)).toBeUndefined();
    cache.learn(list, encode(list));
    expect(cache.find(['a', 1, { page: 1, query: { q: 'x' } }])).toBe(encode(list));
    expect(cache.find(['a', 1, { query: { q: 'x' }, page: 1 }])).toBeUndefined();
  });

  it('finds one key for two orders of the same properties', () => {
    const cache = taught([{ a: 1, b: 2 }], [{ b: 2, a: 1 }]);
    expect([cache.find([{ a: 1, b: 2 }]), cache.find([{ b: 2, a: 1 }])]).toEqual(Array(2).fill('{2"1:a"1:b#1#2'));
  });

  it('tells similar lists apart', () => {
    const cache = taught([{ a: 1 }], ['a', 1], [0], [NaN], [undefined], [{}], [{ a: { b: 1 } }, 2]);
    const near = [
      [{ a: 2 }],
      [{ a: 1, b: 1 }],
      [{ b: 1 }],
      [{ a: 1 }, 1],
      ['a'],
      ['a', '1'],
      ['a', 1n],
      [-0],
      [null],
      [],
      [[]],
      [{ a: { b: 1 }, c: 2 }],
      [{ a: { b: 1, c: 2 } }],
      [{ a: [] }],
      [Object.create(null)],
      [{ [Symbol('s')]: 1 }],
      [{ a: 1, [Symbol('s')]: 1 }],
      [Object.assign(new (class {})(), { a: 1 })],
      [new Map()],
      [() => 1],
    ];
    for (const list of near) expect(cache.find(list)).toBeUndefined();
    expect([cache.find([0]), cache.find([NaN]), cache.find([undefined])]).toEqual(['#0', '#NaN', '()']);
    expect(cache.find([{ a: { b: 1 } }, 2])).toBe('{1"1:a{1"1:b#1#2');
  });

  it('learns no list that is not plain and small', () => {
    const deep = { a: { a: { a: { a: { a: 1 } } } } };
    const wide = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`n${i}`, i]));
    const lists = [
      [1, 2, 3, 4, 5],
      [[1]],
      [-0],
      [{ a: -0 }],
      ['x'.repeat(129), 1],
      [{ ['x'.repeat(129)]: 1 }],
      [new Date(0)],
      [deep],
      [wide],
      [Object.create(null)],
      [{ get a() { return 1; } }], // prettier-ignore
    ] as unknown[][];
    const cache = taught(...lists);
    for (const list of lists) expect(cache.find(list)).toBeUndefined();
    cache.learn([() => 1], 'x');
    cache.learn([() => 1], 'x');
    cache.learn([{ [Symbol('s')]: 1 }], 'x');
    expect([cache.find([() => 1]), cache.find([{}])]).toEqual([undefined, undefined]);
  });

  it('learns a list that is just small enough', () => {
    const wide = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`n${i}`, i]));
    const lists = [
      [1, 2, 3, 4],
      ['x'.repeat(128), 1],
      [{ ['x'.repeat(128)]: 1 }],
      [{ a: { a: { a: { a: 1 } } } }],
      [wide],
      [wide, { ...wide, n0: 7 }],
      [{}],
      [1],
      [],
      [true, null, undefined, 1n],
    ] as unknown[][];
    const cache = taught(...lists);
    for (const list of lists) expect(cache.find(list)).toBe(encode(list));
  });

  it('learns no key that a copy of the list does not have', () => {
    const cache = new KeyCache(encode);
    cache.learn([1], 'wrong');
    cache.learn([1], 'wrong');
    expect(cache.find([1])).toBeUndefined();
  });

  it('does not take inherited properties for own ones', () => {
    const cache = taught([{ b: 1, a: 2 }], [{ b: 1 }]);
    const root = Object.prototype as Record<string, unknown>;
    try {
      root.a = 2;
      expect(cache.find([{ b: 1 }])).toBeUndefined();
      cache.learn([{ c: 1 }], encode([{ c: 1 }]));
      cache.learn([{ c: 1 }], encode([{ c: 1 }]));
    } finally {
      delete root.a;
    }
    expect(cache.find([{ c: 1 }])).toBe('{1"1:c#1');
    expect(cache.find([{ b: 1 }])).toBe('{1"1:b#1');
  });

  it.each([
    ['an array', () => [1, 2]],
    ['a Date', () => new Date(0)],
    ['an Error', () => new Error('down')],
    ['a RegExp', () => /a/],
    ['a boxed number', () => Object(1) as object],
  ])('does not take %s in the guise of a plain object for one', (_, make) => {
    const disguised: object = Object.setPrototypeOf(make(), Object.prototype) as object;
    const cache = taught([{ ...disguised }], [{ inner: { ...disguised } }]);
    expect(cache.find([{ ...disguised }])).toBe(encode([{ ...disguised }]));
    expect([cache.find([disguised]), cache.find([{ inner: disguised }])]).toEqual([undefined, undefined]);
  });

  it('knows names like those of the root object for what they are', () => {
    const list = [JSON.parse('{"__proto__":1,"constructor":2,"toString":3}')];
    expect(taught(list).find(list)).toBe(encode(list));
  });

  it('learns no more when it is full, and goes on while it helps', () => {
    const cache = taught(['first', 0]);
    for (let i = 0; i < 9_000; i++) for (let sight = 0; sight < 2; sight++) cache.learn(['x', i], encode(['x', i]));
    const find = (i: number): string | undefined => cache.find(['x', i]);
    for (let i = 0; i < 10 * sampleSize; i++) find(i % 2 === 0 ? i % 5_000 : 8_999);
    expect([find(0), find(8_999)]).toEqual(['"1:x#0', undefined]);
  });

  it('is dropped as a whole when it is full of lists that come no more, is bypassed, and learns again', () => {
    const cache = taught(['first', 0]);
    for (let i = 0; i < 9_000; i++) for (let sight = 0; sight < 2; sight++) cache.learn(['x', i], encode(['x', i]));
    // What was learnt in the first sample counts; in the second nothing is found or learnt.
    for (let i = 0; i <= 2 * sampleSize + 1; i++) cache.find(['y', i]);
    for (let i = 0; i < sampleSize; i++) expect(cache.find(['x', i % 5_000])).toBeUndefined();
    for (let sight = 0; sight < 2; sight++) cache.learn(['x', 8_999], encode(['x', 8_999]));
    expect(cache.find(['x', 8_999])).toBe('"1:x#8999');
    expect(cache.find(['x', 0])).toBeUndefined();
  });

  it('rests longer and longer where lists come twice and never again', () => {
    // A list that is learnt is copied, and its key is built again.
    const build = jest.fn(encode);
    const cache = new KeyCache(build);
    const calls = 60 * sampleSize;
    for (let i = 0; i < calls; i++) {
      const list = ['x', i >> 1];
      if (cache.find(list) === undefined) cache.learn(list, encode(list));
    }
    expect(build.mock.calls.length).toBeLessThan(calls / 8);
  });

  it('forgets its lists, those seen once too', () => {
    const cache = taught(['a', 1]);
    cache.learn(['b', 2], encode(['b', 2]));
    cache.forget();
    expect(cache.find(['a', 1])).toBeUndefined();
    cache.learn(['b', 2], encode(['b', 2]));
    expect(cache.find(['b', 2])).toBeUndefined();
    cache.learn(['b', 2], encode(['b', 2]));
    expect(cache.find(['b', 2])).toBe(encode(['b', 2]));
  });

  it.each([
    [1, 8],
    [100, 800],
    [undefined, 8_192],
    [1_000_000, 65_536],
  ])('holds for %p keys in use about %p nodes', (size, nodes) => {
    const cache = new KeyCache(encode, size === undefined ? undefined : () => size);
    const learn = (value: number): void => {
      for (let sight = 0; sight < 2; sight++) cache.learn([value], encode([value]));
    };
    for (let i = 0; i <= nodes + 1; i++) learn(i);
    expect([cache.find([0]), cache.find([nodes]), cache.find([nodes + 1])]).toEqual(['#0', `#${nodes}`, undefined]);
  });

  it('follows the number of keys in use, for which it seldom asks', () => {
    let inUse = 10;
    const sizeOf = jest.fn(() => inUse);
    const cache = new KeyCache(encode, sizeOf);
    const learnAll = (): void => {
      for (let i = 0; i < 2 * sampleSize; i++) {
        const list = ['x', i % 1_000];
        if (cache.find(list) === undefined) cache.learn(list, encode(list));
      }
    };
    learnAll();
    expect(cache.find(['x', 999])).toBeUndefined();
    inUse = 1_000;
    for (let round = 0; round < 3; round++) learnAll();
    expect(cache.find(['x', 999])).toBe(encode(['x', 999]));
    expect(sizeOf.mock.calls.length).toBeLessThan(10);
  });

  it('does not take one zero for the other', () => {
    for (const [known, asked] of [[-0, 0], [0, -0]]) {
      expect(taught([known]).find([asked])).toBeUndefined();
      expect(taught([{ a: known }]).find([{ a: asked }])).toBeUndefined();
      expect(taught([7], [known]).find([asked])).toBeUndefined();
    }
  }); // prettier-ignore

  it('is bypassed for lookups of one argument as for others', () => {
    const cache = taught([7]);
    for (let i = 0; i <= sampleSize; i++) cache.find(['miss']);
    const learns = (): boolean => {
      for (let sight = 0; sight < 2; sight++) cache.learn([7], encode([7]));
      return cache.find([7]) !== undefined;
    };
    for (let i = 1; i < sampleSize; i++) cache.find([7]);
    expect([learns(), learns()]).toEqual([false, true]);
  });

  it('checks every 8,192 lookups how many lists had come before: one in eight is enough', () => {
    for (const hits of [1023, 1024]) {
      // To learn it was the first repeat.
      const cache = taught(['a', 1]);
      for (let i = 0; i < sampleSize; i++) cache.find(i < hits - 1 ? ['a', 1] : ['miss']);
      expect(cache.find(['a', 1])).toBe(hits < 1024 ? undefined : '"1:a#1');
    }
  });

  it('is bypassed for 8,192 lookups, then twice as long each time up to 524,288, and anew after a useful sample', () => {
    const list = ['a', 1];
    const cache = taught(list);
    const miss = (times: number): void => {
      let found = 0;
      for (let i = 0; i < times; i++) if (cache.find(['miss', i]) !== undefined) found++;
      expect(found).toBe(0);
    };
    const learns = (): boolean => {
      for (let sight = 0; sight < 2; sight++) cache.learn(list, encode(list));
      return cache.find(list) !== undefined;
    };
    /** `lookups`: how many the current sample has. One more than the sample size starts the bypass. */
    const expectBypass = (lookups: number, bypassed: number): void => {
      miss(sampleSize - lookups);
      expect(cache.find(list)).toBeUndefined();
      for (let i = 1; i < bypassed; i++) cache.find(list);
      expect([learns(), learns()]).toEqual([false, true]);
    };
    let lookups = 0;
    for (const times of [1, 2, 4, 8, 16, 32, 64, 64]) {
      expectBypass(lookups, times * sampleSize);
      lookups = 1;
    }
    for (let i = lookups; i <= sampleSize; i++) expect(cache.find(list)).toBe('"1:a#1');
    expectBypass(0, sampleSize);
  });

  it(`agrees with the encoder on any list (SEED=${seed})`, () => {
    const generator = new ListGenerator(seed);
    const equality = new DeepEquality();
    const builder = createKeyBuilder({ name: 'f' });
    const lists = Array.from({ length: count }, () => generator.list());
    let hits = 0;
    const cache = taught(...lists);
    for (const list of lists) {
      const near = generator.mutated(list);
      for (const args of [list, generator.shuffled(list), near]) {
        const found = cache.find(args);
        if (found !== undefined) hits++;
        if (found !== undefined && found !== encode(args))
          throw new Error(`SEED=${seed}: ${found} for ${encode(args)}`);
        for (let sight = 0; sight < 3; sight++) expect(builder(undefined, args)).toBe(encode(args));
      }
      const areEqual = equality.holds(asCalled(near), asCalled(list));
      if (areEqual !== undefined) expect(encode(near) === encode(list)).toBe(areEqual);
    }
    expect(hits).toBeGreaterThan(count / 6);
    expect(equality.unanswered).toBeLessThan(0.001);
  }, 60_000);
});
