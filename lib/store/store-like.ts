import { show } from '../platform/show.js';
import type { Entry, SharedStore, Store } from './store.js';

/**
 * A store as users bring it: quick-lru and lru-cache take options where others take a `ttl`, and cache-manager says `del`.
 * What it takes decides whether it fits: it may serve many functions, so what it gives is checked at run time.
 */
export type StoreLike<V = unknown> = Omit<Store<V>, 'get' | 'set' | 'delete'> & {
  get(key: string): unknown;
  set(key: string, entry: Entry<V>): unknown;
} & ({ delete(key: string): unknown } | { del(key: string): unknown });

/** True for what can be used as a store. */
export function isStore(value: unknown): value is StoreLike {
  return hasStoreMethods(value) && wayOut(value) === undefined;
}

/** What to give instead of something that has the methods of a store and is none; `undefined` for anything else. */
export function wayOut(value: unknown): string | undefined {
  if (!hasStoreMethods(value)) return undefined;
  const { sendCommand, customCommand, getOrSetForever } = value as Partial<Record<string, unknown>>;
  if (typeof sendCommand === 'function' || typeof customCommand === 'function') {
    return '`redisStore(client)` from `aiocachetools/redis` instead of a Redis client itself';
  }
  if (typeof getOrSetForever === 'function') {
    return 'a store for entries instead of another cache: give both libraries the same Redis, or adapt `get`, `set` and `delete`';
  }
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return foreignKinds.has(kind) ? `a \`Map\` or another store for entries instead of a ${kind}` : undefined;
}

/** They have `get`, `set` and `delete`, and keep no entry under a string. */
const foreignKinds: ReadonlySet<string> = new Set(['WeakMap', 'Headers', 'FormData', 'URLSearchParams']);

function hasStoreMethods(value: unknown): value is object {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const store = value as Record<'get' | 'set' | 'delete' | 'del', unknown>;
  return (
    typeof store.get === 'function' &&
    typeof store.set === 'function' &&
    (typeof store.delete === 'function' || typeof store.del === 'function')
  );
}

/** @throws {TypeError} for what is no store, with the way out where there is one. */
export function assertStore(name: string, store: unknown): asserts store is StoreLike {
  if (isStore(store)) return;
  const expected = wayOut(store) ?? 'a store with get, set and delete';
  throw new TypeError(`Expected \`${name}\` to be ${expected}, got ${show(store)}`);
}

/** True for a store that can coordinate runs between processes. */
export function isSharedStore<V>(store: StoreLike<V>): store is SharedStore<V> {
  const { acquire, begin } = store as Partial<SharedStore<V>>;
  return typeof acquire === 'function' && typeof begin === 'function';
}

/**
 * True for a store that wants the lifetime of an entry as the third argument of `set`. Not every store may get it: lru-cache
 * breaks on a number there. A `set` that is wrapped declares no parameters, so a store can also say it.
 */
export function takesTtl(store: StoreLike<never>): boolean {
  return store.set.length >= 3 || (store as { readonly takesTtl?: unknown }).takesTtl === true;
}

/** Delete `name`, whatever the store calls that. */
export function removeFrom(store: StoreLike<never>, name: string): unknown {
  const { delete: remove, del } = store as { delete?: unknown; del?: unknown };
  return (typeof remove === 'function' ? remove : (del as (name: string) => unknown)).call(store, name) as unknown;
}

/** How many entries a store has; `undefined` where it does not tell. */
export function sizeOf(store: object | null): number | undefined {
  try {
    const size = (store as { readonly size?: unknown } | null)?.size;
    return typeof size === 'number' && size >= 0 ? size : undefined;
  } catch {
    return undefined;
  }
}
