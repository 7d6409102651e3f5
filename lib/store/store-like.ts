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
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const store = value as Record<'get' | 'set' | 'delete' | 'del', unknown>;
  return (
    typeof store.get === 'function' &&
    typeof store.set === 'function' &&
    (typeof store.delete === 'function' || typeof store.del === 'function')
  );
}

/** True for a store that can coordinate runs between processes. */
export function isSharedStore<V>(store: StoreLike<V>): store is SharedStore<V> {
  const { acquire, begin } = store as Partial<SharedStore<V>>;
  return typeof acquire === 'function' && typeof begin === 'function';
}

/** Forget `name`, by whatever the store calls that. */
export function removeFrom(store: StoreLike<never>, name: string): unknown {
  const { delete: remove, del } = store as { delete?: unknown; del?: unknown };
  return (typeof remove === 'function' ? remove : (del as (name: string) => unknown)).call(store, name) as unknown;
}

/** All keys of a store that can list them. Keyv has no `keys`; its `iterator` gives pairs. */
export function listKeys(store: object): Iterable<unknown> | AsyncIterable<unknown> | undefined {
  const { keys, iterator } = store as { keys?: unknown; iterator?: unknown };
  if (typeof keys === 'function') return keys.call(store) as Iterable<unknown>;
  if (typeof iterator === 'function') return firstOfPairs(iterator.call(store) as AsyncIterable<readonly unknown[]>);
  return undefined;
}

async function* firstOfPairs(pairs: AsyncIterable<readonly unknown[]>): AsyncGenerator {
  for await (const pair of pairs) yield pair[0];
}
