/* global queueMicrotask */
/**
 * Every peer as its documentation says for a function of a few arguments, with a time to live of an hour, and with no key
 * function but where one is asked for. `make` gives `call(...args)` and `forget()`, which invalidates all that is known.
 *
 * `keys`: who makes the key of a call. `isUnary`: it takes functions of one argument. `stores`: whether results can go to a store of the user's.
 *
 * What only some can do; a contender that lacks the member cannot:
 * `tagged(fn)`: the result of `call(key)` has the tag `tag:${key}`, and `invalidate(tag)` forgets it.
 * `pair(fn, redis)`: the same in two processes, as `[one, two]`, with a memory in front of Redis where it can be had.
 * `soft(fn)`: `expire(key)`, and where it is possible `expireTag(tag)`, lets the old value answer while a new one is made.
 * `batched(fn)`: `fn` takes a list of keys. An `Error` in its answer stands for an item that failed.
 * `checked(fn, { store, isValid })`: what the store gives is used only if `isValid(value)`. The store is a Map.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const hour = 3_600_000;

/** A store as each of them wants it, over a Map-like one whose methods may fail. */
const mapLike = (store) => ({
  get: (key) => store.get(key),
  set: (key, value) => store.set(key, value),
  has: (key) => store.has(key),
  delete: (key) => store.delete(key),
  clear: () => store.clear(),
});

