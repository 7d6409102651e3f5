import { show } from '../lib/platform/show.js';
import { resolveOptions } from '../lib/resolve-options.js';
import { isPlainObject } from '../lib/platform/plain-object.js';
import { describe, expect, it } from '@jest/globals';
import { createContext, runInContext } from 'node:vm';
import { createMemoizer, memoizeAsync, perInstance } from 'aiocachetools';
import { isStore } from '../lib/store/store-like.js';

const noop = async (): Promise<void> => {};
const given = (options: unknown) => () => memoizeAsync(noop, options as never);
const alone = (options: unknown) => () => memoizeAsync(options as never);

const milliseconds = 'a number of milliseconds >= 0';
const positive = 'a number of milliseconds > 0';
const decides = 'a number of milliseconds >= 0 or a function';
const store = 'a store with get, set and delete, a function that picks one, or null';
const rules = 'an array of positions, property paths and predicates';
const label = 'a string of at most 200 characters without `|` and lone surrogates';

/** Every option, with what it is expected to be, and wrong values as a message shows them. */
const misuse: [option: string, expected: string, value: unknown, shown: string][] = [
  ['cache', store, 5, '5'],
  ['cache', store, 'redis://localhost', '"redis://localhost"'],
  ['cache', store, true, 'true'],
  ['cache', store, {}, '[object Object]'],
  ['cache', store, [], '[]'],
  ['cache', store, new Set(), '[object Set]'],
  ['cache', store, { get: noop, set: noop }, '[object Object]'],
  ['cache', store, { get: noop, set: noop, delete: true }, '[object Object]'],
  ['cache', store, { get: noop, delete: noop }, '[object Object]'],
  ['cache', store, { set: noop, delete: noop }, '[object Object]'],
  ['cache', store, Promise.resolve(new Map()), '[object Promise]'],
  ...[0, -1, 0.5, 2 ** 53, Infinity, NaN].map((value): (typeof misuse)[number] => [
    'maxSize',
    'a whole number > 0',
    value,
    String(value),
  ]),
  ['maxSize', 'a whole number > 0', '5', '"5"'],
  ['maxSize', 'a whole number > 0', null, 'null'],
  ['keyOf', 'a function', 'id', '"id"'],
  ['keyOf', 'a function', null, 'null'],
  ['keyOf', 'a function', [0], '[0]'],
  ['ignore', rules, 1, '1'],
  ['ignore', rules, 'db', '"db"'],
  ['ignore', rules, null, 'null'],
  ['ignore', rules, { 0: 1, length: 1 }, '[object Object]'],
  ['ignore', rules, new Set([1]), '[object Set]'],
  ['ignore', rules, [-1], '[-1]'],
  ['ignore', rules, [0.5], '[0.5]'],
  ['ignore', rules, [NaN], '[NaN]'],
  ['ignore', rules, [Infinity], '[Infinity]'],
  ['ignore', rules, [2 ** 53], '[9007199254740992]'],
  ['ignore', rules, ['db', ''], '["db", ""]'],
  ['ignore', rules, ['.db'], '[".db"]'],
  ['ignore', rules, ['db.'], '["db."]'],
  ['ignore', rules, ['a..b'], '["a..b"]'],
  ['ignore', rules, [null], '[null]'],
  ['ignore', rules, [Symbol('db')], '[Symbol(db)]'],
  ['ignore', rules, [['db']], '[[…]]'],
  // eslint-disable-next-line no-sparse-arrays -- what is under test
  ['ignore', rules, [0, , 2], '[0, , 2]'],
  ['name', label, 5, '5'],
  ['name', label, null, 'null'],
  ['name', label, 'a|b', '"a|b"'],
  ['name', label, 'x'.repeat(201), `"${'x'.repeat(80)}…"`],
  ['name', label, Symbol('name'), 'Symbol(name)'],
  // A store that keeps UTF-8 could not tell it from any other.
  ['name', label, 'user\ud800', '"user\\ud800"'],
  ['ttl', decides, -1, '-1'],
  ['ttl', decides, NaN, 'NaN'],
  ['ttl', decides, -Infinity, '-Infinity'],
  ['ttl', decides, '60', '"60"'],
  ['ttl', decides, 60n, '60n'],
  ['ttl', decides, null, 'null'],
  ['ttl', decides, new Date(0), '[object Date]'],
  ['staleWhileRevalidate', milliseconds, -5, '-5'],
  ['staleWhileRevalidate', milliseconds, noop, 'function noop'],
  ['staleIfError', milliseconds, NaN, 'NaN'],
  ['staleIfError', milliseconds, true, 'true'],
  ['earlyRefresh', 'a finite number >= 0', -1, '-1'],
  ['earlyRefresh', 'a finite number >= 0', Infinity, 'Infinity'],
  ['earlyRefresh', 'a finite number >= 0', true, 'true'],
  ['jitter', 'a number from 0 to 1', 1.01, '1.01'],
  ['jitter', 'a number from 0 to 1', -0.1, '-0.1'],
  ['jitter', 'a number from 0 to 1', '0.1', '"0.1"'],
  ['errorTtl', decides, -1, '-1'],
  ['errorTtl', decides, {}, '[object Object]'],
  ['softTimeout', positive, 0, '0'],
  ['softTimeout', positive, -0, '-0'],
  ['softTimeout', positive, -1, '-1'],
  ['softTimeout', positive, null, 'null'],
  ['timeout', positive, 0, '0'],
  ['timeout', positive, '5s', '"5s"'],
  ['timeout', positive, noop, 'function noop'],
  ['storeTimeout', positive, 0, '0'],
  ['storeTimeout', positive, NaN, 'NaN'],
  ['storeTimeout', positive, [1_000], '[1000]'],
  ['detectRecursion', 'true or false', 1, '1'],
  ['onEvent', 'a function', {}, '[object Object]'],
  ['onEvent', 'a function', 'log', '"log"'],
];

