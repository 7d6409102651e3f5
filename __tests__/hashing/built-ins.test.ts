import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createKeyBuilder } from '../support/create-key-builder.js';

/** A key by a builder of its own, which looks at its host as it is now. */
const key = (value: unknown): string => createKeyBuilder({ name: 'f' })(undefined, [value]);

const hung = <T extends object>(value: T, name: string | symbol = 'extra'): T => Object.assign(value, { [name]: 1 });

const real = { URL, URLSearchParams };

afterEach(() => {
  jest.restoreAllMocks();
  Object.assign(globalThis, real);
});

describe('a built-in of many elements', () => {
  const makers: [string, () => object][] = [
    ['a typed array', () => Float64Array.from({ length: 100 }, (_, i) => i / 3)],
    ['a part of a buffer', () => new Uint16Array(Uint8Array.from({ length: 300 }, (_, i) => i).buffer, 2, 100)],
    ['a Buffer', () => Buffer.from('a text of more than sixty-four bytes, so that its names are not listed')],
    [
      'a boxed string',
      () => Object('a text of more than sixty-four characters, so that they are not listed') as object,
    ],
  ];
  const hosts: [string, unknown][] = [
    ['no process', undefined],
    ['a process without modules', {}],
    ['a process without such a module', { getBuiltinModule: () => undefined }],
    ['a module without a comparison', { getBuiltinModule: () => ({}) }],
  ];

  it.each(makers)('has the same key and refusals on every host: %s', (_, make) => {
    const expected = key(make());
    expect(expected).toMatch(/^@[BP]|^\$/);
    for (const [, process] of hosts) {
      jest.replaceProperty(globalThis, 'process', process as never);
      expect(key(make())).toBe(expected);
      expect(() => key(hung(make()))).toThrow(/with properties of its own/);
      expect(() => key(hung(make(), Symbol('s')))).toThrow(/with properties of its own/);
      jest.restoreAllMocks();
    }
  });
});

describe('a URL on a host that keeps its state under symbols', () => {
  const [ofUrl, ofParameters] = [Symbol('state of a URL'), Symbol('state of parameters')];

  class HostUrl extends URL {
    [ofUrl] = 1;
  }

  class HostParameters extends URLSearchParams {
    [ofParameters] = 1;
  }

  it('is known, and refused with any other symbol', () => {
    Object.assign(globalThis, { URL: HostUrl, URLSearchParams: HostParameters });
    expect(key(new HostUrl('http://a'))).toBe('@U"9:http://a/');
    expect(key(new HostParameters('a=1'))).toBe('@Q"3:a=1');
    for (const symbol of [Symbol('another'), ofParameters])
      expect(() => key(hung(new HostUrl('http://a'), symbol))).toThrow(/\(URL with properties of its own\)/);
    for (const symbol of [Symbol('another'), ofUrl])
      expect(() => key(hung(new HostParameters(), symbol))).toThrow(/\(URLSearchParams with properties of its own\)/);
    for (const symbol of [ofUrl, ofParameters])
      expect(() => key(hung(new Date(0), symbol))).toThrow(/\(Date with properties of its own\)/);
  });
});
