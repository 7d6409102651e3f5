/* eslint-disable no-sparse-arrays -- a hole is a value of its own */
import { describe, expect, it } from '@jest/globals';
import { UnkeyableArgumentError } from '../../lib/errors.js';
import { Random } from '../model/random.js';
import { createKeyBuilder } from '../support/create-key-builder.js';
import type { IgnoreRule } from '../../lib/hashing/ignore.js';

const keyFor = createKeyBuilder({ name: 'f' });
const key = (...args: unknown[]): string => keyFor(undefined, args);
const ignoring = (...ignore: IgnoreRule[]) => {
  const build = createKeyBuilder({ name: 'f', ignore });
  return (...args: unknown[]): string => build(undefined, args);
};

describe('createKeyBuilder', () => {
  it('uses a lone word, path or non-ASCII string as its own key', () => {
    for (const text of ['a', 'Z', 'user-7', '/', '/users?a=1', 'é', '\u0080', '€', '😀', 'a'.repeat(512)]) {
      expect(key(text)).toBe(text);
    }
  });

  it('quotes every other string', () => {
    expect(key('')).toBe('"0:');
    for (const text of [
      '1',
      '12345',
      '-1',
      '"',
      '#1',
      '$',
      '$w',
      '(',
      '()',
      '*',
      '@',
      '[',
      '`',
      '{',
      '\u007f',
      ' a',
      '\0',
    ]) {
      expect(key(text)).toBe(`"${text.length}:${text}`);
    }
    expect(key('user', 'x')).toBe('"4:user"1:x');
    expect(key('user', undefined, 1)).toBe('"4:user_#1');
  });

  it('keeps the kinds of primitives apart', () => {
    expect([1, '1', 1n, true, null, [undefined], NaN].map((value) => key(value))).toEqual([
      '#1',
      '"1:1',
      '&1',
      '!',
      '~',
      '[_]',
      '#NaN',
    ]);
    expect([key(0), key(-0), key(Infinity), key(-Infinity), key(1e21), key(false)]).toEqual([
      '#0',
      '#-0',
      '#Infinity',
      '#-Infinity',
      '#1e+21',
      '?',
    ]);
  });

  it('counts `undefined` at the end as not given', () => {
    expect([key(), key(undefined), key(undefined, undefined)]).toEqual(['()', '()', '()']);
    expect([key(7), key(7, undefined), key(7, undefined, undefined)]).toEqual(['#7', '#7', '#7']);
    expect([key('a', undefined), key('1', undefined), key({}, undefined)]).toEqual(['a', '"1:1', '{0']);
    expect([key(undefined, 7), key(7, undefined, null)]).toEqual(['_#7', '#7_~']);
    expect([key([]), key([undefined]), key([,])]).toEqual(['[]', '[_]', '[^]']);
  });

  it('ignores the order of properties, map entries and set members', () => {
    expect(key({ b: 1, a: { d: 2, c: 3 } })).toBe('{2"1:a"1:b{2"1:c"1:d#3#2#1');
    expect(key({ a: { c: 3, d: 2 }, b: 1 })).toBe('{2"1:a"1:b{2"1:c"1:d#3#2#1');
    expect(key(new Map([[{ b: 1, a: 2 }, 1]]), new Set([3, 1, 2]))).toBe('@M1{2"1:a"1:b#2#1#1@S3#1#2#3');
    expect(key(new Set(['b', 'a']))).toBe(key(new Set(['a', 'b'])));
  });

  it('sorts names by code unit, whatever the locale', () => {
    expect(key({ ä: 1, z: 2, Z: 3 })).toBe('{3"1:Z"1:z"1:ä#3#2#1');
  });

  it('writes getters, integer names and an own __proto__ like any property, and skips what is not enumerable', () => {
    expect(key({ get a() { return 1; } })).toBe('{1"1:a#1'); // prettier-ignore
    expect(key({ 2: 'b', 1: 'a' })).toBe('{2"1:1"1:2"1:a"1:b');
    expect(key(JSON.parse('{"__proto__":1}'))).toBe('{1"9:__proto__#1');
    expect(key(Object.defineProperty({ a: 1 }, 'b', { value: 2 }))).toBe('{1"1:a#1');
    expect(key(Object.defineProperty({}, Symbol('s'), { value: 2 }))).toBe('{0');
  });

  it('reads every getter once and every element once', () => {
    const key = (...args: unknown[]): string => createKeyBuilder({ name: 'f' })(undefined, args);
    let reads = 0;
    const counted = { get a() { return ++reads; }, b: { get c() { return ++reads; } } }; // prettier-ignore
    const elements: unknown[] = Array.from({ length: 40 }, (_, i) => i);
    for (const index of [0, 5, 39]) Object.defineProperty(elements, index, { get: () => ++reads, enumerable: true });
    key(counted, elements);
    elements[20] = 'x';
    key(elements);
    expect(reads).toBe(8);
  });

  it('tells a null prototype from a plain one', () => {
    expect(key(Object.create(null))).toBe('@{0');
    expect(key([{ a: 1 }, Object.assign(Object.create(null), { a: 1 }), { a: 2 }])).toBe('[{1"1:a#1@{1"1:a#1=#2]');
  });

  it('writes the names of equal rows once', () => {
    expect(
      key([
        { a: 1, b: 2 },
        { b: 3, a: 4 },
      ]),
    ).toBe('[{2"1:a"1:b#1#2=#4#3]');
    expect(key([{ a: { b: 1 } }, { b: 2 }, 'x', { b: 3 }])).toBe('[{1"1:a{1"1:b#1{1"1:b#2"1:x=#3]');
    expect(key([{ b: 1 }, [{ b: 2 }], { b: 3 }])).toBe('[{1"1:b#1[{1"1:b#2]=#3]');
    expect(key([{ b: 1 }, new Map([[1, { c: 2 }]]), { c: 3 }])).toBe('[{1"1:b#1@M1#1{1"1:c#2{1"1:c#3]');
    expect(key([[{ b: 1 }, [Array(32).fill(0)]], { b: 1 }])).not.toContain('=');
    expect(key({ a: 1 }, { a: 1 })).toBe('{1"1:a#1{1"1:a#1');
  });

  it('packs arrays of 32 and more numbers', () => {
    const numbers = Array.from({ length: 32 }, (_, i) => i);
    expect(key(numbers.slice(1))).toMatch(/^\[#1#2.*#31\]$/);
    expect(key(numbers)).toMatch(/^@I32:AAAAAAEAAAACAAAA[\w-]{155}$/);
    expect(key(numbers.map((n) => n / 2))).toMatch(/^@F32:[\w-]{342}$/);
    expect(key(numbers.map((n) => -n))).toMatch(/^@F32:AAAAAAAAAIAAAAAAAADwvw/);
    expect(key(numbers.map((n) => n + 2 ** 31))).toMatch(/^@F32:/);
    expect(key([...numbers, '32'])).toMatch(/^\[#0#1.*#31"2:32\]$/);
    expect(key([...numbers, ,])).toMatch(/#31\^\]$/);
    expect(key([-0, ...numbers.slice(1, 31), NaN, 'x'])).toMatch(/^\[#-0#1.*#30#NaN"1:x\]$/);
  });

  it('keeps a block of numbers when a getter builds another key', () => {
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    const before = key(numbers);
    const nosy = [...numbers];
    Object.defineProperty(nosy, 20, { get: () => (key(Array(40).fill(7.5)), 20), enumerable: true });
    expect(key(nosy)).toBe(before);
    expect(key(numbers)).toBe(before);
  });

  it('writes built-ins with all they hold', () => {
    expect(key(new Date(5))).toBe('@D5');
    expect(key(new Date(NaN))).toBe('@DNaN');
    expect(key(/a"b/gi)).toBe('@R"3:a"b"2:gi#0');
    expect(key(Object.assign(/a/, { lastIndex: 2 }))).toBe('@R"1:a"0:#2');
    expect(key(new Map([['b', 1], ['a', 2]]))).toBe('@M2"1:a#2"1:b#1'); // prettier-ignore
    expect(key(new Set())).toBe('@S0');
    expect(key(new Uint16Array([1, 258]))).toBe('@BUint16Array:4:AQACAQ');
    expect(key(Buffer.from([1, 2]), new Uint8Array([1, 2]))).toBe('@BBuffer:2:AQI@BUint8Array:2:AQI');
    expect(key(new DataView(new ArrayBuffer(3), 1), new ArrayBuffer(1))).toBe('@BDataView:2:AAA@A1:AA');
    expect(key(new URL('http://a/?b'), new URLSearchParams({ a: '&' }))).toBe('@U"11:http://a/?b@Q"5:a=%26');
    expect(key(Object('a'), Object(-0), Object(true), Object(1n))).toBe('@P"1:a@P#-0@P!@P&1');
  });

  it('reads internal state, not own properties', () => {
    const date = Object.defineProperty(new Date(5), 'getTime', { value: () => 6 });
    const url = Object.defineProperty(new URL('http://a'), 'href', { value: 'http://b' });
    const map = Object.defineProperty(new Map([[1, 2]]), 'forEach', { value: () => 6 });
    const boxed = Object.defineProperty(Object(1) as object, 'valueOf', { value: () => 6 });
    expect(key(date, url, map, boxed)).toBe('@D5@U"9:http://a/@M1#1#2@P#1');
  });

  it('reads a Proxy of plain data as the data', () => {
    expect(key(new Proxy({ b: [1], a: 2 }, {}), new Proxy([1, , 2], {}))).toBe('{2"1:a"1:b#2[#1][#1^#2]');
  });

  it('writes the Date of fake timers as a date', () => {
    const RealDate = globalThis.Date;
    globalThis.Date = class extends RealDate {} as DateConstructor;
    try {
      expect(key(new Date(5), new RealDate(6))).toBe('@D5@D6');
    } finally {
      globalThis.Date = RealDate;
    }
  });

  it('digests a text of more than 512 characters', () => {
    expect(key('a'.repeat(513))).toMatch(/^\$[\w-]{43}$/);
    expect(key('x', 'a'.repeat(503))).toHaveLength(512);
    expect(key('x', 'a'.repeat(504))).toMatch(/^\$[\w-]{43}$/);
    expect(key('a'.repeat(513))).not.toBe(key('a'.repeat(514)));
  });

  it('keeps lone surrogates apart in well-formed keys', () => {
    const keys = ['\ud800', '\ud801', '\ufffd', '\udc00', 'a\ud800', '\\ud800'].map((text) => key(text));
    expect(new Set(keys).size).toBe(6);
    expect(key('\ud800')).toMatch(/^\$w[\w-]{43}$/);
    expect(key({ a: '\ud800' })).toMatch(/^\$w[\w-]{43}$/);
    expect(key(new Map([['\ud800', 1]]))).toMatch(/^\$w[\w-]{43}$/);
    expect(keys[2]).toBe('\ufffd');
  });
});

describe('recall', () => {
  it('gives the key of a list that was seen twice', () => {
    const build = createKeyBuilder({ name: 'f' });
    expect([build.isKey('user-7'), build.isKey('7')]).toEqual([true, false]);
    expect([build.recall(['7']), build.recall(['a', 1]), build.recall([])]).toEqual([undefined, undefined, undefined]);
    for (const list of [['a', 1], ['7'], [{ page: 1 }], []]) {
      const key = build(undefined, list);
      expect(build(undefined, list)).toBe(key);
      expect(build.recall(list)).toBe(key);
      expect(build(undefined, list)).toBe(key);
    }
  });

  it('knows nothing where `keyOf`, a predicate or an ignored first position decides', () => {
    for (const options of [{ keyOf: () => 'key' }, { ignore: [0] }, { ignore: [() => false] }]) {
      const build = createKeyBuilder({ name: 'f', ...options });
      for (let sight = 0; sight < 3; sight++) build(undefined, ['a']);
      expect([build.recall(['a']), build.isKey('a')]).toEqual([undefined, false]);
    }
  });

  it('knows lists that come in any order, and more of them than are looked up between two checks', () => {
    const build = createKeyBuilder({ name: 'f', sizeOf: () => 10_000 });
    const listOf = (id: number): unknown[] => ['x', id];
    const random = new Random(1);
    const ask = (id: number): boolean => {
      const known = build.recall(listOf(id));
      if (known === undefined) build.buildNew(undefined, listOf(id));
      return known !== undefined;
    };
    for (let id = 0; id < 10_000; id++) ask(id);
    for (let call = 0; call < 100_000; call++) ask(random.below(10_000));
    let known = 0;
    for (let id = 0; id < 10_000; id++) if (ask(id)) known++;
    expect(known).toBeGreaterThan(9_900);
  });

  it('knows only lone words where something is ignored', () => {
    const build = createKeyBuilder({ name: 'f', ignore: [1] });
    for (let sight = 0; sight < 3; sight++) build(undefined, ['a', 1]);
    expect([build.recall(['a', 1]), build.recall([7]), build.isKey('a')]).toEqual([undefined, undefined, true]);
  });

  it('leaves it to the caller to check a lone string', () => {
    const build = createKeyBuilder({ name: 'f' });
    const broken = 'a\ud800';
    expect(build.isKey(broken)).toBe(true);
    expect(build(undefined, [broken])).toMatch(/^\$w[\w-]{43}$/);
  });
});

describe('sizeOf', () => {
  it('bounds the keys that are known', () => {
    const known = (sizeOf: (() => number) | undefined): number => {
      const build = createKeyBuilder({ name: 'f', sizeOf });
      let count = 0;
      for (let i = 0; i < 3_000; i++) for (let sight = 0; sight < 3; sight++) build(undefined, ['x', i]);
      for (let i = 0; i < 3_000; i++) if (build.recall(['x', i]) !== undefined) count++;
      return count;
    };
    expect(known(() => 10)).toBeLessThan(100);
    expect([known(undefined), known(() => 1_000)]).toEqual([3_000, 3_000]);
  });
});

describe('keyOf', () => {
  it('is called with the receiver and the arguments, and its result is one argument', () => {
    const build = createKeyBuilder({
      name: 'f',
      keyOf(this: { tenant: string }, id: number) {
        return [this.tenant, id];
      },
    });
    expect(build({ tenant: 't' }, [7])).toBe('["1:t#7]');
  });

  it('may return any keyable value', () => {
    const by = (value: unknown) => createKeyBuilder({ name: 'f', keyOf: () => value })(undefined, []);
    expect([by('id'), by('7'), by(7), by(null), by({ b: 1, a: 2 })]).toEqual([
      'id',
      '"1:7',
      '#7',
      '~',
      '{2"1:a"1:b#2#1',
    ]);
  });

  it('throws what keyOf throws, and names the result in a refusal', () => {
    const failing = createKeyBuilder({ name: 'f', keyOf: () => { throw new RangeError('mine'); } }); // prettier-ignore
    expect(() => failing(undefined, [])).toThrow(new RangeError('mine'));
    const late = createKeyBuilder({ name: 'getUser', keyOf: async () => 1 });
    expect(() => late(undefined, [])).toThrow(
      'getUser: cannot build a key from the result of `keyOf` (Promise). Return plain data from `keyOf`.',
    );
  });

  it('drops nothing of its result', () => {
    const build = createKeyBuilder({ name: 'f', keyOf: (...args) => args });
    const lists = [[], [undefined], [7], [7, undefined], [{ signal: undefined }], [{}]];
    expect(lists.map((list) => build(undefined, list))).toEqual([
      '[]',
      '[_]',
      '[#7]',
      '[#7_]',
      '[{1"6:signal_]',
      '[{0]',
    ]);
  });

  it('must not return `undefined`, as a misspelt property does', () => {
    const build = createKeyBuilder({ name: 'getUser', keyOf: () => undefined });
    expect(() => build(undefined, [1])).toThrow(
      new UnkeyableArgumentError(
        'getUser: cannot build a key from the result of `keyOf` (undefined). Return plain data from `keyOf`.',
        0,
        '',
      ),
    );
  });
});

describe('ignore', () => {
  it('leaves out a position, whatever it holds, present or not', () => {
    const build = ignoring(1);
    expect([build(7, { db: () => 1 }), build(7), build(7, undefined)]).toEqual(['#7', '#7', '#7']);
    expect([build(7, 1, 2), build(7, undefined, 2), build(7, undefined, undefined), build(7, 1, undefined)]).toEqual([
      '#7*#2',
      '#7*#2',
      '#7',
      '#7',
    ]);
    expect([build(), build(undefined), build(undefined, 1), build('a', 1), build('a'), build('1', 1)]).toEqual([
      '()',
      '()',
      '()',
      'a',
      'a',
      '"1:1',
    ]);
    expect([ignoring(0)(1), ignoring(0)('a'), ignoring(0)('a', 'b'), ignoring(0, 2)(1, 2, 3)]).toEqual([
      '()',
      '()',
      '*"1:b',
      '*#2',
    ]);
  });

  it('leaves a marker that is no value', () => {
    const build = ignoring(0);
    for (const value of [undefined, null, '*', '', 0, [], {}]) expect(build('x', 1)).not.toBe(key(value, 1));
    expect([build('x', 1), build('x', 1, 2), build('x', 1, {})]).toEqual(['*#1', '*#1#2', '*#1{0']);
  });

  it('leaves out a property of every plain-object argument as if it were absent', () => {
    const build = ignoring('db');
    expect(build({ db: () => 1, id: 1 }, { db: 2 }, 'x')).toBe('{1"2:id#1{0"1:x');
    expect(build({ id: 1 }, {}, 'x')).toBe('{1"2:id#1{0"1:x');
    expect(build({ a: { db: 1 } })).toBe('{1"1:a{1"2:db#1');
    expect(build([{ db: 1 }])).toBe('[{1"2:db#1]');
    expect(build(Object.assign(Object.create(null), { db: 1, a: 2 }))).toBe('@{1"1:a#2');
    expect(build(new Map([['db', 1]]))).toBe('@M1"2:db#1');
  });

  it('reads a dot as a path, not through arrays or instances', () => {
    const build = ignoring('ctx.db.log', 'ctx.user');
    expect(build({ ctx: { db: { log: 1, url: 'u' }, user: 1, id: 2 } })).toBe('{1"3:ctx{2"2:db"2:id{1"3:url"1:u#2');
    expect(build({ ctx: [{ user: 1 }] }, { ctx: 'user' }, { ctx: null })).toBe(
      '{1"3:ctx[{1"4:user#1]{1"3:ctx"4:user{1"3:ctx~',
    );
    expect(build({ ctx: new Map([['user', 1]]) })).toBe('{1"3:ctx@M1"4:user#1');
    expect(build({ 'ctx.user': 1 })).toBe('{1"8:ctx.user#1');
    expect(build({ user: 1 })).toBe('{1"4:user#1');
    expect(ignoring('a.b', 'a')({ a: { b: 1, c: 2 } })).toBe('{0');
    expect(ignoring('a', 'a.b')({ a: { b: 1, c: 2 } })).toBe('{0');
    expect(ignoring('__proto__')(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{1"1:a#2');
  });

  it('does not read what is left out', () => {
    const trap = { get db(): never { throw new Error('read'); }, id: 1 }; // prettier-ignore
    expect(ignoring('db')(trap)).toBe('{1"2:id#1');
    expect(ignoring(0)(trap, 1)).toBe('*#1');
  });

  it('asks predicates with value and position, and only `true` leaves out', () => {
    const seen: unknown[] = [];
    const build = ignoring(2, (value, index) => {
      seen.push([value, index]);
      return value === 'x';
    });
    expect(build('a', 'x', 'no', 'b')).toBe('"1:a**"1:b');
    expect(build('x')).toBe('()');
    expect(seen).toEqual([['a', 0], ['x', 1], ['b', 3], ['x', 0]]); // prettier-ignore
    build('x', undefined);
    expect(seen).toHaveLength(5);
    expect(ignoring((() => Promise.resolve(false)) as unknown as IgnoreRule)(1)).toBe('#1');
    expect(() => ignoring(() => { throw new RangeError('mine'); })(1)).toThrow(new RangeError('mine')); // prettier-ignore
  });
});

describe('AbortSignal', () => {
  const { signal } = new AbortController();

  it('is left out as an argument', () => {
    expect([key(signal), key(signal, 1), key(1, signal), key('a', signal), key('a', signal, 'b')]).toEqual([
      '()',
      '*#1',
      '#1',
      'a',
      '"1:a*"1:b',
    ]);
  });

  it('is left out as the `signal` of a plain-object argument', () => {
    expect(key({ signal, a: 1 })).toBe('{1"1:a#1');
    expect(key({ a: 1, signal })).toBe(key({ a: 1 }));
    expect([key({ signal: undefined }), key({ signal: undefined, a: 1 })]).toEqual(['{0', '{1"1:a#1']);
    expect([key({ signal: null }), key({ signal: 0 })]).toEqual(['{1"6:signal~', '{1"6:signal#0']);
    expect([key({ a: { signal: undefined } }), key([{ signal: undefined }])]).toEqual([
      '{1"1:a{1"6:signal_',
      '[{1"6:signal_]',
    ]);
    expect(key(Object.assign(Object.create(null), { signal: undefined }))).toBe('@{0');
    expect(key({ signal: { aborted: false } })).toBe('{1"6:signal{1"7:aborted?');
    expect(ignoring('x.y')({ signal, x: { y: 1 } })).toBe('{1"1:x{0');
    expect(ignoring('x.y')({ signal: undefined, x: { signal: undefined } })).toBe('{1"1:x{1"6:signal_');
  });

  it('is refused anywhere else', () => {
    for (const args of [[{ a: { signal } }], [[signal]], [{ abort: signal }], [new Set([signal])], [[{ signal }]]]) {
      expect(() => key(...args)).toThrow(/\(AbortSignal\)/);
    }
    expect(() => ignoring('x.y')({ x: { signal } })).toThrow(/at `\.x\.signal` \(AbortSignal\)/);
  });
});

describe('forget', () => {
  it('drops the keys that are known, and changes none', () => {
    const build = createKeyBuilder({ name: 'f' });
    const list = ['secret', { token: 'secret' }];
    const key = build(undefined, list);
    build(undefined, list);
    expect(build.recall(list)).toBe(key);
    build.forget();
    expect(build.recall(list)).toBeUndefined();
    expect([build(undefined, list), build(undefined, list), build.recall(list)]).toEqual([key, key, key]);
  });

  it('works with `ignore` and `keyOf`, which keep no keys', () => {
    for (const options of [{ ignore: [1] }, { keyOf: () => 'a' }]) {
      const build = createKeyBuilder({ name: 'f', ...options });
      const key = build(undefined, ['a', 1]);
      build.forget();
      expect(build(undefined, ['a', 1])).toBe(key);
    }
  });
});
