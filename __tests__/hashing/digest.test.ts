import { afterEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { base64url, littleEndian, portableBase64url } from '../../lib/hashing/bytes.js';
import { byObjectHash, createDigest, ownDigest } from '../../lib/hashing/digest.js';
import { NumberPacker } from '../../lib/hashing/numbers.js';
import { isWellFormed } from '../../lib/hashing/well-formed.js';

const texts = ['', 'abc', 'ä€😀', '"\\\n\0', ...Array.from({ length: 300 }, (_, i) => 'x~€'.repeat(i))];

describe('createDigest', () => {
  it('gives the same digest with and without node:crypto', () => {
    const withModule = createDigest();
    const without = [
      createDigest({}),
      createDigest({ process: {} }),
      createDigest({ process: { getBuiltinModule: () => ({}) } }),
      createDigest({ process: { getBuiltinModule: () => undefined } }),
    ];
    for (const text of texts) {
      const expected = createHash('sha256').update(`string:${text.length}:${text}`).digest('base64url');
      expect([
        withModule(text),
        byObjectHash()?.(text),
        ownDigest(text),
        ...without.map((digest) => digest(text)),
      ]).toEqual(Array(7).fill(expected));
    }
  });

  it('makes its own where object-hash cannot be loaded, or knows no SHA-256', () => {
    const knowsNone = (): never => {
      throw new TypeError('not a function');
    };
    expect(createDigest({}, () => undefined)('abc')).toBe(ownDigest('abc'));
    expect(createDigest({}, () => knowsNone)('abc')).toBe(ownDigest('abc'));
    expect(createDigest({}, () => () => '')('abc')).toBe(ownDigest('abc'));
    expect(createDigest({}, () => (text) => `digest of ${text}`)('abc')).toBe('digest of abc');
  });

  it('loads object-hash once, at the first long text, and only where node:crypto is missing', () => {
    let loads = 0;
    const load = (): typeof ownDigest => {
      loads += 1;
      return ownDigest;
    };
    createDigest(globalThis, load)('abc');
    const digest = createDigest({}, load);
    expect(loads).toBe(0);
    digest('abc');
    digest('abc');
    expect(loads).toBe(1);
  });

  it('uses the module where there is one', () => {
    const hash = (...args: unknown[]): string => JSON.stringify(args);
    const getBuiltinModule = (name: string) => (name === 'node:crypto' ? { hash } : undefined);
    expect(createDigest({ process: { getBuiltinModule } })('abc')).toBe('["sha256","string:3:abc","base64url"]');
  });
});

describe('base64url', () => {
  it('gives the same text with and without Buffer', () => {
    for (let length = 0; length < 260; length++) {
      const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => (i * 37 + length) & 255).subarray(3);
      const expected = Buffer.from(bytes).toString('base64url');
      expect([base64url(bytes), portableBase64url(bytes)]).toEqual([expected, expected]);
    }
  });

  it('does without Buffer where there is none', () => {
    const real = globalThis.Buffer;
    try {
      Reflect.deleteProperty(globalThis, 'Buffer');
      expect(base64url(new Uint8Array([251, 255]))).toBe('-_8');
      expect(base64url(new Uint8Array([251, 255, 9]), 2)).toBe('-_8');
      expect(new NumberPacker().read([1, 2], 1).pack()).toBe('@I2:AQAAAAIAAAA');
    } finally {
      globalThis.Buffer = real;
    }
  });
});

describe('littleEndian', () => {
  it('turns the elements of a big-endian host around, in a copy', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    expect([...littleEndian(bytes, 2, true)]).toEqual([2, 1, 4, 3]);
    expect([...littleEndian(bytes, 4, true)]).toEqual([4, 3, 2, 1]);
    expect([...littleEndian(new Uint8Array([1, 2, 3, 4, 5, 6]), 4, true)]).toEqual([4, 3, 2, 1, 5, 6]);
    expect(littleEndian(bytes, 1, true)).toBe(bytes);
    expect(littleEndian(bytes, 4, false)).toBe(bytes);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
  });
});

describe('isWellFormed', () => {
  const { isWellFormed: method } = String.prototype as { isWellFormed?: unknown };
  afterEach(() => void Object.assign(String.prototype, { isWellFormed: method }));

  it.each(['with the method', 'without it'])('finds lone surrogates in an engine %s', (engine) => {
    if (engine === 'without it') Object.assign(String.prototype, { isWellFormed: undefined });
    for (const text of ['', 'a', 'é', '😀', 'a😀b', '\ufffd']) expect(isWellFormed(text)).toBe(true);
    for (const text of ['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800', '😀\ud83d'])
      expect(isWellFormed(text)).toBe(false);
  });

  it('asks the method where there is one', () => {
    Object.assign(String.prototype, { isWellFormed: () => false });
    expect(isWellFormed('a')).toBe(false);
  });
});
