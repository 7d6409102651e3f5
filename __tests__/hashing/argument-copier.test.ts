/* eslint-disable no-sparse-arrays -- a hole is a value of its own */
import { describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Temporal } from 'temporal-polyfill';
import { ArgumentCopier } from '../../lib/hashing/argument-copier.js';
import { compileIgnore, noExclusions } from '../../lib/hashing/ignore.js';
import { createKeyBuilder } from '../support/create-key-builder.js';
import { ListGenerator } from '../support/hashing-generator.js';
import type { IgnoreRule } from '../../lib/hashing/ignore.js';

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const count = Math.min(3000, Number(process.env.LISTS ?? 3000));

const all = new ArgumentCopier(compileIgnore([]));
const copyOf = <T>(value: T, ...ignore: IgnoreRule[]): T =>
  new ArgumentCopier(compileIgnore(ignore)).copy([value])[0] as T;

describe('ArgumentCopier', () => {
  it(`has the same key, and shares no container (SEED=${seed})`, () => {
    const generator = new ListGenerator(seed);
    const keyFor = createKeyBuilder({ name: 'f' });
    for (let i = 0; i < count; i++) {
      const list = generator.list();
      const copy = all.copy(list);
      if (keyFor(undefined, copy) !== keyFor(undefined, list))
        throw new Error(`SEED=${seed}: ${keyFor(undefined, list)}, ${keyFor(undefined, copy)}`);
      for (const [index, value] of list.entries()) expectNothingShared(value, copy[index]);
    }
  });

  it('does not see what changes later', () => {
    const args = [
      { page: 1, inner: { list: [1, { a: 1 }] as unknown[] } },
      [1, 2, 3] as number[],
      new Map<unknown, unknown>([[{ k: 1 }, { v: 1 }]]),
      new Set([{ a: 1 }]),
      new Date(5),
      new Uint8Array([1, 2]),
      Buffer.from('ab'),
      new DataView(new ArrayBuffer(2)),
      new ArrayBuffer(2),
      new URL('http://a/?b=1'),
      new URLSearchParams('a=1'),
      Object.assign(/a/g, { lastIndex: 1 }),
    ] as const;
    const build = createKeyBuilder({ name: 'f' });
    const before = build(undefined, args);
    const copy = build.copyArguments(args);
    const [object, list, map, set, date, bytes, buffer, view, memory, url, query, pattern] = args;
    object.inner.list.push(7);
    (object.inner.list[1] as { a: number }).a = 2;
    list.length = 0;
    map.set('new', 1);
    ([...set][0] as { a: number }).a = 2;
    date.setTime(6);
    bytes[0] = 9;
    buffer[0] = 9;
    view.setUint8(0, 9);
    new Uint8Array(memory)[0] = 9;
    url.searchParams.set('b', '2');
    query.append('a', '2');
    pattern.lastIndex = 0;
    expect(build(undefined, args)).not.toBe(before);
    expect(build(undefined, copy)).toBe(before);
    for (const [index, value] of copy.entries()) expect(Object.getPrototypeOf(value)).toBe(Object.getPrototypeOf(args[index]));
  }); // prettier-ignore

  it('returns the list itself where there is nothing to copy', () => {
    class Handle {}
    const { signal } = new AbortController();
    const lists = [
      [],
      ['a', 1, null, undefined, 2n],
      [() => 1, Symbol('s'), new Handle(), signal, Promise.resolve(), new WeakMap()],
      [Object('a'), Object(1), Temporal.PlainDate.from('2026-01-02')],
    ];
    for (const list of lists) expect(all.copy(list)).toBe(list);
  });

  it('leaves functions, instances and signals as they are, also inside of what is copied', () => {
    class Handle {
      state = { open: true };
    }
    const { signal } = new AbortController();
    const [handle, log] = [new Handle(), () => 1];
    const options = { signal, handle, log, list: [handle], map: new Map([[handle, log]]) };
    const copy = copyOf(options);
    expect(copy).not.toBe(options);
    expect([copy.signal, copy.handle, copy.log, copy.list[0]]).toEqual([signal, handle, log, handle]);
    expect(copy.list[0]).toBe(handle);
    expect(copy.list).not.toBe(options.list);
    expect(copy.map.get(handle)).toBe(log);
  });

  it('leaves what is ignored as it is, without reading it', () => {
    const trap = { get value(): never { throw new Error('read'); } }; // prettier-ignore
    const db = { connection: trap };
    expect(new ArgumentCopier(compileIgnore([1])).copy([1, db])[1]).toBe(db);
    expect(copyOf(db, (value) => value === db)).toBe(db);
    const context = { db, get lazy(): never { throw new Error('read'); }, user: { id: 1, session: db } }; // prettier-ignore
    const copy = copyOf({ ctx: context, db }, 'db', 'ctx.db', 'ctx.lazy', 'ctx.user.session');
    expect(copy.ctx).not.toBe(context);
    expect([copy.db, copy.ctx.db, copy.ctx.user.session].map((value) => value === db)).toEqual([true, true, true]);
    expect(copy.ctx.user).not.toBe(context.user);
    expect(Object.getOwnPropertyDescriptor(copy.ctx, 'lazy')).toHaveProperty('get');
    expect(copyOf({ list: [{ db: { a: 1 } }] }, 'list.db').list[0]).toEqual({ db: { a: 1 } });
  });

  it('keeps cycles through ignored parts', () => {
    const request: Record<string, unknown> = { id: 1, res: {} };
    (request.res as Record<string, unknown>).req = request;
    const copy = copyOf({ req: request }, 'req.res').req;
    expect(copy).not.toBe(request);
    expect(copy.res).toBe(request.res);
  });

  it('keeps cycles and shared references, which a key by `keyOf` may have', () => {
    const shared = { a: 1 };
    const cycle: Record<string, unknown> = { shared, list: [shared] };
    cycle.self = cycle;
    cycle.map = new Map([[cycle, cycle]]);
    cycle.set = new Set([cycle]);
    const [one, two] = new ArgumentCopier(noExclusions).copy([cycle, shared]) as [typeof cycle, typeof shared];
    expect(one).not.toBe(cycle);
    expect(one.self).toBe(one);
    expect(one.shared).toBe(two);
    expect((one.list as unknown[])[0]).toBe(two);
    expect((one.map as Map<unknown, unknown>).get(one)).toBe(one);
    expect((one.set as Set<unknown>).has(one)).toBe(true);
  });

  it('shares a reference among arguments also where paths are ignored', () => {
    const shared = { db: { a: 1 }, inner: { b: 1 } };
    const [one, two] = new ArgumentCopier(compileIgnore(['db'])).copy([shared, shared]) as [
      typeof shared,
      typeof shared,
    ];
    expect(one).not.toBe(shared);
    expect(one).toBe(two);
    expect(one.db).toBe(shared.db);
  });

  it('reads a getter once and keeps what it returned', () => {
    let reads = 0;
    const object = { get now() { return { reads: ++reads }; }, set now(_value) { /* not called */ } }; // prettier-ignore
    const copy = copyOf(object);
    expect(Object.getOwnPropertyDescriptor(copy, 'now')).toEqual({
      value: { reads: 1 },
      writable: true,
      enumerable: true,
      configurable: true,
    });
    expect([copy.now, reads]).toEqual([{ reads: 1 }, 1]);
    const list = Object.defineProperty([0], 0, { get: () => ++reads, enumerable: true });
    expect([copyOf(list), reads]).toEqual([[2], 2]);
    expect(() => copyOf({ get a() { throw new RangeError('mine'); } })).toThrow(new RangeError('mine')); // prettier-ignore
  });

  it('survives a getter that changes the container', () => {
    const map = new Map<string, unknown>();
    map.set('a', { get b() { map.clear(); return 1; } }).set('c', 2); // prettier-ignore
    expect(copyOf(map)).toEqual(new Map<string, unknown>([['a', { b: 1 }], ['c', 2]])); // prettier-ignore
  });

  it('takes over symbols and what is not enumerable', () => {
    const [symbol, hidden] = [Symbol('s'), { secret: 1 }];
    const object = Object.defineProperty({ a: 1, [symbol]: hidden }, 'hidden', { value: hidden });
    const copy = copyOf(object) as typeof object & { hidden: unknown };
    expect([copy[symbol], copy.hidden, Object.keys(copy)]).toEqual([hidden, hidden, ['a']]);
    expect(copy.hidden).toBe(hidden);
    const match = /(b)/.exec('abc')!;
    expect(copyOf(match)).toMatchObject({ 0: 'b', index: 1, input: 'abc', length: 2 });
    const date = Object.assign(new Date(5), { zone: 'utc' });
    expect([copyOf(date), copyOf(date).zone]).toEqual([date, 'utc']);
  });

  it('keeps prototypes, own `__proto__` and the realm', () => {
    expect(Object.getPrototypeOf(copyOf(Object.assign(Object.create(null), { a: [1] })))).toBeNull();
    const hostile = copyOf(JSON.parse('{"__proto__":{"polluted":1}}') as object);
    expect(Object.getPrototypeOf(hostile)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(hostile, '__proto__')?.value).toEqual({ polluted: 1 });
    const foreign = runInNewContext('({ o: { a: [1] }, m: new Map([[1, 2]]), d: new Date(5), b: new Uint8Array([1]), r: /a/g })') as Record<string, object>;
    const copy = copyOf(foreign);
    for (const name of Object.keys(foreign)) {
      expect(copy[name]).not.toBe(foreign[name]);
      expect(Object.getPrototypeOf(copy[name])).toBe(Object.getPrototypeOf(foreign[name]));
    }
    expect(createKeyBuilder({ name: 'f' })(undefined, [copy])).toBe(createKeyBuilder({ name: 'f' })(undefined, [foreign]));
  }); // prettier-ignore

  it('copies frozen data as data that is not frozen', () => {
    const copy = copyOf(Object.freeze({ a: Object.freeze([1]) }));
    expect([Object.isFrozen(copy), Object.isFrozen(copy.a), copy.a.length]).toEqual([false, false, 1]);
  });

  it('keeps holes, and is quick with long arrays', () => {
    expect(isDeepStrictEqual(copyOf([, 1, , undefined, ,]), [, 1, , undefined, ,])).toBe(true);
    const long = Array.from({ length: 70_000 }, (_, id) => ({ id }));
    const copy = copyOf(long);
    expect([copy.length, copy[69_999], copy[69_999] === long[69_999]]).toEqual([70_000, { id: 69_999 }, false]);
    const sparse = new Array<number>(4_294_967_295);
    sparse[7] = 1;
    expect([copyOf(sparse).length, Object.keys(copyOf(sparse))]).toEqual([4_294_967_295, ['7']]);
  });

  it('copies the bytes that a view shows, and no others', () => {
    const whole = new Uint8Array(100).fill(7);
    const part = copyOf(new Uint16Array(whole.buffer, 2, 3));
    expect([part.byteOffset, part.buffer.byteLength, [...part]]).toEqual([0, 6, [1799, 1799, 1799]]);
    expect([copyOf(Buffer.from('hello')).toString(), Buffer.isBuffer(copyOf(Buffer.from('hello')))]).toEqual(['hello', true]);
    expect(new Uint8Array(copyOf(new DataView(whole.buffer, 1, 2)).buffer)).toEqual(new Uint8Array([7, 7]));
  }); // prettier-ignore

  it('leaves what only looks like a container', () => {
    const buffer = new ArrayBuffer(8);
    const bytes = new Uint8Array(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    // eslint-disable-next-line prefer-rest-params -- it is what is not copied
    const list = (function (..._args: unknown[]) { return arguments; })(1); // prettier-ignore
    const values = [
      Object.create(Map.prototype),
      new Proxy(new Set(), {}),
      Object.create(Date.prototype),
      Object.create(Array.prototype),
      Object.setPrototypeOf(new Date(0), null),
      Object.create(Uint8Array.prototype),
      list,
      bytes,
      buffer,
    ] as object[];
    for (const value of values) expect(copyOf(value) === value).toBe(true);
    expect(copyOf(new Proxy({ a: [1] }, {}))).toEqual({ a: [1] });
  });

  it('copies 200 levels, and leaves deeper ones as they are', () => {
    const deep = (levels: number): unknown => (levels === 0 ? [] : [deep(levels - 1)]);
    const innermost = (value: unknown): unknown => ((value as unknown[]).length === 0 ? value : innermost((value as unknown[])[0]));
    for (const [levels, isShared] of [[199, false], [200, true], [5_000, true]] as const) {
      const value = deep(levels);
      expect(innermost(copyOf(value)) === innermost(value)).toBe(isShared);
    }
  }); // prettier-ignore
});

function expectNothingShared(value: unknown, copy: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const isImmutable = ['Number', 'String', 'Boolean', 'BigInt'].includes(value.constructor?.name);
  if (isImmutable) return;
  if (value === copy) throw new Error(`SEED=${seed}: a container is shared`);
  if (value instanceof Map || value instanceof Set) {
    const copies = [...(copy as Iterable<unknown>)];
    [...value].forEach((inner, index) => expectNothingShared(inner, copies[index]));
  } else if (!ArrayBuffer.isView(value)) {
    for (const [name, inner] of Object.entries(value))
      expectNothingShared(inner, (copy as Record<string, unknown>)[name]);
  }
}