async function ours() {
  const outfile = fileURLToPath(new URL('../dist/claims/aiocachetools.mjs', import.meta.url));
  await build({
    stdin: {
      contents: `export * from './index.js'; export * from './redis/index.js';`,
      resolveDir: fileURLToPath(new URL('../../lib', import.meta.url)),
      loader: 'ts',
    },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  return import(outfile);
}

export const contenders = {
  aiocachetools: {
    keys: 'arguments',
    stores: true,
    signals: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { memoizeAsync } = await ours();
      const call = memoizeAsync(fn, { name: 'call', ttl, ...(store && { cache: mapLike(store) }) });
      return { call, forget: () => call.clear() };
    },
    async tagged(fn) {
      const { invalidateTags, memoizeAsync } = await ours();
      const call = memoizeAsync(fn, { ttl: hour, tags: (_value, key) => [`tag:${key}`] });
      return { call, invalidate: (tag) => invalidateTags(call, [tag]) };
    },
    async pair(fn, redis) {
      const { invalidateTags, memoizeAsync, redisStore, tiered } = await ours();
      return [1, 2].map(() => {
        const cache = tiered(new Map(), redisStore(redis.client()));
        const call = memoizeAsync(fn, { name: 'call', cache, ttl: hour, tags: (_value, key) => [`tag:${key}`] });
        return { call, invalidate: (tag) => invalidateTags(cache, [tag]) };
      });
    },
    async soft(fn) {
      const { invalidateTags, memoizeAsync } = await ours();
      const call = memoizeAsync(fn, { ttl: hour, staleWhileRevalidate: hour, tags: (_value, key) => [`tag:${key}`] });
      return {
        call,
        expire: (key) => call.expire(key),
        expireTag: (tag) => invalidateTags(call, [tag], { soft: true }),
      };
    },
    async batched(fn) {
      const { batched, memoizeAsync } = await ours();
      return { call: memoizeAsync(batched(fn), { name: 'call', ttl: hour }) };
    },
    async checked(fn, { store, isValid }) {
      const { memoizeAsync } = await ours();
      return { call: memoizeAsync(fn, { name: 'call', cache: store, ttl: hour, validate: isValid }) };
    },
  },
  'p-memoize 8': pMemoize('p-memoize'),
  'p-memoize 9': pMemoize('p-memoize9'),
  'async-cache-dedupe': {
    keys: 'arguments',
    isUnary: true,
    stores: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { createCache } = (await import('async-cache-dedupe')).default;
      const storage = store && {
        type: 'custom',
        options: {
          storage: {
            ...mapLike(store),
            remove: (key) => store.delete(key),
            exists: (key) => store.has(key),
            getTTL: async () => 3_600,
            invalidate: async () => undefined,
          },
        },
      };
      const cache = createCache({ ttl: ttl / 1_000, storage: storage ?? { type: 'memory' } });
      cache.define('call', (argument) => fn(argument));
      return { call: (...args) => cache.call(...args), forget: () => cache.clear() };
    },
    async tagged(fn) {
      return dedupeWith({ type: 'memory', options: { invalidation: true } }, fn);
    },
    async pair(fn, redis) {
      const storage = () => ({
        type: 'redis',
        options: { client: redis.client(), invalidation: { referencesTTL: 3_600 } },
      });
      return Promise.all([dedupeWith(storage(), fn), dedupeWith(storage(), fn)]);
    },
  },
  bentocache: {
    keys: 'caller',
    async make(fn, { ttl = hour } = {}) {
      const { BentoCache, bentostore } = await import('bentocache');
      const { memoryDriver } = await import('bentocache/drivers/memory');
      const bento = new BentoCache({
        default: 'memory',
        ttl,
        stores: { memory: bentostore().useL1Layer(memoryDriver({})) },
      });
      return {
        call: (key) => bento.getOrSet({ key: String(key), factory: () => fn(key) }),
        forget: () => bento.clear(),
      };
    },
    async tagged(fn) {
      const { bentostore } = await import('bentocache');
      const { memoryDriver } = await import('bentocache/drivers/memory');
      return bentoWith(bentostore().useL1Layer(memoryDriver({})), fn);
    },
    async pair(fn, redis) {
      const { bentostore } = await import('bentocache');
      const { memoryDriver } = await import('bentocache/drivers/memory');
      const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis');
      const layers = () =>
        bentostore()
          .useL1Layer(memoryDriver({}))
          .useL2Layer(redisDriver({ connection: redis.client() }))
          .useBus(redisBusDriver({ connection: redis.client().options }));
      return Promise.all([bentoWith(layers(), fn), bentoWith(layers(), fn)]);
    },
    async soft(fn) {
      const { bentostore } = await import('bentocache');
      const { memoryDriver } = await import('bentocache/drivers/memory');
      const layer = bentostore().useL1Layer(memoryDriver({}));
      const { bento, call, invalidate } = await bentoWith(layer, fn, { grace: '6h', timeout: 0 });
      return { call, expire: (key) => bento.expire({ key }), expireTag: invalidate };
    },
  },
  cacheable: {
    keys: 'arguments',
    stores: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { Cacheable } = await import('cacheable');
      const { Keyv } = await import('keyv');
      const cache = store ? new Cacheable({ primary: new Keyv({ store: mapLike(store) }) }) : new Cacheable();
      cache.on('error', () => undefined);
      return { call: cache.wrap(fn, { ttl, keyPrefix: 'call' }), forget: () => cache.clear() };
    },
    async tagged(fn) {
      return cacheableWith({}, fn);
    },
    async pair(fn, redis) {
      const { Keyv } = await import('keyv');
      return Promise.all(
        [1, 2].map(() => cacheableWith({ secondary: new Keyv({ store: overRedis(redis.client()) }) }, fn)),
      );
    },
  },
  'cache-manager': {
    keys: 'caller',
    stores: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { createCache } = await import('cache-manager');
      const { Keyv } = await import('keyv');
      const keyv = store ? new Keyv({ store: mapLike(store) }) : new Keyv();
      keyv.on('error', () => undefined);
      const cache = createCache({ stores: [keyv], ttl });
      return { call: (key) => cache.wrap(String(key), () => fn(key)), forget: () => cache.clear() };
    },
  },
  'lru-cache': {
    keys: 'caller',
    signals: true,
    async make(fn, { ttl = hour } = {}) {
      const { LRUCache } = await import('lru-cache');
      const cache = new LRUCache({
        max: 1_000,
        ttl,
        fetchMethod: (key, _stale, { signal, context }) => (context === undefined ? fn(key) : fn(key, signal)),
      });
      return {
        call: (key, signal) => cache.fetch(key, signal && { signal, context: true }),
        forget: () => cache.clear(),
      };
    },
  },
  memoizee: {
    keys: 'arguments',
    async make(fn, { ttl = hour } = {}) {
      const { default: memoizee } = await import('memoizee');
      const call = memoizee(fn, { promise: true, maxAge: ttl });
      return { call, forget: async () => call.clear() };
    },
  },
  moize: {
    keys: 'arguments',
    async make(fn, { ttl = hour } = {}) {
      const { default: module } = await import('moize');
      const call = (module.default ?? module)(fn, { isPromise: true, maxSize: 1_000, maxAge: ttl });
      return { call, forget: async () => call.clear() };
    },
  },
  'micro-memoize': {
    keys: 'arguments',
    async make(fn, { ttl = hour } = {}) {
      const { memoize } = await import('micro-memoize');
      const call = memoize(fn, { async: true, maxSize: 1_000, expires: ttl });
      return { call, forget: async () => call.cache.clear() };
    },
  },
  dataloader: {
    keys: 'arguments',
    isUnary: true,
    hasNoTtl: true,
    async make(fn) {
      const { default: DataLoader } = await import('dataloader');
      const settle = async (key) => {
        try {
          return await fn(key);
        } catch (error) {
          return error;
        }
      };
      const loader = new DataLoader((keys) => Promise.all(keys.map(settle)));
      return { call: (key) => loader.load(key), forget: async () => loader.clearAll() };
    },
    async batched(fn) {
      const { default: DataLoader } = await import('dataloader');
      const loader = new DataLoader(fn);
      return { call: (key) => loader.load(key) };
    },
  },
  cachified: {
    keys: 'caller',
    stores: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { cachified } = await import('@epic-web/cachified');
      const cache = store ? mapLike(store) : new Map();
      return {
        call: (key) => cachified({ key: String(key), cache, ttl, getFreshValue: () => fn(key) }),
        forget: async (key) => cache.delete(String(key)),
      };
    },
    async soft(fn) {
      const { cachified, softPurge } = await import('@epic-web/cachified');
      const cache = new Map();
      return {
        call: (key) => cachified({ key, cache, ttl: hour, getFreshValue: () => fn(key) }),
        expire: (key) => softPurge({ cache, key }),
      };
    },
    async batched(fn) {
      const { cachified, createBatch } = await import('@epic-web/cachified');
      const cache = new Map();
      let batch;
      return {
        call(key) {
          if (batch === undefined) {
            batch = createBatch(fn);
            queueMicrotask(() => (batch = undefined));
          }
          return cachified({ key: String(key), cache, ttl: hour, getFreshValue: batch.add(key) });
        },
      };
    },
    async checked(fn, { store, isValid }) {
      const { cachified } = await import('@epic-web/cachified');
      return {
        call: (key) => cachified({ key, cache: store, ttl: hour, getFreshValue: () => fn(key), checkValue: isValid }),
      };
    },
  },
  ocache: {
    keys: 'arguments',
    stores: true,
    async make(fn, { ttl = hour, store } = {}) {
      const { createMemoryStorage, defineCachedFunction } = await import('ocache');
      const storage = store
        ? { get: (key) => store.get(key) ?? null, set: (key, value) => void store.set(key, value) }
        : createMemoryStorage();
      const options = { name: 'call', maxAge: ttl / 1_000, swr: false, storage, onError: () => undefined };
      const call = defineCachedFunction((...args) => fn(...args), options);
      // It forgets one call; the checks that forget have only that one.
      return { call, forget: (...args) => call.invalidate(...args) };
    },
    async soft(fn) {
      const { createMemoryStorage, defineCachedFunction } = await import('ocache');
      const options = { name: 'call', maxAge: 3_600, staleMaxAge: 3_600, swr: true, storage: createMemoryStorage() };
      const call = defineCachedFunction((key) => fn(key), options);
      return { call, expire: (key) => call.expire(key) };
    },
    async checked(fn, { store, isValid }) {
      const { defineCachedFunction } = await import('ocache');
      const storage = { get: (key) => store.get(key) ?? null, set: (key, value) => void store.set(key, value) };
      const validate = ({ value }) => isValid(value);
      // Of the function: a deploy that changes it forgets all entries.
      const options = { name: 'call', maxAge: 3_600, swr: false, storage, validate, integrity: 'same' };
      return { call: defineCachedFunction((key) => fn(key), options) };
    },
  },
};

