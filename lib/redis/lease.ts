import { base64url } from '../hashing/bytes.js';
import { startTimer } from '../platform/timer.js';
import { textOf } from './clients/client.js';
import { writeAnnouncement } from './messages.js';
import { writeTags } from './codec.js';
import * as scripts from './scripts.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Timer } from '../platform/timer.js';
import type { Entry, Grant } from '../store/store.js';
import type { Codec } from './codec.js';
import type { Context } from './context.js';
import type { Names } from './keyspace.js';

/*
 * One run between processes. A lease tells who works; a generation tells whose result may be written. They are separate
 * because they fail differently. A lease expires by time, so a holder that is merely slow (a long pause, a blocked event
 * loop) loses it and another process starts. If the write compared the lease's token, as most implementations do, a run
 * that always outlives its lease would never store anything. So the write compares the generation, which a takeover
 * keeps: the first of both results is stored. An invalidation removes the generation, so no run from before it can write.
 *
 * - Gray, Cheriton: Leases, an efficient fault-tolerant mechanism for distributed file cache consistency. SOSP 1989.
 * - Nishtala et al.: Scaling Memcache at Facebook. NSDI 2013 (a lease token that a delete makes void).
 * - Kleppmann: How to do distributed locking. 2016 (why a lock with a timeout needs a fence at the write).
 */

/** How long a lease is renewed, in milliseconds. A longer run that is taken over may be refused. */
const RENEWED_FOR = 60_000;

/** A release is not awaited, so it may take long. */
const RELEASE_TIMEOUT = 10_000;

/** The longest expiry that is passed on, in milliseconds. A value with a longer one has none. */
const LONGEST_EXPIRY = 1e14;

export interface LeaseTerms {
  readonly names: Names;
  readonly sender: string;
  readonly token: string;
  readonly generation: string;
  readonly lease: number;
  /** When it was granted, in microseconds of the server's clock. */
  readonly begun: number;
  readonly timeout: number;
}

/** A granted right to run, renewed until it is used, given back or lost. */
export class Lease<V> implements Grant<V> {
  readonly #context: Context;
  readonly #terms: LeaseTerms;
  readonly #onEnd: () => void;
  readonly #controller = new AbortController();
  readonly #grantedAt = performance.now();
  #timer: Timer;
  #isOver = false;

  constructor(context: Context, terms: LeaseTerms, onEnd: () => void) {
    this.#context = context;
    this.#terms = terms;
    this.#onEnd = onEnd;
    this.#timer = this.#renewLater();
  }

  get lost(): AbortSignalLike {
    return this.#controller.signal;
  }

  get begun(): number {
    return this.#terms.begun;
  }

  async commit(entry: Entry<V>, ttl: number | undefined): Promise<'stored' | 'superseded' | 'refused'> {
    const { runner, keyspace, codec } = this.#context;
    const { names, sender, token, generation, begun, timeout } = this.#terms;
    this.#end();
    let payload: string;
    try {
      payload = encode(codec, entry);
    } catch (error) {
      releaseLease(this.#context, names, token, 'alone');
      throw error;
    }
    const age = String(Math.max(0, Math.round(Date.now() - entry.storedAt)));
    const announcement = writeAnnouncement({ type: 'key', sender, ...names });
    const tagging = entry.tags === undefined ? '' : `${begun} ${writeTags(entry.tags)}`;
    const { channel } = names;
    const args = [generation, token, age, expiryOf(ttl), payload, channel, keyspace.writes, announcement, tagging];
    try {
      const options = { timeout, isRetried: true, bypassBreaker: true };
      const word = await runner.run(scripts.commit, [names.value, names.record], args, options);
      return textOf(word) as 'stored' | 'superseded' | 'refused';
    } catch (error) {
      releaseLease(this.#context, names, token, 'again');
      throw error;
    }
  }

  release(why: 'again' | 'alone'): void {
    if (this.#isOver) return;
    this.#end();
    releaseLease(this.#context, this.#terms.names, this.#terms.token, why);
  }

  /** Asks the server at once whether the generation is still valid. */
  check(): void {
    if (this.#isOver) return;
    this.#timer.stop();
    void this.#renew();
  }

  #renewLater(): Timer {
    return startTimer(this.#terms.lease / 3, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { names, generation, token, lease, timeout } = this.#terms;
    const args = [generation, token, String(lease)];
    const word = await this.#context.runner.run(scripts.renew, [names.value, names.record], args, { timeout }).then(
      textOf,
      // The next renewal asks again. Until then the lease may run out, which costs a second run.
      () => 'unknown',
    );
    if (this.#isOver || word === 'taken') return;
    if (word === 'lost') {
      this.#end();
      this.#controller.abort();
    } else if (performance.now() - this.#grantedAt < RENEWED_FOR) {
      this.#timer.stop();
      this.#timer = this.#renewLater();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#timer.stop();
    this.#onEnd();
  }
}

/** A random string, unique between processes, of characters that have no meaning in a record. */
export function createToken(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(12)));
}

/** Gives a lease back. Not awaited and never retried: where it fails, the lease runs out by itself. */
export function releaseLease({ runner }: Context, names: Names, token: string, why: 'again' | 'alone'): void {
  const args = [token, why, names.channel];
  const options = { timeout: RELEASE_TIMEOUT, bypassBreaker: true };
  runner.run(scripts.release, [names.value, names.record], args, options).catch(() => undefined);
}

/** PX takes a whole number of at least one. */
export function expiryOf(ttl: number | undefined): string {
  return ttl === undefined || !(ttl < LONGEST_EXPIRY) ? '' : String(Math.max(1, Math.ceil(ttl)));
}

function encode(codec: Codec, { stamp: _stamp, tags: _tags, begun: _begun, ...entry }: Entry<unknown>): string {
  const text: unknown = codec.encode(entry);
  if (typeof text === 'string') return text;
  throw new TypeError(`Expected \`codec.encode\` to return a string, got ${typeof text}`);
}
