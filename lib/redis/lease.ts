import { base64url } from '../hashing/bytes.js';
import { startTimer } from '../platform/timer.js';
import { textOf } from './commands.js';
import * as scripts from './scripts.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Entry, Grant } from '../store/store.js';
import type { Timer } from '../platform/timer.js';
import type { ServerClock } from './clock.js';
import type { Codec } from './codec.js';
import type { Names, Naming } from './keyspace.js';
import type { Server } from './command-runner.js';
import type { WakeUp } from './pub-sub.js';

/** What the parts of one store share. */
export interface Surroundings {
  readonly server: Server;
  readonly naming: Naming;
  readonly clock: ServerClock;
  readonly wakeUp: WakeUp;
  readonly codec: Codec;
  /** How long a holder may go silent before another takes over, in milliseconds. */
  readonly lease: number;
  /** The longest to wait for another's run, in milliseconds. */
  readonly wait: number;
}

/** How long a lease is renewed; a run that takes longer and loses it may end up refused. */
const RENEWED_FOR = 60_000;

export interface LeaseTerms {
  readonly names: Names;
  readonly sender: string;
  readonly token: string;
  readonly generation: string;
  readonly lease: number;
  readonly timeout: number;
}

/** The right to run. The lease says that nobody else need start, the generation that what comes may be written. */
export class Lease<V> implements Grant<V> {
  readonly #around: Surroundings;
  readonly #terms: LeaseTerms;
  readonly #onOver: () => void;
  readonly #controller = new AbortController();
  readonly #grantedAt = performance.now();
  #timer: Timer;
  #isOver = false;

  constructor(around: Surroundings, terms: LeaseTerms, onOver: () => void) {
    this.#around = around;
    this.#terms = terms;
    this.#onOver = onOver;
    this.#timer = this.#renewLater();
  }

  get lost(): AbortSignalLike {
    return this.#controller.signal;
  }

  async commit(entry: Entry<V>, ttl: number | undefined): Promise<'stored' | 'superseded' | 'refused'> {
    const { server, naming, codec } = this.#around;
    const { names, sender, token, generation, timeout } = this.#terms;
    this.#end();
    let payload: string;
    try {
      payload = encode(codec, entry);
    } catch (error) {
      releaseLease(this.#around, names, token, 'alone');
      throw error;
    }
    const age = String(Math.max(0, Math.round(Date.now() - entry.storedAt)));
    const announcement = `key ${sender} ${names.namespace} ${names.hash}`;
    const args = [generation, token, age, expiryOf(ttl), payload, names.channel, naming.writes, announcement];
    try {
      const options = { timeout, isRetried: true, isUrgent: true };
      const word = await server.run(scripts.commit, [names.value, names.record], args, options);
      return textOf(word) as 'stored' | 'superseded' | 'refused';
    } catch (error) {
      releaseLease(this.#around, names, token, 'again');
      throw error;
    }
  }

  release(why: 'again' | 'alone'): void {
    if (this.#isOver) return;
    this.#end();
    releaseLease(this.#around, this.#terms.names, this.#terms.token, why);
  }

  /** Ask at once whether the generation still stands. */
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
    const word = await this.#around.server.run(scripts.renew, [names.value, names.record], args, { timeout }).then(
      textOf,
      // Whoever does not get through asks again; the lease runs out by itself.
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
    this.#onOver();
  }
}

/** Unique in the world; without characters that mean something in a record. */
export function createToken(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(12)));
}

/** Sent once: where it fails the lease runs out by itself. */
export function releaseLease({ server }: Surroundings, names: Names, token: string, why: 'again' | 'alone'): void {
  const args = [token, why, names.channel];
  server
    .run(scripts.release, [names.value, names.record], args, { timeout: RELEASE_TIMEOUT, isUrgent: true })
    .catch(() => undefined);
}

/** Nobody waits for a release. */
const RELEASE_TIMEOUT = 10_000;

/** The longest expiry that is passed on; beyond that a value has none. */
const LONGEST_EXPIRY = 1e14;

/** PX wants a whole number of at least one. */
function expiryOf(ttl: number | undefined): string {
  return ttl === undefined || !(ttl < LONGEST_EXPIRY) ? '' : String(Math.max(1, Math.ceil(ttl)));
}

function encode(codec: Codec, { stamp: _stamp, ...entry }: Entry<unknown>): string {
  const text: unknown = codec.encode(entry);
  if (typeof text === 'string') return text;
  throw new TypeError(`Expected \`codec.encode\` to return a string, got ${typeof text}`);
}
