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

/** The parts of a stored value: `1 stamp storedAt payload`. */
export interface Frame {
  /** Unique for each commit. It begins with the generation. */
  readonly stamp: string;
  /** By the server's clock. */
  readonly storedAt: number;
  readonly payload: string;
}

/** `undefined` for a text of another version. Agrees with `stampOf` in the scripts. */
export function parseFrame(text: string): Frame | undefined {
  const header = /^1 ([\w.-]+) (\d+) /.exec(text);
  if (header === null) return undefined;
  return { stamp: header[1]!, storedAt: Number(header[2]), payload: text.slice(header[0].length) };
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
