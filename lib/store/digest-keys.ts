import { createDigest } from '../hashing/digest.js';
import { Deadlines } from './deadline.js';
import { canDeleteByPrefix, deleteByPrefix } from './delete-by-prefix.js';
import { assertStore, isSharedStore, removeFrom, takesTtl } from './store-like.js';
import type { StoreLike } from './store-like.js';
import type { Entry, Store } from './store.js';

/** Digits of the name. It only tells the wrappers of one store apart. */
const NAME_DIGITS = 24;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** How long one operation may take where no limit is given, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/**
 * The same store under keys that every store takes: 88 digits and letters from a to f, made from the name of the wrapper and
 * the key of the call. For stores that compare keys without case, accents or blanks (Keyv on MySQL), drop a part of them
 * (unstorage), refuse long ones (memcached) or cut them.
 *
 * The keys in the store can no longer be read by people. `clear` works where it works without.
 *
 * @throws {TypeError} at once, for what is no store, and for a `redisStore`, which digests keys itself.
 * @example
 * const cache = digestKeys(new Keyv(new KeyvMysql('mysql://localhost/cache')));
 */
export function digestKeys<V = never>(store: StoreLike<V>): Store<V> {
  assertStore('store', store);
  if (isSharedStore(store)) {
    throw new TypeError('Expected `store` to be a store that keeps keys as they are, got one that digests them itself');
  }
  return new DigestedStore(store);
}

class DigestedStore<V> implements Store<V> {
  readonly takesTtl: boolean;
  /** `get` passes the limit of its caller on. */
  readonly keepsDeadlines: boolean;
  /** Absent where the store can neither list nor delete by prefix. */
  readonly deleteByPrefix?: (prefix: string, timeout?: number) => Promise<void>;
  readonly #store: StoreLike<V>;
  readonly #digest = createDigest();
  /** A miss needs its key twice. */
  #last: { readonly name: string; readonly digest: string } | undefined;

  constructor(store: StoreLike<V>) {
    this.#store = store;
    this.takesTtl = takesTtl(store);
    this.keepsDeadlines = (store as { readonly keepsDeadlines?: unknown }).keepsDeadlines === true;
    if (!canDeleteByPrefix(store)) return;
    this.deleteByPrefix = (prefix, timeout = DEFAULT_TIMEOUT) => {
      if (prefix.indexOf('|') !== prefix.length - 1) {
        return Promise.reject(
          new TypeError(`Expected the prefix to be a name and \`|\`, got ${JSON.stringify(prefix)}`),
        );
      }
      return deleteByPrefix(store, this.#nameDigits(prefix), new Deadlines(timeout));
    };
  }

  get(key: string, timeout?: number): Entry<V> | undefined | PromiseLike<Entry<V> | undefined> {
    const name = this.#nameOf(key);
    const found = this.keepsDeadlines ? (this.#store as TimedStore).get(name, timeout) : this.#store.get(name);
    return found as Entry<V> | undefined;
  }

  set(key: string, entry: Entry<V>, ttl?: number): unknown {
    const name = this.#nameOf(key);
    return this.takesTtl ? (this.#store as Store<V>).set(name, entry, ttl) : this.#store.set(name, entry);
  }

  delete(key: string): unknown {
    return removeFrom(this.#store, this.#nameOf(key));
  }

  #nameOf(key: string): string {
    if (this.#last?.name !== key) {
      const digest = this.#nameDigits(key.slice(0, key.indexOf('|') + 1)) + toHex(this.#digest(key));
      this.#last = { name: key, digest };
    }
    return this.#last.digest;
  }

  #nameDigits(prefix: string): string {
    return toHex(this.#digest(prefix)).slice(0, NAME_DIGITS);
  }
}

interface TimedStore {
  get(key: string, timeout: number | undefined): unknown;
}

/** 43 characters of base64url as 64 hexadecimal digits, which no store compares more coarsely. */
function toHex(digest: string): string {
  let hex = '';
  let bits = 0;
  let held = 0;
  for (const character of digest) {
    held = (held << 6) | alphabet.indexOf(character);
    bits += 6;
    while (bits >= 4) {
      bits -= 4;
      hex += ((held >> bits) & 15).toString(16);
    }
    held &= (1 << bits) - 1;
  }
  return hex;
}
