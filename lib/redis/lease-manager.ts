import { TimeoutError } from '../errors.js';
import { decode, parseFrame } from './codec.js';
import { textOf } from './commands.js';
import { createToken, Lease, releaseLease } from './lease.js';
import * as scripts from './scripts.js';
import { waitForRun } from './wait-for-holder.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Acquired, Entry, Grant } from '../store/store.js';
import type { Surroundings } from './lease.js';
import type { Names } from './keyspace.js';

/** What the server says to somebody who asks for the right to run. */
export type Answer<V> =
  | { readonly hit: Entry<V> }
  | { readonly generation: string; readonly lease: number }
  | { readonly holder: string; readonly remaining: number; readonly failed: string };

/** The last moment that `Date` knows. */
const LATEST = 8.64e15;

/** Asks for leases, and keeps those that were granted. */
export class Leases<V> {
  readonly #around: Surroundings;
  readonly #held = new Map<string, Set<Lease<V>>>();
  /** Who makes changes through this process: it need not be told. */
  readonly #own = new Set<string>();
  #hearsFences = false;

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
  }

  /** What `sender` does in this process is known here. */
  own(sender: string): void {
    this.#own.add(sender);
  }

  /** @param sender Who is to be named in announcements. */
  async acquire(
    key: string,
    sender: string,
    { seen, timeout }: { readonly seen?: Entry<V> | undefined; readonly timeout: number },
  ): Promise<Acquired<V>> {
    const names = this.#around.naming.of(key);
    const token = createToken();
    const ask = (): Promise<Answer<V>> => this.#ask(names, token, seen?.stamp ?? '', timeout);
    const accept = (answer: Answer<V>): Exclude<Acquired<V>, { wait: unknown }> | undefined => {
      if ('hit' in answer) return answer;
      if ('generation' in answer) return { grant: this.#hold(names, sender, token, answer, timeout) };
      return undefined;
    };
    const answer = await ask();
    if (!('holder' in answer)) return accept(answer)!;
    return {
      wait: async (signal: AbortSignalLike) => {
        const { wakeUp, wait } = this.#around;
        this.#listenForFences();
        const outcome = await waitForRun({ first: answer, ask, wakeUp, channel: names.channel, limit: wait, signal });
        return 'alone' in outcome ? outcome : accept(outcome)!;
      },
    };
  }

  /** A grant in any case; runs that started before are refused from now on. */
  async begin(
    key: string,
    sender: string,
    { drop, timeout }: { readonly drop: boolean; readonly timeout: number },
  ): Promise<Grant<V>> {
    const { server, naming, lease } = this.#around;
    const names = naming.of(key);
    const token = createToken();
    const announcement = `${drop ? 'key' : 'run'} ${sender} ${names.namespace} ${names.hash}`;
    const args = [
      token,
      String(lease),
      drop ? 'drop' : 'keep',
      createToken(),
      names.channel,
      naming.fences,
      announcement,
    ];
    const giveBack = (): void => this.#giveBack(names, token);
    const options = { timeout, isRetried: true, isUrgent: drop, late: giveBack };
    const sentAt = performance.now();
    try {
      const reply = await server.run(scripts.begin, [names.value, names.record], args, options);
      const answer = this.#read(reply, sentAt);
      this.check(names.namespace, names.hash);
      return this.#hold(names, sender, token, answer as Extract<Answer<V>, { generation: string }>, timeout);
    } catch (error) {
      if (error instanceof TimeoutError) giveBack();
      throw error;
    }
  }

  /** Somebody has fenced a key, or a whole namespace: what runs here may be void. */
  check(namespace: string, hash: string | undefined): void {
    for (const [name, leases] of this.#held) {
      if (!isNamed(name, namespace, hash)) continue;
      for (const lease of [...leases]) lease.check();
    }
  }

  /** Once there is a connection for messages, a fence in another process is known at once; else at the next renewal. */
  #listenForFences(): void {
    if (this.#hearsFences) return;
    this.#hearsFences = true;
    const { wakeUp, naming } = this.#around;
    const message = (_channel: string, text: string): void => {
      const [, sender, namespace, hash] = text.split(' ');
      if (sender !== undefined && namespace !== undefined && !this.#own.has(sender)) this.check(namespace, hash);
    };
    wakeUp.listen([naming.fences], { message }, false);
  }

  async #ask(names: Names, token: string, seen: string, timeout: number): Promise<Answer<V>> {
    const { server, lease } = this.#around;
    const giveBack = (): void => this.#giveBack(names, token);
    // Where commands may overtake each other, giving back must wait for what it undoes.
    const options = { timeout, isRetried: true, ...(server.commands.isOrdered ? undefined : { late: giveBack }) };
    const sentAt = performance.now();
    try {
      const args = [token, String(lease), seen, createToken()];
      const reply = await server.run(scripts.acquire, [names.value, names.record], args, options);
      const answer = this.#read(reply, sentAt);
      if (typeof answer !== 'string') return answer;
      return await this.#ask(names, token, answer, timeout);
    } catch (error) {
      // Otherwise a lease may stay behind that nobody holds.
      if (error instanceof TimeoutError) giveBack();
      throw error;
    }
  }

  /** The answer in a reply; the stamp of a value that nobody here can read. */
  #read(reply: unknown, sentAt: number): Answer<V> | string {
    const [time, kind, first, second, third] = (reply as readonly unknown[]).map(textOf);
    this.#around.clock.learn(Number(time), sentAt);
    if (kind === 'grant') return { generation: first!, lease: Number(second) };
    if (kind === 'wait') return { holder: first!, remaining: Number(second), failed: third! };
    const entry = this.entryOf(first!);
    return entry === undefined ? parseFrame(first!)!.stamp : { hit: entry };
  }

  /** The entry in a stored text, with its times as this process would have written them. */
  entryOf(text: string): Entry<V> | undefined {
    const { clock, codec } = this.#around;
    const frame = parseFrame(text);
    const entry = frame && decode(codec, frame.payload);
    // A moment beyond all dates would come from no server.
    if (entry === undefined || !(frame!.storedAt < LATEST)) return undefined;
    const storedAt = clock.toLocal(frame!.storedAt);
    const { freshUntil } = entry;
    return freshUntil === undefined
      ? { ...entry, storedAt, stamp: frame!.stamp }
      : { ...entry, storedAt, freshUntil: storedAt + freshUntil - entry.storedAt, stamp: frame!.stamp };
  }

  #giveBack(names: Names, token: string): void {
    releaseLease(this.#around, names, token, 'again');
  }

  #hold(
    names: Names,
    sender: string,
    token: string,
    { generation, lease }: { readonly generation: string; readonly lease: number },
    timeout: number,
  ): Lease<V> {
    const name = nameOf(names);
    const end = (): void => {
      const leases = this.#held.get(name);
      if (leases?.delete(held) === true && leases.size === 0) this.#held.delete(name);
    };
    const held: Lease<V> = new Lease(this.#around, { names, sender, token, generation, lease, timeout }, end);
    const leases = this.#held.get(name);
    if (leases === undefined) this.#held.set(name, new Set([held]));
    else leases.add(held);
    return held;
  }
}

function nameOf({ namespace, hash }: Names): string {
  return `${namespace} ${hash}`;
}

function isNamed(name: string, namespace: string, hash: string | undefined): boolean {
  return hash === undefined ? name.startsWith(`${namespace} `) : name === `${namespace} ${hash}`;
}
