import QuickLRU from 'quick-lru';
import { createDigest } from '../hashing/digest.js';

/** What one entry is called on the server. All of it lies in one cluster slot, by the hash tag. */
export interface Names {
  readonly value: string;
  readonly record: string;
  /** Where those who wait for a run listen. */
  readonly channel: string;
  /** The namespace, as it stands in names and announcements. */
  readonly namespace: string;
  /** Stands for the key in announcements and in near stores. */
  readonly hash: string;
}

export interface NamingOptions {
  readonly prefix: string;
  /** What the client itself puts before keys, but not before channels nor into what SCAN matches. */
  readonly keyPrefix: string;
  readonly readableKeys: boolean;
}

/** How many keys' names are kept: building them costs more than a lookup. */
const KEPT_NAMES = 5_000;

/** A readable key longer than this becomes a digest. */
const LONGEST_READABLE = 1_024;

const digest = createDigest();

/** Keys → names on the server, such that no key, name or prefix can reach another namespace. */
export class Naming {
  /** Where deletes, clears and refreshes are announced. */
  readonly fences: string;
  /** Where writes are announced. */
  readonly writes: string;
  readonly #stem: string;
  readonly #channelStem: string;
  readonly #keyPrefix: string;
  readonly #readableKeys: boolean;
  readonly #known = new QuickLRU<string, Names>({ maxSize: KEPT_NAMES });

  constructor({ prefix, keyPrefix, readableKeys }: NamingOptions) {
    this.#stem = `${escape(prefix)}v1:`;
    this.#channelStem = keyPrefix + this.#stem;
    this.#keyPrefix = keyPrefix;
    this.#readableKeys = readableKeys;
    this.fences = `${this.#channelStem}fences`;
    this.writes = `${this.#channelStem}writes`;
  }

  /** @param key `name|key`, as the store is given it. */
  of(key: string): Names {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const namespace = namespaceOf(key);
    const hash = this.#hash(key);
    const name = `${namespace}:{${hash}}`;
    const value = this.#stem + name;
    const names = { value, record: `${value}:l`, channel: `${this.#channelStem}${name}:c`, namespace, hash };
    this.#known.set(key, names);
    return names;
  }

  /** The namespace of a prefix `name|`; others cannot be found again behind a digest. */
  namespaceOf(prefix: string): string {
    if (!prefix.endsWith('|') || prefix.indexOf('|') !== prefix.length - 1) {
      throw new TypeError(`Expected the prefix of one name, such as 'getUser|', got ${JSON.stringify(prefix)}`);
    }
    return namespaceOf(prefix);
  }

  /** Patterns for SCAN that match the values, or the flight records, of one namespace and nothing else. */
  patternsOf(namespace: string): { readonly values: string; readonly records: string } {
    const values = `${escapeGlob(this.#channelStem)}${namespace}:{*}`;
    return { values, records: `${values}:l` };
  }

  /** A name as SCAN gives it, as commands want it: the client will put its own prefix there again. */
  withoutKeyPrefix(name: string): string {
    return name.slice(this.#keyPrefix.length);
  }

  #hash(key: string): string {
    // `=` is no character of a digest, so the two kinds cannot meet.
    const readable = this.#readableKeys ? `=${escape(key.slice(key.indexOf('|') + 1))}` : '';
    return readable !== '' && readable.length <= LONGEST_READABLE ? readable : digest(wellFormed(key));
  }
}

/** A colon would end the namespace: `a` must not reach into `a:b`. */
function namespaceOf(key: string): string {
  const end = key.indexOf('|');
  return end < 0 ? '' : escape(key.slice(0, end)).replaceAll(':', '%3A');
}

/** Percent-encodes what means something to Redis or to our own names, and what UTF-8 cannot hold. */
function escape(text: string): string {
  return text.replace(/[%{}*?[\]\\^\s\p{Cc}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16).toUpperCase();
    return `%${code.length > 2 ? `u${code}` : code.padStart(2, '0')}`;
  });
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

function wellFormed(key: string): string {
  return /\p{Cs}/u.test(key) ? `=${escape(key)}` : key;
}
