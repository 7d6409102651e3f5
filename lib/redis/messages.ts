/**
 * A change, as it is announced to all processes on one of two channels for each prefix. `sender` is the store object that
 * made it.
 * - `key`: an entry was written or deleted. Near stores drop it, and runs that started before a deletion are void.
 * - `run`: a refresh has started. The entry stays, and runs that started before it are void.
 * - `namespace`: all entries of a namespace were deleted.
 */
export type Announcement =
  | { readonly type: 'key'; readonly sender: string; readonly namespace: string; readonly hash: string }
  | { readonly type: 'run'; readonly sender: string; readonly namespace: string; readonly hash: string }
  | { readonly type: 'namespace'; readonly sender: string; readonly namespace: string };

/** No part holds a blank: senders are tokens, and the keyspace encodes the others. */
export function writeAnnouncement(announcement: Announcement): string {
  const { type, sender, namespace } = announcement;
  return type === 'namespace'
    ? `${type} ${sender} ${namespace}`
    : `${type} ${sender} ${namespace} ${announcement.hash}`;
}

/** `undefined` for a message that is not ours. */
export function parseAnnouncement(text: string): Announcement | undefined {
  const [type, sender, namespace, hash] = text.split(' ');
  if (sender === undefined || namespace === undefined) return undefined;
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
