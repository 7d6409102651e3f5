import { LRUCache } from 'lru-cache';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { Keyv as Keyv6 } from 'keyv6';
import QuickLRU from 'quick-lru';
import { storeContract } from '../support/store-contract.js';
import type { StoreLike } from '../../lib/store/store-like.js';
import type { Entry } from '../../lib/store/store.js';

storeContract('a Map', {
  open: () => new Map<string, Entry<unknown>>(),
  canList: true,
  isJson: false,
  deleteSays: [true, false],
  takesTtl: false,
});

storeContract('quick-lru', {
  open: () => new QuickLRU<string, Entry<unknown>>({ maxSize: 1_000 }),
  canList: true,
  isJson: false,
  deleteSays: [true, false],
  takesTtl: false,
});

storeContract('lru-cache', {
  open: () => new LRUCache<string, Entry<unknown>>({ max: 1_000 }),
  canList: true,
  isJson: false,
  deleteSays: [true, false],
  takesTtl: false,
});

storeContract('Keyv 5 in memory', {
  open: () => new Keyv(),
  canList: true,
  isJson: true,
  deleteSays: [true, false],
  takesTtl: true,
});

storeContract('Keyv 6 in memory', {
  open: () => new Keyv6(),
  canList: true,
  isJson: true,
  deleteSays: [true, false],
  takesTtl: true,
});

storeContract('cache-manager', {
  open: () => createCache(),
  canList: false,
  isJson: false,
  deleteSays: [true, true],
  takesTtl: true,
});

storeContract('a store of one’s own with the least of methods', {
  open: leastStore,
  canList: false,
  isJson: false,
  deleteSays: [false, false],
  takesTtl: true,
});

storeContract('a store of one’s own that lists asynchronously', {
  open: () => {
    const entries = new Map<string, Entry<unknown>>();
    return Object.assign(asynchronous(entries), {
      async *keys() {
        yield* entries.keys();
      },
    });
  },
  canList: true,
  isJson: false,
  deleteSays: [true, false],
  takesTtl: true,
});

storeContract('a store of one’s own that deletes by prefix', {
  open: () => {
    const entries = new Map<string, Entry<unknown>>();
    return Object.assign(asynchronous(entries), {
      deleteByPrefix: async (prefix: string) => {
        for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
      },
    });
  },
  canList: true,
  isJson: false,
  deleteSays: [true, false],
  takesTtl: true,
});

function asynchronous(entries: Map<string, Entry<unknown>>): StoreLike {
  const store = {
    get: async (key: string) => entries.get(key),
    set: async (key: string, entry: Entry<unknown>, _ttl?: number) => void entries.set(key, entry),
    delete: async (key: string) => entries.delete(key),
  };
  Object.defineProperty(store.set, 'length', { value: 3 });
  return store;
}

function leastStore(): StoreLike {
  const entries = new Map<string, Entry<unknown>>();
  const store = asynchronous(entries);
  return Object.assign(store, { delete: async (key: string) => void entries.delete(key) });
}
