import { parseTags } from './codec.js';

/**
 * A change, as it is announced to all processes on one of two channels for each prefix. `sender` is the store object that
 * made it.
 * - `key`: an entry was written or deleted. Near stores drop it, and runs that started before a deletion are void.
 * - `run`: a refresh has started. The entry stays, and runs that started before it are void.
 * - `namespace`: all entries of a namespace were deleted.
 * - `tags`: tags were invalidated. The script writes this one, for it knows the time.
 */
export type Announcement =
  | { readonly type: 'key'; readonly sender: string; readonly namespace: string; readonly hash: string }
  | { readonly type: 'run'; readonly sender: string; readonly namespace: string; readonly hash: string }
  | { readonly type: 'namespace'; readonly sender: string; readonly namespace: string }
  | {
      readonly type: 'tags';
      readonly sender: string;
      readonly tags: readonly string[];
      readonly isSoft: boolean;
      /** The time of the marks, in microseconds of the server's clock. */
      readonly at: number;
    };

/** No part holds a blank: senders are tokens, and the keyspace encodes the others. */
export function writeAnnouncement(announcement: Exclude<Announcement, { type: 'tags' }>): string {
  const { type, sender, namespace } = announcement;
  return type === 'namespace'
    ? `${type} ${sender} ${namespace}`
    : `${type} ${sender} ${namespace} ${announcement.hash}`;
}

/** `undefined` for a message that is not ours. */
export function parseAnnouncement(text: string): Announcement | undefined {
  const [type, sender, namespace, hash, tags] = text.split(' ');
  if (sender === undefined || namespace === undefined) return undefined;
  if (type === 'tags' && tags !== undefined) {
    return { type, sender, tags: parseTags(tags), isSoft: namespace === 'soft', at: Number(hash) };
  }
  if (type === 'namespace') return { type, sender, namespace };
  if ((type === 'key' || type === 'run') && hash !== undefined) return { type, sender, namespace, hash };
  return undefined;
}

/**
 * Why a waiting process should look again. The scripts send `word token` on the channel of one entry.
 * - `done`: the run was stored. `void`: it was invalidated.
 * - `again`: the lease was given back. `alone`: the run brought nothing, and nothing will come.
 */
export const wakeUpWords = { done: 'done', void: 'void', again: 'again', alone: 'alone' } as const;

export interface WakeUp {
  readonly word: string;
  /** The holder that it is about. */
  readonly token: string | undefined;
}

export function parseWakeUp(text: string): WakeUp {
  const [word = '', token] = text.split(' ');
  return { word, token };
}
