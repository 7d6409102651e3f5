import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createCache } from 'cache-manager';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import { createClient } from 'redis';
import { digestKeys, memoizeAsync, perInstance, tiered } from 'aiocachetools';
import { hasThirdParty, thirdParty } from '../support/private-server.js';
import { isStore, takesTtl } from '../../lib/store/store-like.js';
import type { StoreLike } from '../../lib/store/store-like.js';

/** A real one where the packages of other projects are installed, else what it is known by. */
async function openBentoCache(): Promise<object> {
  if (!hasThirdParty) return { get: () => {}, set: () => {}, delete: () => {}, getOrSetForever: () => {} };
  const path = createRequire(join(thirdParty, 'package.json')).resolve('bentocache');
  const { BentoCache, bentostore } = (await import(path)) as {
    BentoCache: new (options: object) => object;
    bentostore: () => unknown;
  };
  return new BentoCache({ default: 'memory', stores: { memory: bentostore() } });
}

const client = '`redisStore(client)` from `aiocachetools/redis` instead of a Redis client itself';
const foreign: [kind: string, value: unknown, wayOut: string][] = [
  ['an ioredis client', new Redis({ lazyConnect: true }), client],
  ['a node-redis client', createClient(), client],
  ['a glide client', { get: () => {}, set: () => {}, del: () => {}, customCommand: () => {} }, client],
  [
    'a BentoCache',
    await openBentoCache(),
    'a store for entries instead of another cache: give both libraries the same Redis, or adapt `get`, `set` and `delete`',
  ],
  ['a WeakMap', new WeakMap(), 'a `Map` or another store for entries instead of a WeakMap'],
  ['Headers', new Headers(), 'a `Map` or another store for entries instead of a Headers'],
  ['a FormData', new FormData(), 'a `Map` or another store for entries instead of a FormData'],
  ['URLSearchParams', new URLSearchParams(), 'a `Map` or another store for entries instead of a URLSearchParams'],
];

describe('isStore', () => {
  it.each(foreign)('refuses %s with the way out, wherever a store is given', async (_, value, wayOut) => {
    expect(isStore(value)).toBe(false);
    const cache = value as StoreLike;
    const fn = async (): Promise<void> => {};
    expect(() => memoizeAsync(fn, { cache })).toThrow(`Expected \`cache\` to be ${wayOut}, got `);
    expect(() => tiered(cache, new Map())).toThrow(`Expected \`near\` to be ${wayOut}, got `);
    expect(() => tiered(new Map(), cache)).toThrow(`Expected \`far\` to be ${wayOut}, got `);
    expect(() => digestKeys(cache)).toThrow(`Expected \`store\` to be ${wayOut}, got `);
    const picked = memoizeAsync(fn, { cache: perInstance(() => cache) });
    await expect(picked()).rejects.toThrow(`Expected \`cache\` to pick ${wayOut}, got `);
  });

  it.each<[string, unknown]>([
    ['a Map', new Map()],
    ['quick-lru', new QuickLRU({ maxSize: 1 })],
    ['lru-cache', new LRUCache({ max: 1 })],
    ['Keyv', new Keyv()],
    ['cache-manager', createCache()],
    [
      'a class instance with `del`',
      new (class {
        get(): void {}
        set(): void {}
        del(): void {}
      })(),
    ],
  ])('accepts %s', (_, store) => {
    expect(isStore(store)).toBe(true);
  });

  it.each([undefined, null, 1, 'store', {}, [], new Set(), () => {}, { get: () => {}, set: () => {} }])(
    'refuses %p',
    (value) => expect(isStore(value)).toBe(false),
  );
});

describe('takesTtl', () => {
  it.each<[boolean, string, object]>([
    [true, 'three parameters', { set: (_a: unknown, _b: unknown, _c: unknown) => {} }],
    [false, 'two parameters', { set: (_a: unknown, _b: unknown) => {} }],
    [false, 'a rest parameter', { set: (..._all: unknown[]) => {} }],
    [true, 'a rest parameter and `takesTtl: true`', { set: (..._all: unknown[]) => {}, takesTtl: true }],
    [false, '`takesTtl` of another kind', { set: () => {}, takesTtl: 1 }],
  ])('is %p for a `set` with %s', (takes, _, store) => {
    expect(takesTtl(store as StoreLike<never>)).toBe(takes);
  });
});
