import { describe, expect, it } from '@jest/globals';
import { Canonicalizer } from '../../lib/hashing/canonicalize.js';
import { noExclusions } from '../../lib/hashing/ignore.js';
import { collectedUntil, collectGarbage } from '../support/collect-garbage.js';

const canonicalizer = new Canonicalizer();

function text(value: unknown): string {
  canonicalizer.begin();
  try {
    return canonicalizer.argument(value, noExclusions.properties);
  } finally {
    canonicalizer.end();
  }
}

const numbers = (length: number): number[] => Array<number>(length).fill(0);

describe('Canonicalizer', () => {
  it('packs a million numbers, and not one more', () => {
    expect(text(numbers(1_000_000))).toMatch(/^@I1000000:A/);
    expect(text(numbers(1_000_001))).toMatch(/^\[#0#0/);
  });

  it('keeps the sign of a zero in any place', () => {
    expect([text(-0), text({ a: -0 }), text([{ a: -0 }]), text([-0]), text(new Map([[1, -0]]))]).toEqual([
      '#-0',
      '{1"1:a#-0',
      '[{1"1:a#-0]',
      '[#-0]',
      '@M1#1#-0',
    ]);
  });

  it('writes the names of a row once, also after an element that has none', () => {
    for (const between of [1, [1], numbers(32), new Date(5), Object.create(null)]) {
      expect(text([{ b: 1 }, between, { b: 2 }])).toMatch(/^\[\{1"1:b#1.*=#2\]$/);
    }
  });

  it('reads once what ends a block of numbers', () => {
    let reads = 0;
    const list: unknown[] = numbers(40);
    Object.defineProperty(list, 20, { get: () => (reads++, 'x'), enumerable: true });
    expect(text(list)).toContain('#0"1:x#0');
    expect(reads).toBe(1);
  });

  it('reads no element that is not there', () => {
    for (const list of [numbers(40), numbers(40).fill(0.5), [...numbers(40), 'x'], []]) {
      const reads: unknown[] = [];
      const spy = new Proxy(list, { get: (target, name) => (reads.push(name), Reflect.get(target, name) as unknown) });
      text(spy);
      expect(reads.filter((name) => name !== 'length')).toEqual(Object.keys(list));
    }
  });

  it('holds on to nothing large that it has written', async () => {
    const large = (): unknown => Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`n${i}`, half(i)]));
    for (let times = 0; times < 3; times++) await collectGarbage();
    const before = process.memoryUsage();
    text(large());
    text(numbers(1_000_000));
    expect(() => text([...numbers(100_000), { a: large(), b: () => 1 }])).toThrow('function');
    await collectedUntil(() => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed < before.heapUsed + 3_000_000 && arrayBuffers < before.arrayBuffers + 100_000;
    });
  }, 60_000);

  it('holds on to nothing that ended a block of numbers', async () => {
    const ended = ((): WeakRef<object> => {
      const last = { a: 1 };
      text([...numbers(40), last]);
      return new WeakRef(last);
    })();
    await collectGarbage();
    expect(ended.deref()).toBeUndefined();
  });
});

/** Half a megabyte in one piece, another one for each number. */
function half(number: number): string {
  return Array<string>(50_000).fill(`number ${number}. `).join('');
}
