import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { KindTable, nameInSource } from '../../lib/hashing/kinds.js';

const kinds = [
  'Object', 'Array', 'Date', 'RegExp', 'Map', 'Set', 'ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array',
  'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array',
  'BigInt64Array', 'BigUint64Array', 'Number', 'String', 'Boolean', 'BigInt',
] as const; // prettier-ignore

/** An object with `value` as its constructor, as prototypes have one. */
function madeBy(value: unknown, prototype: object | null = Object.prototype): object {
  return Object.defineProperty(Object.create(prototype) as object, 'constructor', { value, configurable: true });
}

describe('KindTable', () => {
  it.each([...kinds, 'URL', 'URLSearchParams', 'Buffer'] as const)('knows %s of this realm', (kind) => {
    expect(new KindTable().of((globalThis[kind] as { prototype: object }).prototype)).toBe(kind);
  });

  it.each(kinds)('knows %s of another realm, each time', (kind) => {
    const table = new KindTable();
    const prototype = runInNewContext(`${kind}.prototype`) as object;
    expect([table.of(prototype), table.of(prototype)]).toEqual([kind, kind]);
  });

  it('knows a kind that some hosts lack', () => {
    const prototype = {};
    expect(new KindTable({ Float16Array: { prototype } }).of(prototype)).toBe('Float16Array');
  });

  it.each<[string, () => object]>([
    ['a class', () => class Map {}.prototype],
    ['a subclass', () => class extends Map {}.prototype],
    ['a subclass of the same name', () => (runInNewContext('class Date extends globalThis.Date {}; Date') as DateConstructor).prototype],
    ['a function that pretends to be native', () => function Map() { /* function Map() { [native code] } */ }.prototype as object],
    ['a promise', () => Promise.prototype],
    ['an object without a constructor', () => Object.create(null) as object],
    ['an object of a plain value for a constructor', () => madeBy('Map')],
    ['another object made by a native one', () => madeBy(Map)],
    ['another object made by Object', () => madeBy(Object, null)],
    ['another object made by a foreign Object', () => madeBy(runInNewContext('Object'), null)],
    ['an object made by a method', () => madeBy(Math.max)],
    ['an object made by a bound function', () => madeBy(Map.bind(null))],
    ['an object made by a getter', () => Object.defineProperty({}, 'constructor', { get: () => Map })],
    ['a foreign one whose constructor shows', () => shown(runInNewContext('Map') as MapConstructor)],
    ['a foreign Map that inherits from nothing', () => runInNewContext('Object.setPrototypeOf(Map.prototype, null)') as object],
    ['a foreign constructor under another name', () => runInNewContext('Promise.prototype') as object],
  ])('does not know %s, the first and the second time', (_, make) => {
    const table = new KindTable();
    const prototype = make();
    expect([table.of(prototype), table.of(prototype)]).toEqual([undefined, undefined]);
  }); // prettier-ignore

  it.each([...kinds, 'URL', 'URLSearchParams', 'Buffer'] as const)('knows a replaced global %s while it is replaced', (kind) => {
    const globals = globalThis as unknown as Record<string, FunctionConstructor>;
    const real = globals[kind]!;
    const replaced = class extends real {} as FunctionConstructor;
    const table = new KindTable();
    const both = (): unknown[] => [table.of(replaced.prototype), table.of(real.prototype)];
    expect(both()).toEqual([undefined, kind]);
    try {
      globals[kind] = replaced;
      expect(both()).toEqual([kind, kind]);
    } finally {
      globals[kind] = real;
    }
    expect(both()).toEqual([undefined, kind]);
  }); // prettier-ignore
});

describe('nameInSource', () => {
  it.each([
    ['V8', 'function Map() { [native code] }'],
    ['SpiderMonkey and JavaScriptCore', 'function Map() {\n    [native code]\n}'],
    ['an old engine', '\nfunction Map() {\n    [native code]\n}\n'],
    ['an engine that spares blanks', 'function Map(){[native code]}'],
    ['an engine that does not', '  function Map()  {  [native code]  }  '],
  ])('is found in what %s shows', (_, source) => {
    expect(nameInSource(source)).toBe('Map');
  });

  it.each([
    'class Map { /* function Map() { [native code] } */ }',
    'x => x; function Map() { [native code] }',
    'function Map() { [native code] } + 1',
    'function Map() { return [native code] }',
    'function Map() { [native code]; }',
    'function Map(a) { [native code] }',
    'function () { [native code] }',
    'function Map() { /* [native code] */ }',
  ])('is not found in %s', (source) => {
    expect(nameInSource(source)).toBeUndefined();
  });
});

function shown(constructor: MapConstructor): object {
  return Object.defineProperty(constructor.prototype, 'constructor', { enumerable: true });
}