describe('memoizeAsync', () => {
  it.each(misuse)('refuses `%s` that is not %s: %p', (option, expected, value, shown) => {
    const error = new TypeError(`Expected \`${option}\` to be ${expected}, got ${shown}`);
    expect(given({ [option]: value })).toThrow(error);
    expect(alone({ [option]: value })).toThrow(error);
  });

  it.each([
    ['cache', null],
    ['cache', new Map()],
    ['cache', () => null],
    ['cache', perInstance(() => new Map())],
    ['cache', { get: noop, set: noop, del: noop }],
    ['cache', Object.assign(Object.create(null) as object, { get: noop, set: noop, delete: noop })],
    ['maxSize', 1],
    ['maxSize', 100_000],
    ['keyOf', noop],
    ['ignore', []],
    ['ignore', [0, 1, 'db', 'ctx.db', 'a b', '0', noop]],
    ['ignore', Object.freeze([1])],
    ['name', ''],
    ['name', 'x'.repeat(200)],
    ['name', 'users, all * of -them :%s\n💥'],
    ['ttl', 0],
    ['ttl', -0],
    ['ttl', 0.5],
    ['ttl', 1e300],
    ['ttl', Infinity],
    ['ttl', noop],
    ['staleWhileRevalidate', Infinity],
    ['staleIfError', 0],
    ['earlyRefresh', 1.5],
    ['jitter', 0],
    ['jitter', 1],
    ['errorTtl', Infinity],
    ['errorTtl', noop],
    ['softTimeout', Number.MIN_VALUE],
    ['timeout', Infinity],
    ['storeTimeout', 1e12],
    ['onEvent', noop],
  ])('takes `%s`: %p', (option, value) => {
    const needed = option === 'softTimeout' ? { ttl: 1, staleIfError: 1 } : option === 'ttl' ? {} : { ttl: 1 };
    expect(given({ ...needed, [option]: value })).not.toThrow();
    expect(alone({ ...needed, [option]: value })).not.toThrow();
  });

  it.each([
    ['staleWhileRevalidate', 5],
    ['staleIfError', 5],
    ['earlyRefresh', 1],
    ['jitter', 0.1],
  ])('refuses `%s` beside a `ttl` without an end, where it can do nothing', (option, value) => {
    const error = new TypeError(`Expected \`${option}\` beside a \`ttl\` that ends, got ${value} and no such \`ttl\``);
    expect(given({ [option]: value })).toThrow(error);
    expect(given({ [option]: value, ttl: Infinity })).toThrow(error);
    expect(given({ [option]: 0 })).not.toThrow();
    expect(given({ [option]: value, ttl: () => Infinity })).not.toThrow();
    const memoize = createMemoizer({ [option]: value });
    expect(() => memoize(noop)).not.toThrow();
    expect(() => createMemoizer({ ttl: 5 })(noop, { name: 'a', [option]: value })).not.toThrow();
    expect(() => createMemoizer({})(noop, { name: 'b', [option]: value })).toThrow(error);
    expect(() => createMemoizer({ ttl: Infinity, [option]: value })).toThrow(error);
  });

  it('refuses `softTimeout` without a stale window', () => {
    const error = new TypeError('Expected `softTimeout` beside a stale window, got 5 and no window');
    expect(given({ softTimeout: 5, ttl: 5 })).toThrow(error);
    expect(given({ softTimeout: 5, ttl: 5, staleIfError: 1 })).not.toThrow();
    expect(() => createMemoizer({ softTimeout: 5 })(noop)).not.toThrow();
  });

  it.each([
    ['a generator function', function* () {}],
    ['an async generator function', async function* () {}],
  ])('refuses %s', (_, fn) => {
    const error = new TypeError(
      'Expected a function whose result can be shared, got a generator function: return an array',
    );
    expect(() => memoizeAsync(fn as never)).toThrow(error);
  });

  it.each(misuse.map(([option]) => option).filter((option, index, all) => all.indexOf(option) === index))(
    'takes `%s: undefined` as not given, and an inherited one as absent',
    async (option) => {
      expect(given({ [option]: undefined })).not.toThrow();
      expect(resolveOptions({ [option]: undefined })).toEqual(resolveOptions({}));
      Object.defineProperty(Object.prototype, option, { value: Symbol('polluted'), configurable: true });
      try {
        expect(given({})).not.toThrow();
        expect(Reflect.ownKeys(resolveOptions({}))).toHaveLength(19);
        const fn = memoizeAsync(async (id: number) => id, {});
        expect(await fn(7)).toBe(7);
        expect(await fn(7)).toBe(7);
        expect(fn.stats()).toMatchObject({ runs: 1, hits: 1, storeErrors: 0 });
      } finally {
        Reflect.deleteProperty(Object.prototype, option);
      }
    },
  );

  it.each([new Map(), null, perInstance(() => new Map())])('refuses `maxSize` beside `cache: %p`', (cache) => {
    const error = new TypeError('Expected no `maxSize` beside `cache`, got 5');
    expect(given({ maxSize: 5, cache })).toThrow(error);
    expect(alone({ cache, maxSize: 5 })).toThrow(error);
    expect(given({ maxSize: undefined, cache })).not.toThrow();
    expect(given({ maxSize: 5, cache: undefined })).not.toThrow();
  });

  it.each([
    ['tll', 5, 'Unknown option `tll`, got 5'],
    ['TTL', 5, 'Unknown option `TTL`, got 5'],
    ['max', 5, 'Unknown option `max`, got 5'],
    ['', 5, 'Unknown option ``, got 5'],
    ['undefinedOption', undefined, 'Unknown option `undefinedOption`, got undefined'],
    ['constructor', noop, 'Unknown option `constructor`, got function noop'],
    ['toString', noop, 'Unknown option `toString`, got function noop'],
    ['hasOwnProperty', true, 'Unknown option `hasOwnProperty`, got true'],
    [Symbol('ttl'), 5, 'Unknown option `Symbol(ttl)`, got 5'],
    [Symbol.iterator, noop, 'Unknown option `Symbol(Symbol.iterator)`, got function noop'],
  ])('refuses the unknown option %p', (option, value, message) => {
    expect(given({ [option]: value })).toThrow(new TypeError(message));
    expect(given({ ttl: 5, [option]: value })).toThrow(new TypeError(message));
  });

  it('refuses an unknown option that is hidden', () => {
    expect(given(Object.defineProperty({}, 'tll', { value: 5 }))).toThrow(new TypeError('Unknown option `tll`, got 5'));
  });

  it.each([
    ['text', 'ttl', '"ttl"'],
    ['null', null, 'null'],
    ['a number', 5, '5'],
    ['a list', [{ ttl: 5 }], '[[object Object]]'],
    ['a function', noop, 'function noop'],
    ['a Map', new Map([['ttl', 5]]), '[object Map]'],
    ['a Date', new Date(0), '[object Date]'],
    ['an instance', new (class Options {})(), '[object Object]'],
    ['an heir of options', Object.create({ ttl: 5 }), '[object Object]'],
  ])('refuses options that are %s', (_, options, shown) => {
    expect(given(options)).toThrow(new TypeError(`Expected options to be a plain object, got ${shown}`));
  });

  it.each([
    ['without a prototype', Object.assign(Object.create(null) as object, { ttl: 5 })],
    ['from JSON', JSON.parse('{"ttl":5}')],
    ['from another realm', runInContext('({ ttl: 5 })', createContext())],
    ['that are frozen', Object.freeze({ ttl: 5 })],
    ['behind a proxy', new Proxy({ ttl: 5 }, {})],
    ['behind a getter', Object.defineProperty({}, 'ttl', { get: () => 5, enumerable: true })],
  ])('takes options %s', (_, options) => {
    expect(given(options)).not.toThrow();
    expect(resolveOptions(options).ttl).toBe(5);
  });

  it('reads every option once, and at once', () => {
    const reads: PropertyKey[] = [];
    const options = new Proxy(
      { ttl: 5, ignore: [1] },
      {
        get: (target, key, receiver) => {
          reads.push(key);
          return Reflect.get(target, key, receiver) as unknown;
        },
      },
    );
    memoizeAsync(async (_id: number, _db: object) => {}, options as never);
    expect(reads).toEqual(['ttl', 'ignore']);
  });

  it('keeps what it was given, whatever becomes of the object', async () => {
    const options = { ttl: 1_000, ignore: [1 as const] };
    const fn = memoizeAsync(async (id: number, _db: object) => id, options);
    options.ttl = 0;
    options.ignore.length = 0;
    await fn(7, { at: 1 });
    await fn(7, { at: 2 });
    expect(fn.stats()).toMatchObject({ runs: 1, hits: 1 });

    const later = { ignore: [1] };
    const memoize = memoizeAsync(later);
    later.ignore.length = 0;
    const lateFn = memoize(async (id: number, _db: object) => id);
    expect(lateFn.keyOf(7, { at: 1 })).toBe(lateFn.keyOf(7));
  });

  it.each([
    ['a getter', Object.defineProperty({}, 'ttl', { get: fail, enumerable: true })],
    ['a getter of an unknown option', Object.defineProperty({}, 'ttl', { get: fail })],
    ['a proxy', new Proxy({ ttl: 5 }, { get: fail })],
  ])('tells which option %s keeps from it', (_, options) => {
    let error: unknown;
    try {
      given(options)();
    } catch (caught) {
      error = caught;
    }
    expect(error).toEqual(new TypeError('Expected `ttl` to be an option that can be read'));
    expect((error as Error).cause).toEqual(new Error('trapped'));
  });

  it.each([
    ['refuses to tell its prototype', { getPrototypeOf: fail }],
    ['refuses to list its keys', { ownKeys: fail }],
  ])('throws at once for a proxy that %s', (_, handler) => {
    expect(given(new Proxy({}, handler))).toThrow('trapped');
  });

  it('throws at once for a store whose methods cannot be looked up', () => {
    expect(given({ cache: new Proxy({}, { get: fail }) })).toThrow('trapped');
  });

  it('refuses `ignore` beside `keyOf`, and takes an empty one', () => {
    expect(given({ keyOf: noop, ignore: [1, 'db'] })).toThrow(
      new TypeError('Expected `ignore` to be empty beside `keyOf`, got [1, "db"]'),
    );
    expect(given({ keyOf: noop, ignore: [] })).not.toThrow();
    expect(given({ keyOf: undefined, ignore: [1] })).not.toThrow();
  });

  it('cannot be made to pollute a prototype', async () => {
    const options: unknown = JSON.parse('{"__proto__":{"ttl":5,"polluted":true}}');
    expect(given(options)).toThrow(new TypeError('Unknown option `__proto__`, got [object Object]'));
    const echo = memoizeAsync(async (value: unknown) => value, {
      ignore: ['__proto__', 'constructor.prototype', 'x'] as never,
    });
    const hostile: unknown = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    );
    expect(await echo(hostile)).toBe(hostile);
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      expect(await echo(name)).toBe(name);
      expect(await echo.delete(name)).toBe(true);
      await echo.prime([name], 'primed');
      expect(await echo(name)).toBe('primed');
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['text', 'fn', '"fn"'],
    ['a number', 5, '5'],
    ['a symbol', Symbol('fn'), 'Symbol(fn)'],
  ])('refuses %s in place of a function', (_, fn, shown) => {
    expect(() => memoizeAsync(fn as never)).toThrow(new TypeError(`Expected a function to memoize, got ${shown}`));
    expect(() => memoizeAsync({})(fn as never)).toThrow(new TypeError(`Expected a function to memoize, got ${shown}`));
  });

  it('refuses an object in place of a function where options follow', () => {
    expect(() => memoizeAsync({ ttl: 5 } as never, {})).toThrow(
      new TypeError('Expected a function to memoize, got [object Object]'),
    );
    expect(() => memoizeAsync(Promise.resolve() as never)).toThrow(
      new TypeError('Expected options to be a plain object, got [object Promise]'),
    );
  });
});

