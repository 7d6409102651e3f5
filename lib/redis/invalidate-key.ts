import { TimeoutError } from '../errors.js';
import { messageOf } from './clients/failure.js';
import { expiryOf } from './lease.js';
import { wakeUpWords, writeAnnouncement } from './messages.js';
import * as scripts from './scripts.js';
import type { Context } from './context.js';
import type { Names } from './keyspace.js';

interface Invalidation {
  readonly names: Names;
  readonly sender: string;
  /** In milliseconds, for all commands together. */
  readonly timeout: number;
}

/** Deletes the value and the record of one key, and announces it. True if there was a value. */
export function invalidateKey(context: Context, invalidation: Invalidation): Promise<boolean> {
  return invalidateBy(context, scripts.invalidate, [], invalidation);
}

/**
 * Ends the `ttl` of the value of one key, deletes the record, and announces it. True if there was a value.
 * @param invalidation `window`: how long the value is of use after that, in milliseconds.
 */
export function expireKey(
  context: Context,
  invalidation: Invalidation & { readonly window: number },
): Promise<boolean> {
  return invalidateBy(context, scripts.expire, [expiryOf(invalidation.window)], invalidation);
}

async function invalidateBy(
  context: Context,
  script: scripts.Script,
  args: readonly string[],
  invalidation: Invalidation,
): Promise<boolean> {
  const { runner, keyspace } = context;
  const { names, sender, timeout } = invalidation;
  const announcement = writeAnnouncement({ type: 'key', sender, ...names });
  const all = [...args, names.channel, keyspace.fences, announcement];
  const startedAt = performance.now();
  const { isCluster, isOrdered } = runner.client;
  // While a slot moves, a cluster refuses scripts on two keys of which one is there. ioredis retries that for long, so
  // some time must be left for the commands below.
  const first = isCluster && isOrdered ? Math.ceil(timeout / 2) : timeout;
  const options = { timeout: first, bypassBreaker: true, isRetried: true, isFinal: isSlotMoving };
  try {
    return Number(await runner.run(script, [names.value, names.record], all, options)) > 0;
  } catch (error) {
    const left = Math.floor(timeout - (performance.now() - startedAt));
    if (!isCluster || left < 1 || !(error instanceof TimeoutError || isSlotMoving(error))) throw error;
    return await unlinkEach(context, { ...invalidation, timeout: left }, announcement);
  }
}

/** One key a command, which a cluster carries out also while the slot moves. An expiry deletes too much then. */
async function unlinkEach(
  { runner, keyspace }: Context,
  { names, timeout }: Invalidation,
  announcement: string,
): Promise<boolean> {
  const options = { timeout, bypassBreaker: true, isRetried: true };
  // The record first: after that no run from before can write a value.
  await runner.send(names.record, ['unlink', names.record], options);
  const removed = Number(await runner.send(names.value, ['unlink', names.value], options));
  await Promise.all([
    runner.publish(names.channel, `${wakeUpWords.void} -`, timeout),
    runner.publish(keyspace.fences, announcement, timeout),
  ]);
  return removed > 0;
}

function isSlotMoving(error: unknown): boolean {
  return /\bTRYAGAIN\b|TryAgain/.test(messageOf(error));
}
