import { TimeoutError } from '../errors.js';
import { readAnswer } from './answer.js';
import { isOutOfMemory } from './clients/failure.js';
import { expireKey, invalidateKey } from './invalidate-key.js';
import { createToken, Lease, releaseLease } from './lease.js';
import { parseAnnouncement, writeAnnouncement } from './messages.js';
import * as scripts from './scripts.js';
import { waitForHolder } from './wait-for-holder.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Acquired, AcquireOptions, BeginOptions, Grant } from '../store/store.js';
import type { Answer, Granted } from './answer.js';
import type { Context } from './context.js';
import type { Names } from './keyspace.js';

/** Asks the server for leases, and keeps track of the granted ones. */
export class LeaseManager<V> {
  readonly #context: Context;
  readonly #held = new Map<string, Set<Lease<V>>>();
  /** The senders of this process. Their changes reach `check` directly. */
  readonly #ownSenders = new Set<string>();
  #hearsFences = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Announcements of `sender` are ignored from now on. */
  addSender(sender: string): void {
    this.#ownSenders.add(sender);
  }

  /** @param sender The name to use in announcements. */
  async acquire(
    key: string,
    sender: string,
    { seen, timeout, isTagged = false }: AcquireOptions<V>,
  ): Promise<Acquired<V>> {
    if (isTagged) await this.#context.marks.prepare(timeout);
    const names = this.#context.keyspace.of(key);
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
        const { subscriptions, wait } = this.#context;
        this.#listenForFences();
        const outcome = await waitForHolder({
          first: answer,
          ask,
          subscriptions,
          channel: names.channel,
          limit: wait,
          signal,
        });
        return 'unleased' in outcome ? outcome : accept(outcome)!;
      },
    };
  }

  /** Always grants. Runs that started before are refused from now on. */
  async begin(key: string, sender: string, { drop, timeout, isTagged = false }: BeginOptions): Promise<Grant<V>> {
    if (isTagged) await this.#context.marks.prepare(timeout);
    const { runner, keyspace, lease } = this.#context;
    const names = keyspace.of(key);
    const token = createToken();
    const announcement = writeAnnouncement({ type: drop ? 'key' : 'run', sender, ...names });
    const mode = drop ? 'drop' : 'keep';
    const args = [token, String(lease), mode, createToken(), names.channel, keyspace.fences, announcement];
    const giveBack = (): void => this.#giveBack(names, token);
    const options = { timeout, isRetried: true, bypassBreaker: drop, late: giveBack };
    const sentAt = performance.now();
    try {
      const reply = await runner.run(scripts.begin, [names.value, names.record], args, options);
      const answer = readAnswer<V>(this.#context, reply, sentAt);
      this.check(names.namespace, names.hash);
      return this.#hold(names, sender, token, answer as Granted, timeout);
    } catch (error) {
      if (error instanceof TimeoutError) giveBack();
      // The server has refused older runs, and keeps the value until there is another.
      if (!drop && isOutOfMemory(error))
        return new MemorylessGrant(() => this.invalidate(names, sender, timeout), error);
      throw error;
    }
  }

  /** Deletes the value and makes every run from before void. True if there was a value. */
  async invalidate(names: Names, sender: string, timeout: number): Promise<boolean> {
    const removed = await invalidateKey(this.#context, { names, sender, timeout });
    this.check(names.namespace, names.hash);
    return removed;
  }

  /** Ends the `ttl` of the value and makes every run from before void. True if there was a value. */
  async expire(
    names: Names,
    sender: string,
    { window, timeout }: { readonly window: number; readonly timeout: number },
  ): Promise<boolean> {
    const found = await expireKey(this.#context, { names, sender, timeout, window });
    this.check(names.namespace, names.hash);
    return found;
  }

  /** A key, or a whole namespace, was invalidated: asks whether the leases held here are still valid. */
  check(namespace: string, hash: string | undefined): void {
    for (const [name, leases] of this.#held) {
      if (!isNamed(name, namespace, hash)) continue;
      for (const lease of [...leases]) lease.check();
    }
  }

  /** With a connection for messages, an invalidation in another process is known at once. Else at the next renewal. */
  #listenForFences(): void {
    if (this.#hearsFences) return;
    this.#hearsFences = true;
    const { subscriptions, keyspace } = this.#context;
    const message = (_channel: string, text: string): void => {
      const announcement = parseAnnouncement(text);
      if (announcement === undefined || this.#ownSenders.has(announcement.sender)) return;
      // An invalidated tag concerns results, and these are judged when they are read.
      if (announcement.type === 'tags') return;
      this.check(announcement.namespace, announcement.type === 'namespace' ? undefined : announcement.hash);
    };
    subscriptions.listen([keyspace.fences], { message }, { isWatched: false });
  }

  async #ask(names: Names, token: string, seen: string, timeout: number): Promise<Answer<V>> {
    const { runner, lease } = this.#context;
    const giveBack = (): void => this.#giveBack(names, token);
    // Where commands may overtake each other, the release must follow the reply to what it undoes.
    const options = { timeout, isRetried: true, ...(runner.client.isOrdered ? undefined : { late: giveBack }) };
    const sentAt = performance.now();
    try {
      const args = [token, String(lease), seen, createToken()];
      const reply = await runner.run(scripts.acquire, [names.value, names.record], args, options);
      const answer = readAnswer<V>(this.#context, reply, sentAt);
      if (typeof answer === 'string') return await this.#ask(names, token, answer, timeout);
      if (!('hit' in answer) || answer.hit.tags === undefined) return answer;
      const { marks } = this.#context;
      const hit = await marks.judge(answer.hit, marks.look(timeout), timeout);
      return hit === undefined ? await this.#ask(names, token, answer.hit.stamp!, timeout) : { hit };
    } catch (error) {
      // The command may have been executed: without a release, a lease would stay that no process holds.
      if (error instanceof TimeoutError) giveBack();
      throw error;
    }
  }

  #giveBack(names: Names, token: string): void {
    releaseLease(this.#context, names, token, 'again');
  }

  #hold(names: Names, sender: string, token: string, granted: Granted, timeout: number): Lease<V> {
    const name = nameOf(names);
    const onEnd = (): void => {
      const leases = this.#held.get(name);
      if (leases?.delete(held) === true && leases.size === 0) this.#held.delete(name);
    };
    const held: Lease<V> = new Lease(this.#context, { names, sender, token, ...granted, timeout }, onEnd);
    const leases = this.#held.get(name);
    if (leases === undefined) this.#held.set(name, new Set([held]));
    else leases.add(held);
    return held;
  }
}

/** Of a server that has no memory for a record: the result is not stored, and the value that it replaces is deleted. */
class MemorylessGrant<V> implements Grant<V> {
  readonly lost: AbortSignalLike = new AbortController().signal;
  readonly #invalidate: () => Promise<unknown>;
  readonly #reason: unknown;

  constructor(invalidate: () => Promise<unknown>, reason: unknown) {
    this.#invalidate = invalidate;
    this.#reason = reason;
  }

  async commit(): Promise<never> {
    await this.#invalidate();
    throw this.#reason;
  }

  release(): void {
    // The server holds nothing for it.
  }
}

function nameOf({ namespace, hash }: Names): string {
  return `${namespace} ${hash}`;
}

function isNamed(name: string, namespace: string, hash: string | undefined): boolean {
  return hash === undefined ? name.startsWith(`${namespace} `) : name === `${namespace} ${hash}`;
}