describe('show', () => {
  const endless: unknown[] = [];
  endless.push(endless, endless, endless);

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [-0, '-0'],
    [5n, '5n'],
    ['a\n"b"', '"a\\n\\"b\\""'],
    [Symbol('a'), 'Symbol(a)'],
    [() => 1, 'function (anonymous)'],
    [class A {}, 'function A'],
    [[1, 'a', null], '[1, "a", null]'],
    [Array.from({ length: 11 }, (_, index) => index), '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …]'],
    [[[[]]], '[[…]]'],
    [endless, '[[…], […], […]]'],
  ])('shows %p', (value, shown) => {
    expect(show(value)).toBe(shown);
  });

  it.each([
    ['an object', () => new Proxy({}, { get: fail })],
    ['a list', () => new Proxy([], { get: fail })],
    ['a function', () => Object.defineProperty(() => 1, 'name', { value: Symbol('a') })],
  ])('says of %s that it cannot be shown', (_, make) => {
    expect(show(make())).toBe('an object that cannot be shown');
  });
});

describe('isPlainObject', () => {
  it.each([[{}], [Object.create(null)], [runInContext('({})', createContext())], [JSON.parse('{}')]])(
    'is true for %p',
    (value) => {
      expect(isPlainObject(value)).toBe(true);
    },
  );

  it.each([
    [null],
    [[]],
    [noop],
    [new Date()],
    [new (class A {})()],
    [Object.create({})],
    [Object.create(noop)],
    ['x'],
  ])('is false for %p', (value) => {
    expect(isPlainObject(value)).toBe(false);
  });
});

describe('isStore', () => {
  it('asks for get, set, and delete or del', () => {
    expect(isStore(new Map())).toBe(true);
    expect(isStore({ get: noop, set: noop, del: noop })).toBe(true);
    expect(isStore(Object.assign(noop, { get: noop, set: noop, delete: noop }))).toBe(true);
    expect(isStore({ get: noop, set: noop })).toBe(false);
    expect(isStore(new WeakSet())).toBe(false);
    expect(isStore(undefined)).toBe(false);
  });
});

function fail(): never {
  throw new Error('trapped');
}
