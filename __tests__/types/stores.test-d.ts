import { createCache } from 'cache-manager';
import { expectTypeOf } from 'expect-type';
import { memoizeAsync, perInstance } from 'aiocachetools';
import { Keyv } from 'keyv';
import { Keyv as Keyv6 } from 'keyv6';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import type { Entry, Memoized, Store } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

declare const getUser: (id: number) => Promise<User>;
type Wrapped = Memoized<typeof getUser>;

// Every store that the contract names fits as it is, made on the spot …
expectTypeOf(memoizeAsync(getUser, { cache: new Map() })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: new QuickLRU({ maxSize: 10 }) })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: new LRUCache({ max: 10 }) })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: new Keyv() })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: new Keyv6() })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: createCache() })).toEqualTypeOf<Wrapped>();

// … or typed before.
const map = new Map<string, Entry<User>>();
const quickLru = new QuickLRU<string, Entry<User>>({ maxSize: 10 });
const lruCache = new LRUCache<string, Entry<User>>({ max: 10 });
const keyv = new Keyv<Entry<User>>();
const keyv6 = new Keyv6<Entry<User>>();
for (const cache of [map, quickLru, lruCache, keyv, keyv6]) {
  expectTypeOf(memoizeAsync(getUser, { cache })).toEqualTypeOf<Wrapped>();
}

// A store of one's own, with as little as it may have, or with everything.
declare const own: Store<User>;
expectTypeOf(memoizeAsync(getUser, { cache: own })).toEqualTypeOf<Wrapped>();
expectTypeOf(
  memoizeAsync(getUser, { cache: { get: async () => undefined, set: () => 'OK', delete: () => 1 } }),
).toEqualTypeOf<Wrapped>();
expectTypeOf(
  memoizeAsync(getUser, { cache: { get: () => undefined, set: async () => undefined, del: () => true } }),
).toEqualTypeOf<Wrapped>();
memoizeAsync(getUser, {
  cache: {
    get: (key) => {
      expectTypeOf(key).toEqualTypeOf<string>();
      return undefined;
    },
    set: (key, entry) => {
      expectTypeOf(key).toEqualTypeOf<string>();
      expectTypeOf(entry).toEqualTypeOf<Entry<User>>();
      expectTypeOf(entry.value).toEqualTypeOf<User | undefined>();
    },
    delete: (key) => {
      expectTypeOf(key).toEqualTypeOf<string>();
    },
  },
});

// One store may serve many functions: the wrapper keeps the type of its own.
const shared = new Map<string, Entry<unknown>>();
expectTypeOf(memoizeAsync(getUser, { cache: shared })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync((id: number) => [id], { cache: shared })(1)).toEqualTypeOf<Promise<number[]>>();
declare const anyStore: Store;
expectTypeOf(memoizeAsync(getUser, { cache: anyStore })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: new QuickLRU<string, unknown>({ maxSize: 10 }) })).toEqualTypeOf<Wrapped>();

// Nothing stored, or a store for each receiver.
expectTypeOf(memoizeAsync(getUser, { cache: null })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: perInstance(() => new Map()) })).toEqualTypeOf<Wrapped>();
expectTypeOf(memoizeAsync(getUser, { cache: perInstance(() => map) })).toEqualTypeOf<Wrapped>();
expectTypeOf(
  memoizeAsync(getUser, {
    cache: (receiver) => {
      expectTypeOf(receiver).toEqualTypeOf<unknown>();
      return receiver === undefined ? null : map;
    },
  }),
).toEqualTypeOf<Wrapped>();
expectTypeOf(perInstance(() => map)).toEqualTypeOf<(receiver: unknown) => Map<string, Entry<User>>>();

// A store of the wrong values, of bare values, or with keys that are no text.
// @ts-expect-error -- it holds numbers
memoizeAsync(getUser, { cache: new Map<string, Entry<number>>() });
// @ts-expect-error -- it holds numbers
memoizeAsync(getUser, { cache: new LRUCache<string, Entry<number>>({ max: 10 }) });
// @ts-expect-error -- it holds numbers
memoizeAsync(getUser, { cache: new QuickLRU<string, Entry<number>>({ maxSize: 10 }) });
declare const numbers: Store<number>;
// @ts-expect-error -- it holds numbers
memoizeAsync(getUser, { cache: numbers });
// @ts-expect-error -- it holds numbers, also behind a selector
memoizeAsync(getUser, { cache: () => numbers });
// @ts-expect-error -- it holds numbers, and the function is not even async
memoizeAsync((id: number) => ({ id, name: 'Ada' }), { cache: numbers });
// @ts-expect-error -- it holds users, not entries
memoizeAsync(getUser, { cache: new Map<string, User>() });
// @ts-expect-error -- its keys are numbers
memoizeAsync(getUser, { cache: new Map<number, Entry<User>>() });

// What is no store.
// @ts-expect-error -- a WeakMap takes objects for keys
memoizeAsync(getUser, { cache: new WeakMap() });
// @ts-expect-error -- a Set cannot set
memoizeAsync(getUser, { cache: new Set() });
// @ts-expect-error -- it cannot delete
memoizeAsync(getUser, { cache: { get: () => undefined, set: () => undefined } });
// @ts-expect-error -- undefined is no store that a selector may pick
memoizeAsync(getUser, { cache: () => undefined });
// @ts-expect-error -- a selector answers at once
memoizeAsync(getUser, { cache: async () => map });
// @ts-expect-error -- it makes no store
perInstance(() => 5);
