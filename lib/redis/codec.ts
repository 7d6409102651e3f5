import { isEntry } from '../store/entry.js';
import type { Entry } from '../store/store.js';

/** Entries as text. What `decode` throws on, or what is no entry then, is a miss. */
export interface Codec {
  encode(entry: Entry<unknown>): string;
  decode(text: string): unknown;
}

/** JSON, as it is: dates become strings; maps, sets and class instances are lost; BigInts cannot be written. */
export const jsonCodec: Codec = {
  encode: (entry) => JSON.stringify(entry),
  decode: (text) => JSON.parse(text) as unknown,
};

/** A value as it stands on the server, taken apart: `1 stamp storedAt payload`. */
export interface Frame {
  /** Unique for each commit; holds the generation. */
  readonly stamp: string;
  /** By the server's clock. */
  readonly storedAt: number;
  readonly payload: string;
}

/** `undefined` for what is not of this version; what the scripts take for a frame is one. */
export function parseFrame(text: string): Frame | undefined {
  const header = /^1 ([\w.-]+) (\d+) /.exec(text);
  if (header === null) return undefined;
  return { stamp: header[1]!, storedAt: Number(header[2]), payload: text.slice(header[0].length) };
}

/** The entry of a payload; `undefined` for what the codec cannot read, or reads as something else. */
export function decode(codec: Codec, payload: string): Entry<never> | undefined {
  try {
    const entry = codec.decode(payload);
    return isEntry(entry) ? entry : undefined;
  } catch {
    // Foreign, truncated, or of another codec: a miss, as the contract has it.
    return undefined;
  }
}
