import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { describeReadOnce } from '../lib/call/read-once.js';

const once: [string, () => object][] = [
  ['Response', () => new Response('x')],
  ['Request', () => new Request('http://localhost/')],
  ['ReadableStream', () => new ReadableStream()],
  ['a stream', () => Readable.from(['x'])],
  ['an iterator', () => [1, 2][Symbol.iterator]()],
  ['an iterator', () => (function* () {})()],
  ['an iterator', () => (async function* () {})()],
  ['an iterator', () => new Map([[1, 2]]).entries()],
];

class Page {
  next(): number {
    return 2;
  }
  *[Symbol.iterator](): Generator<number> {
    yield 1;
  }
}

const often: [string, unknown][] = [
  ['an array', [1]],
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['a string', 'x'],
  ['null', null],
  ['a Blob', new Blob(['x'])],
  ['a page with a next one', { next: 2, items: [] }],
  ['a collection with `next`', new Page()],
  ['a proxy that throws', new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : fail()) })],
];

function fail(): never {
  throw new Error('trap');
}

describe('a result that can be read only once', () => {
  it.each(once)('rejects every call that shares it: %s', async (kind, create) => {
    const load = memoizeAsync(async () => create(), { name: 'load' });
    const message =
      `load: a result that can be read only once (${kind}) cannot be shared. ` +
      'Return what it holds, such as `await response.json()`.';
    const calls = [load(), load()];
    await Promise.all(calls.map((call) => expect(call).rejects.toThrow(new TypeError(message))));
    await expect(load.refresh()).rejects.toThrow(TypeError);
    await expect(load.prime([], create())).rejects.toThrow(new TypeError(message));
    expect(await load.has()).toBe(false);
    expect(load.stats()).toMatchObject({ runs: 2, errors: 2 });
  });

  it.each(often)('is not %s', async (_, value) => {
    expect(describeReadOnce(value)).toBeUndefined();
    const load = memoizeAsync(async () => value);
    expect(await load()).toBe(value);
    expect(await load.has()).toBe(true);
  });
});
