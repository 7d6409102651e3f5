import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { createKeyBuilder } from '../support/create-key-builder.js';
import { argumentLists, nodeArgumentLists } from '../support/hashing-values.js';

const file = resolve('__tests__/hashing/golden-vectors.json');
const golden = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
const lists = Object.entries({ ...argumentLists, ...nodeArgumentLists });
const keyFor = createKeyBuilder({ name: 'f' });

const keysOf = (makers: [string, () => unknown[]][]): Record<string, string> =>
  Object.fromEntries(makers.map(([name, make]) => [name, keyFor(undefined, make())]));

describe('the wire format', () => {
  it('gives every kind of value the key it has always had', () => {
    expect(keysOf(lists)).toEqual(golden);
    expect(new Set(Object.values(golden)).size).toBe(lists.length);
  });

  it('does not depend on what was encoded before', () => {
    expect(keysOf([...lists].reverse())).toEqual(golden);
    expect(keysOf(lists)).toEqual(golden);
  });

  it('is the same in another process', () => {
    const script = resolve('__tests__/support/hashing-child.ts');
    const output = execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual(golden);
  }, 30_000);

  it.each(['before', 'after'])(
    'is the same where built-ins are replaced by subclasses %s import',
    (moment) => {
      const script = resolve('__tests__/support/replaced-globals-child.ts');
      const output = execFileSync(process.execPath, ['--import', 'tsx', script, moment], { encoding: 'utf8' });
      const { real, subclass } = JSON.parse(output) as Record<string, Record<string, string>>;
      const expected = Object.fromEntries(Object.keys(argumentLists).map((name) => [name, golden[name]]));
      expect(real).toEqual(expected);
      expect(subclass).toEqual(expected);
    },
    30_000,
  );

  it('is the same for values of another realm', () => {
    const source = (make: () => unknown[]): string => `(${make.toString()})()`;
    const globals = { URL, URLSearchParams, Buffer };
    const foreign = lists.map(([name, make]): [string, () => unknown[]] => {
      return [name, () => runInNewContext(source(make), { ...globals }) as unknown[]];
    });
    expect(keysOf(foreign)).toEqual(golden);
  }, 30_000);

  it('refuses subclasses and pretenders of another realm', () => {
    const sources = [
      'new (class Map extends globalThis.Map {})()',
      'new (class Array extends globalThis.Array {})()',
      'new (class Date {})()',
      'new (function Map() { /* [native code] */ })()',
      'Object.create({ constructor: Object })',
      'Object.create(Object.defineProperty(Object.create(null), "constructor", { value: Object }))',
      'Object.create(Object.defineProperty({}, "constructor", { value: (function () {}).bind() }))',
      'Object.create(Object.create(null))',
      'Object.create(Array.prototype)',
      'Promise.resolve()',
    ];
    for (const source of sources) {
      expect(() => keyFor(undefined, [runInNewContext(source)])).toThrow(/cannot build a key/);
    }
  });

  it.each(['a', '0'])('does not see an enumerable `%s` on a root object, ours or foreign', (name) => {
    const root = Object.prototype as Record<string, unknown>;
    const define = (target: object): void => {
      Object.defineProperty(target, name, { value: 1, enumerable: true, configurable: true, writable: true });
    };
    try {
      define(root);
      const [object, nested] = [keyFor(undefined, [{ b: 1 }]), keyFor(undefined, [[{ [name]: { c: 2 } }]])];
      const source = `Object.defineProperty(Object.prototype, '${name}', { value: 1, enumerable: true }); ({ b: { c: 1 } })`;
      const foreign = keyFor(undefined, [runInNewContext(source)]);
      expect([object, nested, foreign]).toEqual(['{1"1:b#1', `[{1"1:${name}{1"1:c#2]`, '{1"1:b{1"1:c#1']);
    } finally {
      delete root[name];
    }
  });
});
