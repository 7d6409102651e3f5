// Stores that want an adapter: node-cache counts in seconds, unstorage has names of its own, localStorage holds text.
import NodeCache from 'node-cache';
import { createStorage } from 'unstorage';
import { memoizeAsync } from 'aiocachetools';
import type { Entry, Store } from 'aiocachetools';

const nodeCache = new NodeCache({ useClones: false });
const storage = createStorage();

const nodeCacheStore: Store = {
  get: (key) => nodeCache.get(key),
  set: (key, entry, ttl) => nodeCache.set(key, entry, ttl === undefined ? 0 : Math.ceil(ttl / 1_000)),
  delete: (key) => nodeCache.del(key) > 0,
  keys: () => nodeCache.keys(),
};

const unstorageStore: Store = {
  get: async (key) => (await storage.getItem<Entry<unknown>>(encodeURIComponent(key))) ?? undefined,
  set: (key, entry, _ttl) => storage.setItem(encodeURIComponent(key), entry as never),
  delete: (key) => storage.removeItem(encodeURIComponent(key)),
  keys: async function* () {
    for (const key of await storage.getKeys()) yield decodeURIComponent(key);
  },
};

// A browser has it; here a few lines stand for it.
const localStorage = {
  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? String(this[key as keyof typeof this]) : null;
  },
  setItem(key: string, text: string): void {
    Object.defineProperty(this, key, { value: text, configurable: true, enumerable: true, writable: true });
  },
  removeItem(key: string): void {
    Reflect.deleteProperty(this, key);
  },
};

const localStorageStore: Store = {
  get: (key) => JSON.parse(localStorage.getItem(key) ?? 'null') ?? undefined,
  set: (key, entry) => localStorage.setItem(key, JSON.stringify(entry)),
  delete: (key) => localStorage.removeItem(key),
  keys: () => Object.keys(localStorage),
};

for (const [name, cache] of Object.entries({ nodeCacheStore, unstorageStore, localStorageStore })) {
  const getUser = memoizeAsync(async (path: string) => ({ path }), { name: 'getUser', ttl: 60_000, cache });
  await getUser('/users?id=7');
  await getUser('/users?id=8');
  await getUser.settled();
  const user = await getUser('/users?id=7');
  await getUser.clear();
  const { hits, misses, storeErrors } = getUser.stats();
  const isGone = !(await getUser.has('/users?id=8'));
  console.log(
    `${name}: ${JSON.stringify(user)}, ${hits} hit, ${misses} misses, ${storeErrors} errors, cleared ${isGone}`,
  );
}

// Output:
// nodeCacheStore: {"path":"/users?id=7"}, 1 hit, 2 misses, 0 errors, cleared true
// unstorageStore: {"path":"/users?id=7"}, 1 hit, 2 misses, 0 errors, cleared true
// localStorageStore: {"path":"/users?id=7"}, 1 hit, 2 misses, 0 errors, cleared true
