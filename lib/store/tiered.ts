import { assertStore, isSharedStore } from './store-like.js';
import { TieredSharedStore } from './tiered-shared-store.js';
import { TieredStore } from './tiered-store.js';
import type { StoreLike } from './store-like.js';
import type { SharedStore, Store } from './store.js';

/** How a near and a far store go together. */
export interface TieredOptions {
  /**
   * The longest, in milliseconds, that the near store answers without a look at the far one. It holds at all times where it
   * is given. Left out, it holds where changes made elsewhere are not heard of: without messages, and in an outage.
   *
   * `0`: nothing is served near without messages, so in an outage every call goes to `fn`.
   *
   * @default 5_000
   */
  readonly nearTtl?: number | undefined;
}

/**
 * A memory store in front of a shared one. What is read from `far` is kept in `near` while it is fresh, and answers there
 * without asking. Where `far` tells of changes (`redisStore` with a subscriber), a write, `delete` or `clear` in one process
 * reaches the near stores of all; elsewhere answers may be `nearTtl` old.
 *
 * While `far` cannot be reached, `near` goes on: results of runs are kept there for `nearTtl` and never written far later,
 * and an older entry answers inside its `staleWhileRevalidate` and `staleIfError`.
 *
 * @param near Any store, usually in memory. Its entries are of use only to this one.
 * @param far Any store, usually shared with other processes.
 * @throws {TypeError} at once, for what is no store, or for an option of the wrong kind.
 * @example
 * const cache = tiered(new QuickLRU({ maxSize: 1_000 }), redisStore(client));
 */
export function tiered<V = never>(
  near: StoreLike<never>,
  // Not `SharedStore<V>`: there is nothing to infer `V` from, and compilers before 5.5 infer `undefined`.
  far: StoreLike<never> & {
    acquire(key: string, options: never): unknown;
    begin(key: string, options: never): unknown;
  },
  options?: TieredOptions,
): SharedStore<V>;
export function tiered<V = never>(near: StoreLike<never>, far: StoreLike<never>, options?: TieredOptions): Store<V>;
export function tiered<V>(near: StoreLike<never>, far: StoreLike<V>, options: TieredOptions = {}): Store<V> {
  assertStore('near', near);
  assertStore('far', far as StoreLike<never>);
  const { nearTtl } = options;
  if (nearTtl !== undefined && (typeof nearTtl !== 'number' || !(nearTtl >= 0))) {
    throw new TypeError(`Expected \`nearTtl\` to be a number of milliseconds >= 0, got ${String(nearTtl)}`);
  }
  return isSharedStore(far) ? new TieredSharedStore(near, far, nearTtl) : new TieredStore(near, far, nearTtl);
}
