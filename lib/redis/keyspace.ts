import QuickLRU from 'quick-lru';
import { createDigest } from '../hashing/digest.js';
import { escape } from './escape.js';

/** The names of one entry on the server. The hash tag puts them into one cluster slot. */
export interface Names {
  readonly value: string;
  readonly record: string;
  /** The channel on which waiting processes are told that a run is over. */
  readonly channel: string;
  /** The namespace, as it is written in names and announcements. */
  readonly namespace: string;
  /** The key, as it is written in names, announcements and near stores. */
  readonly hash: string;
}

export interface KeyspaceOptions {
  readonly prefix: string;
  /** What the client puts before keys. It does so neither for channels nor for the pattern of SCAN. */
  readonly keyPrefix: string;
  readonly readableKeys: boolean;
}

/** How many keys have their names kept. Building them costs more than a lookup. */
const KEPT_NAMES = 5_000;

/** A readable key longer than this becomes a digest. */
const LONGEST_READABLE = 1_024;

const digest = createDigest();

/** Maps keys to names on the server. No key, name or prefix can reach into another namespace. */
export class Keyspace {
  /** The channel for deletes, clears and refreshes. */
  readonly fences: string;
  /** The channel for writes. */
  readonly writes: string;
  /** The hash of the marks of tags. */
  readonly marks: string;
  readonly #stem: string;
  readonly #channelStem: string;
  readonly #keyPrefix: string;
  readonly #readableKeys: boolean;
  readonly #names = new QuickLRU<string, Names>({ maxSize: KEPT_NAMES });

  constructor({ prefix, keyPrefix, readableKeys }: KeyspaceOptions) {
    this.#stem = `${escape(prefix)}v1:`;
    this.#channelStem = keyPrefix + this.#stem;
    this.#keyPrefix = keyPrefix;
    this.#readableKeys = readableKeys;
    this.fences = `${this.#channelStem}fences`;
    this.marks = `${this.#stem}marks`;
    this.writes = `${this.#channelStem}writes`;
  }

  /** @param key `name|key`, as the store gets it. */
  of(key: string): Names {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const namespace = namespaceOf(key);
    const hash = this.#hash(key);
    const name = `${namespace}:{${hash}}`;
    const value = this.#stem + name;
    const names = { value, record: `${value}:l`, channel: `${this.#channelStem}${name}:c`, namespace, hash };
    this.#names.set(key, names);
    return names;
  }

  /** The namespace of a prefix `name|`. Other prefixes of keys cannot be found behind a digest. */
  namespaceOf(prefix: string): string {
    if (!prefix.endsWith('|') || prefix.indexOf('|') !== prefix.length - 1) {
      throw new TypeError(`Expected the prefix of one name, such as 'getUser|', got ${JSON.stringify(prefix)}`);
    }
    return namespaceOf(prefix);
  }

  /** Patterns for SCAN that match the values, or the flight records, of one namespace and no other name. */
  patternsOf(namespace: string): { readonly values: string; readonly records: string } {
    const values = `${escapeGlob(this.#channelStem)}${namespace}:{*}`;
    return { values, records: `${values}:l` };
  }

  /** A name from SCAN as an argument of a command, to which the client adds its own prefix again. */
  withoutKeyPrefix(name: string): string {
    return name.slice(this.#keyPrefix.length);
  }

  #hash(key: string): string {
    // A digest holds no `=`, so a readable name and a digest never collide.
    const readable = this.#readableKeys ? `=${escape(key.slice(key.indexOf('|') + 1))}` : '';
    return readable !== '' && readable.length <= LONGEST_READABLE ? readable : digest(wellFormed(key));
  }
}

/** A colon ends the namespace, so one inside is encoded: `a` must not reach into `a:b`. */
function namespaceOf(key: string): string {
  const end = key.indexOf('|');
  return end < 0 ? '' : escape(key.slice(0, end)).replaceAll(':', '%3A');
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

function wellFormed(key: string): string {
  return /\p{Cs}/u.test(key) ? `=${escape(key)}` : key;
}
