import { textOf } from './clients/client.js';
import { decode, jsonCodec, parseFrame } from './codec.js';
import type { Entry } from '../store/store.js';
import type { Context } from './context.js';

/** What the server answers to a process that asks for the right to run. */
export type Answer<V> =
  | { readonly hit: Entry<V> }
  | Granted
  | { readonly holder: string; readonly remaining: number; readonly failed: string };

export interface Granted {
  readonly generation: string;
  readonly lease: number;
  /** When, in microseconds of the server's clock. */
  readonly begun: number;
}

/** The last moment that `Date` knows. */
const LATEST = 8.64e15;

/**
 * The answer in a reply of `acquire` or `begin`. For a value that cannot be decoded: its stamp, so that the caller can
 * ask again without getting it again.
 */
export function readAnswer<V>(context: Context, reply: unknown, sentAt: number): Answer<V> | string {
  const [time, kind, first, second, third] = (reply as readonly unknown[]).map(textOf);
  context.clock.learn(Number(time), sentAt);
  if (kind === 'grant') return { generation: first!, lease: Number(second), begun: Number(third) };
  if (kind === 'wait') return { holder: first!, remaining: Number(second), failed: third! };
  const entry = entryOf<V>(context, first!);
  return entry === undefined ? parseFrame(first!)!.stamp : { hit: entry };
}

/** The entry in a stored text, with its times by the clock of this process. `undefined` for any other text. */
export function entryOf<V>({ clock, codec }: Context, text: string): Entry<V> | undefined {
  const frame = parseFrame(text);
  const decoded = frame && decode(codec, frame.payload);
  // No server writes a moment that `Date` does not know.
  if (decoded === undefined || !(frame!.storedAt < LATEST)) return undefined;
  // What other codecs return may be shared or frozen. A copy takes 8 % of a hit.
  const entry: { -readonly [K in keyof Entry<V>]: Entry<V>[K] } = codec === jsonCodec ? decoded : { ...decoded };
  const storedAt = clock.toLocal(frame!.storedAt);
  if (entry.freshUntil !== undefined) entry.freshUntil += storedAt - entry.storedAt;
  const { expiredAt, begun, tags } = frame!;
  if (expiredAt !== undefined) entry.freshUntil = Math.min(entry.freshUntil ?? Infinity, clock.toLocalPast(expiredAt));
  if (tags !== undefined) Object.assign(entry, { tags, begun });
  entry.storedAt = storedAt;
  entry.stamp = frame!.stamp;
  return entry;
}
