import { describe, expect, it } from '@jest/globals';
import { UnkeyableArgumentError } from '../../lib/errors.js';
import { createKeyBuilder } from '../support/create-key-builder.js';

const keyFor = createKeyBuilder({ name: 'getUser' });
const key = (...args: unknown[]): string => keyFor(undefined, args);

function refusal(...args: unknown[]): UnkeyableArgumentError {
  try {
    key(...args);
  } catch (error) {
    if (error instanceof UnkeyableArgumentError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

class Database {
  #secret = 1;
  read(): number {
    return this.#secret;
  }
}

class Celsius extends Number {}

const named = (name: string): object => new (Object.defineProperty(class {}, 'name', { value: name }))();

/** An object with a prototype that is not its own, and own values for what would be read through it. */
const withStateOfItsOwn = (prototype: object): object =>
  Object.defineProperties(Object.create(prototype) as object, {
    buffer: { value: new ArrayBuffer(1) },
    byteOffset: { value: 0 },
    byteLength: { value: 1 },
    length: { value: 1 },
  });

const hung = <T extends object>(value: T, name: string | symbol = 'extra'): T => Object.assign(value, { [name]: 1 });

describe('UnkeyableArgumentError', () => {
  it('says where, what and what to do', () => {
    const error = refusal(1, { logger: () => 1 });
    expect(error.message).toBe(
      'getUser: cannot build a key from argument 1 at `.logger` (function). List it in `ignore` or return plain data from `keyOf`.',
    );
    expect([error.argument, error.path, error.name]).toEqual([1, '.logger', 'UnkeyableArgumentError']);
    expect(error).toBeInstanceOf(TypeError);
    expect(refusal(Symbol('s')).message).toBe(
      'getUser: cannot build a key from argument 0 (symbol). List it in `ignore` or return plain data from `keyOf`.',
    );
    expect(refusal(Symbol('s')).path).toBe('');
  });

  it('writes the path as code', () => {
    const f = (): number => 1;
    const paths = [
      [{ a: [1, { 'b c': f }] }, '.a[1]["b c"]'],
      [[new Map([['k', { v: f }]])], '[0].values()[0].v'],
      [new Map([[{ v: f }, 1]]), '.keys()[0].v'],
      [new Set([1, [f]]), '.values()[1][0]'],
      [{ ['n'.repeat(100)]: f }, `["${'n'.repeat(60)}…"]`],
      [Object.assign(/a/, { lastIndex: f }), '.lastIndex'],
      [JSON.parse('{"a":1}', (name, value: unknown) => (name === 'a' ? f : value)), '.a'],
    ] as const;
    for (const [value, path] of paths) expect(refusal(value).path).toBe(path);
    const deep = Array.from({ length: 150 }).reduce((inner) => ({ name: inner }), f);
    expect(refusal(deep).path).toHaveLength(161);
    expect(refusal(deep).path).toMatch(/^\.name\.name.*…$/);
  });

  it.each<[string, unknown]>([
    ['function', () => 1],
    ['function', class {}],
    ['symbol', Symbol.iterator],
    ['symbol key', { [Symbol('s')]: 1 }],
    ['symbol key', hung({}, Symbol('s'))],
    ['Promise', Promise.resolve(1)],
    ['WeakMap', new WeakMap()],
    ['WeakSet', new WeakSet()],
    ['WeakRef', new WeakRef({})],
    ['Map Iterator', new Map().keys()],
    ['Array Iterator', [].values()],
    ['Set Iterator', new Set().values()],
    ['RegExp String Iterator', 'a'.matchAll(/a/g)],
    ['AsyncGenerator', (async function* () { yield 1; })()], // prettier-ignore
    ['Generator', (function* () { yield 1; })()], // prettier-ignore
    ['Database', new Database()],
    ['Database', Object.create(Database.prototype)],
    ['Celsius', new Celsius(1)],
    ['RangeError', new RangeError('x')],
    ['Headers', new Headers()],
    ['Request', new Request('http://a')],
    ['Blob', new Blob([])],
    ['SharedArrayBuffer', new SharedArrayBuffer(1)],
    // eslint-disable-next-line prefer-rest-params -- it is what is refused
    ['Arguments', (function (..._args: unknown[]) { return arguments; })(1)], // prettier-ignore
    ['Symbol', Object(Symbol('s'))],
    ['Math', Math],
    ['JSON', JSON],
    ['Thing', Object.defineProperty({}, Symbol.toStringTag, { value: 'Thing' })],
    ['object with a prototype of its own', Object.create({ a: 1 })],
    ['object with a prototype of its own', Object.create({ constructor: Object })],
    ['object with a prototype of its own', Object.create(Object.create(Map.prototype) as object)],
    ['instance of a class without a name', new (class {})()],
    ['instance of a class named Map', new (class Map {})()],
    ['instance of a class named Date', new (class Date extends globalThis.Date {})()],
    ['object tagged as Map', { [Symbol.toStringTag]: 'Map' }],
    ['object tagged as Date', Object.setPrototypeOf(new Date(0), null) as object],
    ['MyMap', new (class MyMap extends Map {})()],
    ['MySet', new (class MySet extends Set {})()],
    ['MyDate', new (class MyDate extends Date {})()],
    ['MyBytes', new (class MyBytes extends Uint8Array {})()],
    ['MyArray', new (class MyArray extends Array {})()],
    ['MyView', new (class MyView extends (DataView as new (buffer: ArrayBuffer) => object) {})(new ArrayBuffer(1))],
    ['MyUrl', new (class MyUrl extends URL {})('http://a')],
    ['Map without its internal state, such as a Proxy', Object.create(Map.prototype)],
    ['Set without its internal state, such as a Proxy', new Proxy(new Set(), {})],
    ['Date without its internal state, such as a Proxy', Object.create(Date.prototype)],
    ['RegExp without its internal state, such as a Proxy', Object.create(RegExp.prototype)],
    ['URL without its internal state, such as a Proxy', Object.create(URL.prototype)],
    ['URLSearchParams without its internal state, such as a Proxy', Object.create(URLSearchParams.prototype)],
    ['ArrayBuffer without its internal state, such as a Proxy', Object.create(ArrayBuffer.prototype)],
    ['DataView without its internal state, such as a Proxy', Object.create(DataView.prototype)],
    ['Uint8Array without its internal state, such as a Proxy', Object.create(Uint8Array.prototype)],
    [
      'Int8Array without its internal state, such as a Proxy',
      Object.setPrototypeOf(new Uint8Array(1), Int8Array.prototype),
    ],
    [
      'DataView without its internal state, such as a Proxy',
      Object.setPrototypeOf(new Uint8Array(1), DataView.prototype),
    ],
    ['DataView without its internal state, such as a Proxy', withStateOfItsOwn(DataView.prototype)],
    ['Uint8Array without its internal state, such as a Proxy', withStateOfItsOwn(Uint8Array.prototype)],
    ['Number without its internal state, such as a Proxy', Object.create(Number.prototype)],
    ['Array without its internal state, such as a Proxy', Object.create(Array.prototype)],
    ['Date with properties of its own', hung(new Date(0))],
    ['Date with properties of its own', hung(new Date(0), Symbol('s'))],
    ['RegExp with properties of its own', hung(/a/)],
    ['Map with properties of its own', hung(new Map())],
    ['Set with properties of its own', hung(new Set())],
    ['URL with properties of its own', hung(new URL('http://a'))],
    ['URLSearchParams with properties of its own', hung(new URLSearchParams())],
    ['ArrayBuffer with properties of its own', hung(new ArrayBuffer(1))],
    ['DataView with properties of its own', hung(new DataView(new ArrayBuffer(1)))],
    ['Uint8Array with properties of its own', hung(new Uint8Array(2))],
    ['Uint8Array with properties of its own', hung(new Uint8Array(2000))],
    ['Float64Array with properties of its own', hung(new Float64Array(100))],
    ['Buffer with properties of its own', hung(Buffer.alloc(2000))],
    ['Uint8Array with properties of its own', hung(new Uint8Array(2), Symbol('s'))],
    ['String with properties of its own', hung(Object('ab') as object)],
    ['String with properties of its own', hung(Object('ab'.repeat(50)) as object)],
    ['String with properties of its own', hung(Object('ab'.repeat(50)) as object, Symbol('s'))],
    ['Number with properties of its own', hung(Object(1) as object)],
    ['n'.repeat(60), named('n'.repeat(100))],
  ])('refuses: %s', (reason, value) => {
    expect(refusal(value).message).toContain(`argument 0 (${reason}). `);
    expect(refusal(1, { a: value }).message).toContain(`argument 1 at \`.a\` (${reason}).`);
    expect(refusal([value]).path).toBe('[0]');
  });

  it('says how to key instances of classes, and only those', () => {
    const hint =
      ' For instances, return plain data from `encode`, or key by identity: `cache: perInstance(…)`, called with the object as `this`.';
    for (const value of [new Database(), new Celsius(1), { db: [new Database()] }]) {
      expect(refusal(value).message.endsWith(`plain data from \`keyOf\`.${hint}`)).toBe(true);
    }
    for (const value of [() => 1, Promise.resolve(), new Map().keys(), Object.create({}), new Error('x')]) {
      expect(refusal(value).message).not.toContain('perInstance');
    }
    const selected = createKeyBuilder({ name: 'f', keyOf: () => new Database() });
    expect(() => selected(undefined, [])).toThrow(
      `the result of \`keyOf\` (Database). Return plain data from \`keyOf\`.${hint}`,
    );
  });

  it('refuses detached memory', () => {
    const buffer = new ArrayBuffer(8);
    const views = [new Uint8Array(buffer), new Float64Array(buffer), new DataView(buffer), buffer];
    structuredClone(buffer, { transfer: [buffer] });
    for (const view of views) expect(refusal(view).argument).toBe(0);
  });

  it('survives objects that fight back, and passes on what they throw', () => {
    const hostile = new Proxy({}, { getPrototypeOf: () => { throw new RangeError('mine'); } }); // prettier-ignore
    expect(() => key(hostile)).toThrow(new RangeError('mine'));
    const nameless = Object.create({ get [Symbol.toStringTag]() { throw new RangeError('mine'); } }) as object; // prettier-ignore
    expect(refusal({ nameless }).message).toContain('at `.nameless` (object)');
    expect(() => key({ a: { get b() { throw new RangeError('mine'); } } })).toThrow(new RangeError('mine')); // prettier-ignore
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the point
    expect(() => key({ get b() { throw null; } })).toThrow(); // prettier-ignore
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(() => key(proxy)).toThrow(TypeError);
    expect(key({ a: 1 })).toBe('{1"1:a#1');
  });

  it('lets a getter build keys in between, failing ones too', () => {
    const nosy = { a: 1, get b() { return [key({ x: [1] }), refusal({ f: () => 1 }).path]; }, c: () => 1 }; // prettier-ignore
    expect(refusal(nosy).path).toBe('.c');
    expect(key({ ...nosy, c: 2 })).toBe('{3"1:a"1:b"1:c#1["10:{1"1:x[#1]"2:.f]#2');
  });
});
