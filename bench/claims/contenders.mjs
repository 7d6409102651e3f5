/**
 * Every peer as its documentation says for a function of a few arguments, with a time to live of an hour, and with no key
 * function but where one is asked for. `make` gives `call(...args)` and `forget()`, which invalidates all that is known.
 *
 * `keys`: who makes the key of a call. `isUnary`: it takes functions of one argument. `stores`: whether results can go to a store of the user's.
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
    entryPoints: [fileURLToPath(new URL('../../lib/index.ts', import.meta.url))],
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
  },
};

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
