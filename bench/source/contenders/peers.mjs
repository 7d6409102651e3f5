/**
 * Every peer by its documented recipe. Where its default does not tell arguments apart by value, it gets the key that
 * its documentation or its users give it, which is `JSON.stringify` of the arguments.
 *
 * `lacks` says why a peer has no part in a workload.
 */
const keyOf = (shape) => (shape === 'string' ? (args) => args[0] : (args) => JSON.stringify(args));

const noStores = { A1: 'has no asynchronous stores' };

const noTtl = Object.fromEntries(
  ['Ua', 'Ub', 'Uc', 'Ud', 'Ue', 'Uf', 'S1t'].map((workload) => [workload, 'has no ttl']),
);

export const pMemoize = {
  title: 'p-memoize',
  package: 'p-memoize',
  async load() {
    const [{ default: pMemoize }, { default: QuickLRU }, { default: ExpiryMap }] = await Promise.all([
      import('p-memoize'),
      import('quick-lru'),
      import('expiry-map'),
    ]);
    return { pMemoize, QuickLRU, ExpiryMap };
  },
  wrap(fn, { shape, capacity, isBounded, expiringStore, ttl }, { pMemoize, QuickLRU, ExpiryMap }) {
    // It leaves expiry to the store.
    const unbounded = () => (ttl === undefined ? new Map() : new ExpiryMap(ttl));
    const cache = expiringStore ?? (isBounded ? new QuickLRU({ maxSize: capacity }) : unbounded());
    return shape === 'string' ? pMemoize(fn, { cache }) : pMemoize(fn, { cache, cacheKey: keyOf(shape) });
  },
};

export const asyncCacheDedupe = {
  title: 'async-cache-dedupe',
  package: 'async-cache-dedupe',
  async load() {
    const { default: dedupe } = await import('async-cache-dedupe');
    return dedupe;
  },
  wrap(fn, { shape, capacity, expiringStore, ttl }, { createCache }) {
    const storage =
      expiringStore === undefined
        ? { type: 'memory', options: { size: capacity } }
        : { type: 'custom', options: { storage: customStorage(expiringStore) } };
    const cache = createCache({ ttl: ttl === undefined ? 3_600 : ttl / 1_000, storage });
    if (shape === 'string') {
      cache.define('call', (id) => fn(id));
      return (id) => cache.call(id);
    }
    cache.define('call', (args) => fn(...args));
    return (...args) => cache.call(args);
  },
};

function customStorage(store) {
  const nothing = async () => undefined;
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    remove: (key) => store.delete(key),
    exists: (key) => store.has(key),
    getTTL: async () => 3_600,
    invalidate: nothing,
    clear: nothing,
  };
}

export const memoizee = {
  title: 'memoizee',
  package: 'memoizee',
  lacks: noStores,
  async load() {
    const { default: memoizee } = await import('memoizee');
    return memoizee;
  },
  wrap(fn, { shape, capacity, isBounded, ttl }, memoizee) {
    const options = { promise: true, length: shape === 'pair' || shape === 'request' ? 2 : 1 };
    if (shape === 'string' || shape === 'pair') options.primitive = true;
    else options.normalizer = (args) => JSON.stringify(Array.from(args));
    if (isBounded) options.max = capacity;
    if (ttl !== undefined) options.maxAge = ttl;
    return memoizee(fn, options);
  },
};

export const moize = {
  title: 'moize',
  package: 'moize',
  lacks: noStores,
  async load() {
    const { default: moize } = await import('moize');
    // A module in the CommonJS manner may come as the default export of a default export.
    return moize.default ?? moize;
  },
  wrap(fn, { shape, capacity, ttl }, moize) {
    const options = { isPromise: true, maxSize: capacity };
    if (shape === 'options' || shape === 'request') options.isDeepEqual = true;
    if (ttl !== undefined) options.maxAge = ttl;
    return moize(fn, options);
  },
};

export const microMemoize = {
  title: 'micro-memoize',
  package: 'micro-memoize',
  lacks: noStores,
  async load() {
    const { memoize } = await import('micro-memoize');
    return memoize;
  },
  wrap(fn, { shape, capacity, ttl }, memoize) {
    const options = { async: true, maxSize: capacity };
    if (shape === 'options' || shape === 'request') options.isKeyItemEqual = 'deep';
    if (ttl !== undefined) options.expires = ttl;
    return memoize(fn, options);
  },
};

export const lruCache = {
  title: 'lru-cache',
  package: 'lru-cache',
  lacks: noStores,
  async load() {
    const { LRUCache } = await import('lru-cache');
    return LRUCache;
  },
  wrap(fn, { shape, capacity, ttl }, LRUCache) {
    const options = { max: capacity, ...(ttl !== undefined && { ttl }) };
    if (shape === 'string') {
      const cache = new LRUCache({ ...options, fetchMethod: (id) => fn(id) });
      return (id) => cache.fetch(id);
    }
    const key = keyOf(shape);
    const cache = new LRUCache({ ...options, fetchMethod: (_key, _stale, { context }) => fn(...context) });
    return (...args) => cache.fetch(key(args), { context: args });
  },
};

