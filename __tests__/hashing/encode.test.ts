import { describe, expect, it } from '@jest/globals';
import { createKeyBuilder } from '../support/create-key-builder.js';
import type { KeyOptions } from '../../lib/hashing/key-builder.js';

class ObjectId {
  constructor(readonly hex: string) {}
}

class Money {
  #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}

const encodeIds = (value: unknown): unknown => (value instanceof ObjectId ? ['ObjectId', value.hex] : undefined);

/** A key builder, and the values that its `encode` is asked about. */
function recorded(encode: (value: unknown) => unknown, options: Partial<KeyOptions> = {}) {
  const asked: unknown[] = [];
  const build = createKeyBuilder({ name: 'f', ...options, encode: (value) => (asked.push(value), encode(value)) });
  return { asked, key: (...args: unknown[]): string => build(undefined, args) };
}

describe('encode', () => {
  const { key } = recorded(encodeIds);
  const id = '@E["8:ObjectId"2:ab]';

  it('is written in place of the value, at any depth', () => {
    const oid = new ObjectId('ab');
    expect(key(oid)).toBe(id);
    expect(key(oid, 1)).toBe(`${id}#1`);
    expect(key({ a: oid, b: [oid] })).toBe(`{2"1:a"1:b${id}[${id}]`);
    expect(key(new Map([[oid, new Set([oid])]]))).toBe(`@M1${id}@S1${id}`);
    expect(key([{ a: 1 }, oid, { a: 2 }])).toBe(`[{1"1:a#1${id}=#2]`);
    expect(key([...Array<number>(40).fill(1), oid])).toBe(`[${'#1'.repeat(40)}${id}]`);
    expect(key([{ a: oid }, { a: oid }])).toBe(`[{1"1:a${id}=${id}]`);
  });

  it('has a key that no plain value has', () => {
    const plain: unknown[] = ['ab', ['ab'], { a: 'ab' }, null, 0, new Date(0)];
    for (const value of plain) {
      const encoded = recorded(() => value);
      expect(encoded.key(new ObjectId('x'))).toBe(`@E${key([value]).slice(1, -1)}`);
      expect(encoded.key(value)).not.toBe(encoded.key(new ObjectId('x')));
    }
  });

  it('is asked only about values that would be refused', () => {
    const { asked, key } = recorded(() => 'x');
    const { signal } = new AbortController();
    key('a', 1, null, undefined, [1], { a: 1n, signal }, signal, new Date(), new Map([[{}, [/a/]]]), new URL('a:b'));
    key({ signal: undefined });
    expect(asked).toEqual([]);
    const values: unknown[] = [
      () => 1,
      Symbol('s'),
      new ObjectId('a'),
      { [Symbol('s')]: 1 },
      Object.assign(Object.create(null), { [Symbol('s')]: 1 }),
      Object.assign(new Date(0), { a: 1 }),
      Object.create(Map.prototype) as object,
      Promise.resolve(),
      new Map().keys(),
      Object.defineProperty({}, Symbol.toStringTag, { value: 'Thing' }),
      new Proxy(new Set(), {}),
    ];
    for (const value of values) expect([key(value), key([value])]).toEqual(['@E"1:x', '[@E"1:x]']);
    const twice = values.flatMap((value) => [value, value]);
    // By identity: Jest cannot print some of them.
    expect(asked.length === twice.length && asked.every((value, index) => value === twice[index])).toBe(true);
    expect([key([signal]), asked.at(-1)]).toEqual(['[@E"1:x]', signal]);
  });

  it('is not asked about a container of what it does not know', () => {
    const { asked, key } = recorded(() => undefined);
    const inner = new Money(1);
    for (const value of [[inner], { a: inner }, new Map([[1, inner]]), new Set([inner])]) {
      expect(() => key(value)).toThrow(/\(Money\)/);
    }
    expect(asked).toEqual([inner, inner, inner, inner]);
  });

  it('is not asked about limits and cycles', () => {
    const { asked, key } = recorded(() => 'x');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => key(cycle)).toThrow(/\(a cycle\)/);
    expect(() => key(new Array(100_001))).toThrow(/\(more than 100,000 objects\)/);
    expect(() => key('x'.repeat(2 ** 23 + 1))).toThrow(/\(more than 8 Mi characters\)/);
    expect(asked).toEqual([]);
  });

  it('refuses after all what it answers with `undefined` or with the value itself', () => {
    for (const encode of [() => undefined, (value: unknown) => value]) {
      const { key } = recorded(encode);
      expect(() => key(1, { a: new Money(1) })).toThrow(/^f: cannot build a key from argument 1 at `\.a` \(Money\)\. /);
      expect(() => key(() => 1)).toThrow('argument 0 (function).');
      expect(() => key(Object.assign(new Date(0), { a: 1 }))).toThrow('(Date with properties of its own)');
    }
  });

  it('is asked about what it returns, and names the way there', () => {
    class Box {
      constructor(readonly inner: unknown) {}
    }
    const { key } = recorded((value) => (value instanceof Box ? value.inner : encodeIds(value)));
    expect(key(new Box(new ObjectId('ab')))).toBe(`@E${id}`);
    expect(key(new Box([new ObjectId('ab')]))).toBe(`@E[${id}]`);
    expect(() => key({ a: new Box([1, new Money(1)]) })).toThrow('argument 0 at `.a.encode()[1]` (Money)');
    expect(() => key(new Box(() => 1))).toThrow('argument 0 at `.encode()` (function)');
  });

  it('refuses a promise, which an async `encode` returns', () => {
    const { asked, key } = recorded(async () => 'x');
    expect(() => key([new Money(1)])).toThrow('argument 0 at `[0].encode()` (Promise)');
    expect(asked).toHaveLength(1);
  });

  it('ends where it returns new values for ever', () => {
    for (const encode of [() => new Money(1), () => [new Money(1)], () => () => 1]) {
      const { asked, key } = recorded(encode);
      expect(() => key(new Money(1))).toThrow(/\(more than 200 levels\)/);
      expect(asked.length).toBeLessThanOrEqual(201);
    }
    const { key } = recorded(() => [new Money(1), new Money(1)]);
    expect(() => key(new Money(1))).toThrow(/\(more than 200 levels\)/);
    const { key: wide } = recorded((value) => ((value as Money).cents < 20 ? Array.from({ length: 2 }, () => new Money((value as Money).cents + 1)) : 'end')); // prettier-ignore
    expect(() => wide(new Money(0))).toThrow(/\(more than 100,000 objects\)/);
  });

  it('passes on what it throws', () => {
    const { key } = recorded(() => { throw new RangeError('mine'); }); // prettier-ignore
    for (const value of [new Money(1), [() => 1], new Map([[1, new Money(1)]]), Object.assign(new Date(), { a: 1 })]) {
      expect(() => key(value)).toThrow(new RangeError('mine'));
    }
    expect(key('a', 1)).toBe('"1:a#1');
  });

  it('may build keys itself', () => {
    const build = createKeyBuilder({ name: 'f', encode: (value) => build(undefined, [{ cents: (value as Money).cents }]) });
    expect(build(undefined, [{ a: new Money(7), b: 1 }])).toBe('{2"1:a"1:b@E"12:{1"5:cents#7#1');
  }); // prettier-ignore

  it('works with `ignore`, and with what `keyOf` returns', () => {
    const oid = new ObjectId('ab');
    const ignoring = recorded(encodeIds, { ignore: [1, 'ctx.db'] });
    expect(ignoring.key({ ctx: { db: new Money(1), user: oid } }, new Money(1))).toBe(`{1"3:ctx{1"4:user${id}`);
    expect(ignoring.asked).toEqual([oid]);
    const selecting = createKeyBuilder({ name: 'f', encode: encodeIds, keyOf: (value) => [value] });
    expect(selecting(undefined, [oid] as never)).toBe(`[${id}]`);
    expect(recorded(() => ({ db: 1 }), { ignore: ['db'] }).key(new Money(1))).toBe('@E{1"2:db#1');
  });

  it('is never remembered for a plain object that looks alike', () => {
    class Point {
      constructor(readonly x: number) {}
    }
    const { key } = recorded((value) => ({ ...(value as object) }));
    for (let sight = 0; sight < 4; sight++) {
      expect([key(new Point(1)), key({ x: 1 }), key(new Point(1), 2), key({ x: 1 }, 2)]).toEqual([
        '@E{1"1:x#1',
        '{1"1:x#1',
        '@E{1"1:x#1#2',
        '{1"1:x#1#2',
      ]);
    }
  });

  it('runs no code of an object to remember its key', () => {
    const { key } = recorded(() => 'x');
    const guarded = new Proxy(new Money(1), { ownKeys: () => { throw new RangeError('mine'); } }); // prettier-ignore
    for (let sight = 0; sight < 4; sight++) expect(key(guarded, 1)).toBe('@E"1:x#1');
  });

  it('is asked each time: the key of an instance is never remembered', () => {
    const point = { x: 1, toString: undefined };
    const { key } = recorded((value) => String((value as { now: number }).now));
    class Clock {
      now = 1;
    }
    const clock = new Clock();
    for (let sight = 0; sight < 4; sight++) {
      clock.now = sight;
      expect(key(clock, point)).toBe(`@E"1:${sight}${createKeyBuilder({ name: 'f' })(undefined, [point])}`);
    }
  });
});
