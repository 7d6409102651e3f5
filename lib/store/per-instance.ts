import type { StoreLike } from './store-like.js';

/**
 * A `cache` option that keeps a store for each receiver (`this`), so that instances do not share results. Stores of
 * objects are held weakly and go with them; all primitive receivers share one.
 *
 * @param createStore Makes the store of a receiver at its first call.
 * @example
 * const find = memoizeAsync(
 *   function (this: Repository, id: number) { return db.find(this.table, id); },
 *   { cache: perInstance(() => new Map()), name: 'find' },
 * );
 * class Repository { constructor(readonly table: string) {} find = find; }
 */
export function perInstance<S extends StoreLike<never>>(
  createStore: (receiver: unknown) => S,
): (receiver: unknown) => S {
  if (typeof createStore !== 'function') {
    throw new TypeError(
      `Expected \`perInstance\` to be given a function that makes a store, got ${typeof createStore}`,
    );
  }
  const stores = new WeakMap<object, S>();
  let ofPrimitives: S | undefined;
  return (receiver) => {
    if ((typeof receiver !== 'object' && typeof receiver !== 'function') || receiver === null) {
      return (ofPrimitives ??= createStore(receiver));
    }
    let store = stores.get(receiver);
    if (store === undefined) stores.set(receiver, (store = createStore(receiver)));
    return store;
  };
}