export const bentocache = {
  title: 'bentocache',
  package: 'bentocache',
  lacks: { A1: 'has no Map-like asynchronous stores' },
  async load() {
    const [{ BentoCache, bentostore }, { memoryDriver }] = await Promise.all([
      import('bentocache'),
      import('bentocache/drivers/memory'),
    ]);
    return { BentoCache, bentostore, memoryDriver };
  },
  wrap(fn, { shape, capacity, ttl }, { BentoCache, bentostore, memoryDriver }) {
    const bento = new BentoCache({
      default: 'memory',
      ...(ttl !== undefined && { ttl }),
      stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: capacity })) },
    });
    const key = keyOf(shape);
    return (...args) => bento.getOrSet({ key: key(args), factory: () => fn(...args) });
  },
};

export const cacheable = {
  title: 'cacheable',
  package: 'cacheable',
  async load() {
    const [{ Cacheable, CacheableMemory }, { Keyv }] = await Promise.all([import('cacheable'), import('keyv')]);
    return { Cacheable, CacheableMemory, Keyv };
  },
  wrap(fn, { capacity, isBounded, store, ttl }, { Cacheable, CacheableMemory, Keyv }) {
    const options = { keyPrefix: 'call', ...(ttl !== undefined && { ttl }) };
    if (store !== undefined) return new Cacheable({ primary: new Keyv({ store }) }).wrap(fn, options);
    if (!isBounded) return new Cacheable().wrap(fn, options);
    return new Cacheable({ primary: new Keyv({ store: new CacheableMemory({ lruSize: capacity }) }) }).wrap(
      fn,
      options,
    );
  },
};

export const cacheManager = {
  title: 'cache-manager',
  package: 'cache-manager',
  async load() {
    const [{ createCache }, { Keyv }, { CacheableMemory }] = await Promise.all([
      import('cache-manager'),
      import('keyv'),
      import('cacheable'),
    ]);
    return { createCache, Keyv, CacheableMemory };
  },
  wrap(fn, { shape, capacity, isBounded, store, ttl }, { createCache, Keyv, CacheableMemory }) {
    const backing = store ?? (isBounded ? new CacheableMemory({ lruSize: capacity }) : undefined);
    const cache = createCache({
      stores: [backing === undefined ? new Keyv() : new Keyv({ store: backing })],
      ...(ttl !== undefined && { ttl }),
    });
    const key = keyOf(shape);
    return (...args) => cache.wrap(key(args), () => fn(...args));
  },
};

export const dataloader = {
  title: 'dataloader',
  package: 'dataloader',
  lacks: { ...noStores, ...noTtl },
  async load() {
    const [{ default: DataLoader }, { default: QuickLRU }] = await Promise.all([
      import('dataloader'),
      import('quick-lru'),
    ]);
    return { DataLoader, QuickLRU };
  },
  wrap(fn, { shape, capacity, isBounded }, { DataLoader, QuickLRU }) {
    const options = isBounded ? { cacheMap: new QuickLRU({ maxSize: capacity }) } : {};
    if (shape === 'string') {
      const loader = new DataLoader((ids) => Promise.all(ids.map((id) => fn(id))), options);
      return (id) => loader.load(id);
    }
    const loader = new DataLoader((lists) => Promise.all(lists.map((args) => fn(...args))), {
      ...options,
      cacheKeyFn: keyOf(shape),
    });
    return (...args) => loader.load(args);
  },
};

export const ocache = {
  title: 'ocache',
  package: 'ocache',
  load: () => import('ocache'),
  wrap(fn, { capacity, store, ttl }, { defineCachedFunction, createMemoryStorage }) {
    return defineCachedFunction((...args) => fn(...args), {
      name: 'call',
      maxAge: ttl === undefined ? 3_600 : ttl / 1_000,
      swr: false,
      storage: store ?? createMemoryStorage({ maxSize: capacity }),
    });
  },
};

export const cachified = {
  title: 'cachified',
  package: '@epic-web/cachified',
  async load() {
    const [{ cachified, totalTtl }, { LRUCache }] = await Promise.all([
      import('@epic-web/cachified'),
      import('lru-cache'),
    ]);
    return { cachified, totalTtl, LRUCache };
  },
  wrap(fn, { shape, capacity, isBounded, store, ttl }, { cachified, totalTtl, LRUCache }) {
    const cache = store ?? (isBounded ? boundedCache(new LRUCache({ max: capacity }), totalTtl) : new Map());
    const key = keyOf(shape);
    return (...args) => cachified({ key: key(args), cache, ttl, getFreshValue: () => fn(...args) });
  },
};

/** As in its documentation. */
function boundedCache(lru, totalTtl) {
  return {
    set(key, value) {
      const ttl = totalTtl(value?.metadata);
      return lru.set(key, value, {
        ttl: ttl === Infinity ? undefined : ttl,
        start: value?.metadata?.createdTime,
      });
    },
    get: (key) => lru.get(key),
    delete: (key) => lru.delete(key),
  };
}