/** async-cache-dedupe calls tags references. */
async function dedupeWith(storage, fn) {
  const { createCache } = (await import('async-cache-dedupe')).default;
  const cache = createCache({ ttl: 3_600, storage });
  cache.define('call', { references: (key) => [`tag:${key}`] }, (key) => fn(key));
  return { call: (key) => cache.call(key), invalidate: (tag) => cache.invalidateAll(tag) };
}

async function bentoWith(layers, fn, options = {}) {
  const { BentoCache } = await import('bentocache');
  const bento = new BentoCache({ default: 'cache', ttl: hour, ...options, stores: { cache: layers } });
  return {
    bento,
    call: (key) => bento.getOrSet({ key, factory: () => fn(key), tags: [`tag:${key}`] }),
    invalidate: (tag) => bento.deleteByTag({ tags: [tag] }),
  };
}

/** Neither `wrap` nor `getOrSet` of cacheable takes tags. */
async function cacheableWith(stores, fn) {
  const { Cacheable } = await import('cacheable');
  const cache = new Cacheable({ ...stores, tags: true });
  return {
    async call(key) {
      const found = await cache.get(key);
      if (found !== undefined) return found;
      const value = await fn(key);
      await cache.set(key, value, { ttl: hour, tags: [`tag:${key}`] });
      return value;
    },
    invalidate: (tag) => cache.tags.invalidateTag(tag),
  };
}

/** As @keyv/redis has it. */
const overRedis = (client) => ({
  get: async (key) => (await client.get(key)) ?? undefined,
  set: (key, value) => client.set(key, value),
  delete: async (key) => (await client.del(key)) > 0,
  clear: () => client.flushdb(),
});

function pMemoize(name) {
  return {
    keys: 'arguments',
    stores: true,
    hasNoTtl: true,
    async make(fn, { store } = {}) {
      const { default: memoize, pMemoizeClear } = await import(name);
      const call = memoize(fn, { cache: store ? mapLike(store) : new Map() });
      return { call, forget: async () => pMemoizeClear(call) };
    },
  };
}
