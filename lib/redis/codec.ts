import { escape, unescape } from './escape.js';
import { isEntry } from '../store/entry.js';
import type { Entry } from '../store/store.js';

/**
 * Turns entries into text and back. A text that `decode` throws on, or that gives no entry, is a miss.
 *
 * @example
 * const codec: Codec = { encode: (entry) => superjson.stringify(entry), decode: (text) => superjson.parse(text) };
 */
export interface Codec {
  encode(entry: Entry<unknown>): string;
  decode(text: string): unknown;
}

/** Plain JSON. Dates become strings, maps, sets and class instances are lost, and a BigInt cannot be written. */
export const jsonCodec: Codec = {
  encode: (entry) => JSON.stringify(entry),
  decode: (text) => JSON.parse(text) as unknown,
};

/**
 * The parts of a stored value: `1 stamp storedAt payload`, or where it has tags or was expired
 * `2 stamp storedAt begun expiredAt tags payload`, in which `-` stands for nothing. Times are milliseconds by the server's
 * clock.
 */
export interface Frame {
  /** Unique for each commit. It begins with the generation. */
  readonly stamp: string;
  readonly storedAt: number;
  /** When its `ttl` was ended by `expire`. */
  readonly expiredAt?: number;
  /** When its run began, in microseconds; present where it has tags. */
  readonly begun?: number;
  readonly tags?: readonly string[];
  readonly payload: string;
}

/** `undefined` for a text of another version. Agrees with `stampOf` in the scripts. */
export function parseFrame(text: string): Frame | undefined {
  const header = /^(?:1 ([\w.-]+) (\d+) |2 ([\w.-]+) (\d+) (\d+) (\d+|-) (\S+) )/.exec(text);
  if (header === null) return undefined;
  const payload = text.slice(header[0].length);
  const [, stamp, storedAt, taggedStamp, taggedAt, begun, expiredAt, tags] = header as (string | undefined)[];
  if (stamp !== undefined) return { stamp, storedAt: Number(storedAt), payload };
  return {
    stamp: taggedStamp!,
    storedAt: Number(taggedAt),
    payload,
    ...(expiredAt !== '-' && { expiredAt: Number(expiredAt) }),
    ...(tags !== '-' && { begun: Number(begun), tags: parseTags(tags!) }),
  };
}

/** Tags as one word that is neither empty nor `-`. */
export function writeTags(tags: readonly string[]): string {
  return tags.map(writeTag).join(',');
}

/** One tag as it stands in values, in the names of marks and in messages. */
export function writeTag(tag: string): string {
  return `#${escape(tag).replaceAll(',', '%2C')}`;
}

export function parseTags(text: string): string[] {
  return text.split(',').map((tag) => unescape(tag.slice(1)));
}

/** The entry in a payload. `undefined` where the codec throws or gives no entry. */
export function decode(codec: Codec, payload: string): Entry<never> | undefined {
  try {
    const entry = codec.decode(payload);
    return isEntry(entry) ? entry : undefined;
  } catch {
    // Foreign, truncated or written by another codec: a miss.
    return undefined;
  }
}
