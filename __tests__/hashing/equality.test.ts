import { describe, expect, it } from '@jest/globals';
import { inspect, isDeepStrictEqual } from 'node:util';
import { createKeyBuilder } from '../support/create-key-builder.js';
import { asCalled } from '../support/as-called.js';
import { DeepEquality } from '../support/deep-equality.js';
import { ListGenerator } from '../support/hashing-generator.js';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const count = Number(process.env.LISTS ?? 100_000);
const keyFor = createKeyBuilder({ name: 'f' });
const key = (list: unknown[]): string => keyFor(undefined, list);

function fail(claim: string, a: unknown[], b: unknown[]): never {
  throw new Error(
    `SEED=${seed}: ${claim}\n${inspect(a, { depth: 9 })}\n${inspect(b, { depth: 9 })}\n${key(a)}\n${key(b)}`,
  );
}

describe('two argument lists', () => {
  it(`share a key exactly when isDeepStrictEqual holds (SEED=${seed})`, () => {
    const generator = new ListGenerator(seed);
    const equality = new DeepEquality();
    const byKey = new Map<string, unknown[]>();
    const compare = (a: unknown[], keyOfA: string, b: unknown[]): boolean | undefined => {
      const areEqual = equality.holds(asCalled(a), asCalled(b));
      if (areEqual !== undefined && areEqual !== (keyOfA === key(b)))
        fail(areEqual ? 'equal lists, two keys' : 'two lists, one key', a, b);
      return areEqual;
    };
    let previous: unknown[] = [];
    let same = 0;
    for (let i = 0; i < count; i++) {
      const list = generator.list();
      const listKey = key(list);
      if (compare(list, listKey, generator.shuffled(list)) === false) fail('a copy is not equal', list, list);
      if (compare(list, listKey, generator.mutated(list))) same++;
      compare(list, listKey, previous);
      const known = byKey.get(listKey);
      if (known !== undefined && equality.holds(asCalled(list), asCalled(known)) === false)
        fail('two lists, one key', list, known);
      byKey.set(listKey, list);
      if (listKey.length > 512 || /\p{Surrogate}/u.test(listKey)) fail('not a key', list, list);
      previous = list;
    }
    // The generator must reach both sides of the rule, or it proves nothing.
    expect(same).toBeGreaterThan(count / 100);
    expect(same).toBeLessThan(count * 0.7);
    expect(byKey.size).toBeGreaterThan(count / 2);
    expect(byKey.size).toBeLessThan(count);
    expect(equality.unanswered).toBeLessThan(0.001);
  }, 120_000);

  it('deviates where the contract says so', () => {
    expect(key([1, undefined])).toBe(key([1]));
    expect(key([{ signal: undefined }])).toBe(key([{}]));
    expect(key([new Date(NaN)])).toBe(key([new Date(NaN)]));
    expect(key([Object.assign([1], { extra: 1 })])).toBe(key([[1]]));
    expect(key([new URL('http://a/1')])).not.toBe(key([new URL('http://a/2')]));
    expect(key([new URLSearchParams('a=1&b=2')])).not.toBe(key([new URLSearchParams('b=2&a=1')]));
  });

  it.each<[string, () => object]>([
    ['a Date', () => new Date(0)],
    ['a RegExp', () => /a/],
    ['an Error', () => new Error('down')],
    ['a boxed number', () => Object(1) as object],
    ['a boxed string', () => Object('ab') as object],
    ['a boxed boolean', () => Object(true) as object],
    ['an array', () => [1, 2]],
    // eslint-disable-next-line prefer-rest-params -- it is what is refused
    ['arguments', () => withoutSymbols((function (..._values: unknown[]) { return arguments; })(1, 2))], // prettier-ignore
    ['a Map', () => new Map([[1, 2]])],
    ['a Uint8Array', () => new Uint8Array([1, 2])],
  ])('differ where one holds %s in the guise of a plain object, as isDeepStrictEqual sees it', (_, make) => {
    // Without a cache of keys, which would answer for the encoder.
    const build = createKeyBuilder({ name: 'f', ignore: [99] });
    for (const prototype of [Object.prototype, null]) {
      const disguised: unknown = Object.setPrototypeOf(make(), prototype);
      const plain = Object.assign(Object.create(prototype) as object, disguised);
      if (isDeepStrictEqual(disguised, plain)) expect(build(undefined, [disguised])).toBe(build(undefined, [plain]));
      else
        expect(() => build(undefined, [{ a: disguised }])).toThrow(
          /argument 0 at `\.a` \((object tagged as )?[A-Z]\w+\)/,
        );
    }
  });

  it('differ by the bits of NaN in a typed array, not by the room of its buffer', () => {
    const withBits = (low: number): Float64Array => {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, low, true);
      view.setUint32(4, 0x7ff80000, true);
      return new Float64Array(view.buffer);
    };
    expect(key([withBits(1)])).not.toBe(key([withBits(2)]));
    const Resizable = ArrayBuffer as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    expect(key([new Resizable(2, { maxByteLength: 9 })])).toBe(key([new ArrayBuffer(2)]));
  });
});

function withoutSymbols(object: object): object {
  for (const symbol of Object.getOwnPropertySymbols(object)) Reflect.deleteProperty(object, symbol);
  return object;
}
