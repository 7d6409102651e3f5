import { describe, expect, it } from '@jest/globals';
import { leastPacked, mostPacked, NumberPacker } from '../../lib/hashing/numbers.js';
import { collectedUntil } from '../support/collect-garbage.js';

const read = (packer: NumberPacker, array: readonly unknown[]): NumberPacker => packer.read(array, array[0] as number);

/** What a block of numbers must say, written out the slow way. */
function packed(numbers: readonly number[], kind: 'I' | 'F'): string {
  const width = kind === 'I' ? 4 : 8;
  const view = new DataView(new ArrayBuffer(width * numbers.length));
  numbers.forEach((number, i) => (kind === 'I' ? view.setInt32(i * 4, number, true) : view.setFloat64(i * 8, number, true)));
  return `@${kind}${numbers.length}:${Buffer.from(view.buffer).toString('base64url')}`;
} // prettier-ignore

describe('NumberPacker', () => {
  it('packs arrays of 32 to a million numbers', () => {
    expect([leastPacked, mostPacked]).toEqual([32, 1_000_000]);
  });

  it.each<[string, number[], 'I' | 'F']>([
    ['32-bit integers', [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)], 'I'],
    ['an integer beyond', [1, 2 ** 31], 'F'],
    ['one beyond on the other side', [1, -(2 ** 31) - 1], 'F'],
    ['a fraction', [1, 2, 0.5, 3], 'F'],
    ['a fraction at once', [0.5, 1], 'F'],
    ['a fraction at the end', [1, 2, 0.5], 'F'],
    ['a negative zero', [1, -0, 2], 'F'],
    ['a negative zero at once', [-0, 0], 'F'],
    ['what is infinite', [1, Infinity, -Infinity], 'F'],
    ['what is no number, with the same bits each time', [1, NaN, 2, -NaN], 'F'],
  ])('writes %s as the host would, little end first', (_, numbers, kind) => {
    const packer = read(new NumberPacker(), numbers);
    expect(packer.count).toBe(numbers.length);
    expect(numbers.map((_, i) => packer.at(i))).toEqual(numbers);
    expect(packer.pack()).toBe(packed(numbers.map((number) => (Number.isNaN(number) ? NaN : number)), kind));
  }); // prettier-ignore

  it.each<[string, unknown[]]>([
    ['after integers', [1, 2, 'x', 3]],
    ['after fractions', [1, 0.5, 'x', 3]],
    ['after one integer', [1, 'x']],
    ['after one fraction', [0.5, 'x']],
  ])('stops at what is no number, %s', (_, array) => {
    const packer = read(new NumberPacker(), array);
    const count = array.indexOf('x');
    expect([packer.count, packer.stop]).toEqual([count, 'x']);
    expect(array.slice(0, count).map((_, i) => packer.at(i))).toEqual(array.slice(0, count));
  });

  it('forgets the array before', () => {
    const packer = read(new NumberPacker(), [0.5, 1, 2, 3, 'x']);
    expect(read(packer, [7, 8]).pack()).toBe(packed([7, 8], 'I'));
    expect(packer.count).toBe(2);
    expect(read(packer, [0.5]).pack()).toBe(packed([0.5], 'F'));
  });

  it('holds what ended an array until it is released', () => {
    const packer = read(new NumberPacker(), [1, 'x']);
    packer.release();
    expect(packer.stop).toBeUndefined();
  });

  it('lets go of the memory of many numbers', async () => {
    const packers = Array.from({ length: 20 }, () => read(new NumberPacker(), Array(100_000).fill(1)));
    const before = process.memoryUsage().arrayBuffers;
    for (const packer of packers) packer.release();
    await collectedUntil(() => process.memoryUsage().arrayBuffers < before - 15_000_000);
    expect(packers.map(({ count }) => count)).toEqual(Array(20).fill(100_000));
  });
});
