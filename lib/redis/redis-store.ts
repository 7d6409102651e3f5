import { entryOf } from './answer.js';
import { clearNamespace } from './clear-namespace.js';
import { connectionOf } from './connection.js';
import { textOf } from './clients/client.js';
import { Keyspace } from './keyspace.js';
import { LeaseManager } from './lease-manager.js';
import { createToken } from './lease.js';
import { parseAnnouncement } from './messages.js';
import { resolveRedisOptions } from './options.js';
import { SharedMarks } from './shared-marks.js';
import type {
  Acquired,
  AcquireOptions,
  AnnouncingStore,
  BeginOptions,
  Change,
  Entry,
  Grant,
  WatchedStore,
} from '../store/store.js';
import type { RedisClient } from './clients/detect-client.js';
import type { Context } from './context.js';
import type { RedisStoreOptions } from './options.js';
import type { Subscription } from './pub-sub.js';

/** `{ [Symbol.asyncDispose](): Promise<void> }` where the compiler knows the symbol. */
export type AsyncDispose = SymbolConstructor extends { readonly asyncDispose: infer S extends symbol }
  ? { readonly [K in S]: () => Promise<void> }
  : unknown;

/** A store on Redis or Valkey, for any number of wrappers or for `tiered`. */
export type RedisStore<V = never> = AnnouncingStore<V> &
  AsyncDispose & {
    /** Closes the connection that the store has opened. Clients that were given stay open. */
    close(): Promise<void>;
  };

/** The timeout of an operation that is given none, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/**
 * A store that processes share. A run in one process serves all: the others wait for its result. This is for efficiency
 * and is no mutual exclusion: after a fault a second run may happen. A run that started before a `delete`, `expire`,
 * `clear`, `prime` or `refresh` is never written after it.
 *
 * @param client A client of ioredis, iovalkey or node-redis (single, pool, cluster or Sentinel), or a function that sends one
 *   command.
 * @throws {TypeError} at once, for anything that is no client, an unknown option or one of the wrong kind.
 * @example
 * const getUser = memoizeAsync(loadUser, { name: 'getUser', ttl: 60_000, cache: redisStore(new Redis()) });
 */
export function redisStore<V = never>(client: RedisClient, options: RedisStoreOptions = {}): RedisStore<V> {
  const { prefix, lease, wait, codec, subscriber, readableKeys } = resolveRedisOptions(options);
  const connection = connectionOf(client, subscriber);
  const keyspace = new Keyspace({ prefix, keyPrefix: connection.runner.client.keyPrefix, readableKeys });
  const context: Context = {
    ...connection,
    keyspace,
    marks: new SharedMarks(connection.runner, keyspace, connection.clock),
    codec,
    lease,
    wait,
  };
  const store = new SharedRedis<V>(context, new LeaseManager<V>(context));
  // Older compilers and runtimes do not know the symbol.
  const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
  if (asyncDispose !== undefined) {
    Object.defineProperty(store, asyncDispose, { value: () => store.close() });
  }
  return store as unknown as RedisStore<V>;
}

class SharedRedis<V> implements AnnouncingStore<V>, WatchedStore<V> {
  readonly #context: Context;
  readonly #leases: LeaseManager<V>;
  /** The name of this object in announcements. */
  readonly #sender = createToken();
  readonly #onUse: (() => void) | undefined;
  /** Namespaces whose entries have tags. */
  readonly #tagged = new Set<string>();

  /** @param onUse Called before every operation. */
  constructor(context: Context, leases: LeaseManager<V>, onUse?: (sender: string) => void) {
    this.#context = context;
    this.#leases = leases;
    leases.addSender(this.#sender);
    this.#onUse = onUse && (() => onUse(this.#sender));
  }

  get(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<Entry<V> | undefined> {
    this.#onUse?.();
    const { reads, keyspace, clock } = this.#context;
    const { value, namespace } = keyspace.of(key);
    const isTagged = this.#tagged.size !== 0 && this.#tagged.has(namespace);
    const read = isTagged ? this.#readBeside(this.#context.marks.look(timeout)) : this.#read;
    return clock.isDue ? this.#getWithTime(value, timeout, read) : reads.get(value, timeout, read);
  }

  async set(key: string, entry: Entry<V>, ttl?: number, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
    const grant = await this.begin(key, { drop: true, timeout });
    await grant.commit(entry, ttl);
  }

  delete(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<boolean> {
    this.#onUse?.();
    return this.#leases.invalidate(this.#context.keyspace.of(key), this.#sender, timeout);
  }

  expire(key: string, options: { readonly window: number; readonly timeout: number }): Promise<boolean> {
    this.#onUse?.();
    return this.#leases.expire(this.#context.keyspace.of(key), this.#sender, options);
  }

  /** @param prefix `name|`: all entries of one name. */
  async deleteByPrefix(prefix: string, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
    this.#onUse?.();
    const namespace = this.#context.keyspace.namespaceOf(prefix);
    await clearNamespace(this.#context, { namespace, sender: this.#sender, timeout });
    this.#leases.check(namespace, undefined);
  }

  acquire(key: string, options: AcquireOptions<V>): Promise<Acquired<V>> {
    this.#onUse?.();
    if (options.isTagged === true) this.#tagged.add(this.#context.keyspace.of(key).namespace);
    return this.#leases.acquire(key, this.#sender, options);
  }

  begin(key: string, options: BeginOptions): Promise<Grant<V>> {
    this.#onUse?.();
    return this.#leases.begin(key, this.#sender, options);
  }

  invalidateTags(
    tags: readonly string[],
    options: { readonly isSoft: boolean; readonly timeout: number },
  ): Promise<number> {
    this.#onUse?.();
    return this.#context.marks.invalidate(tags, this.#sender, options);
  }

  watch(listener: (change: Change) => void): WatchedStore<V> | undefined {
    const { keyspace, subscriptions } = this.#context;
    if (!subscriptions.isPossible) return undefined;
    let subscription: Subscription | undefined;
    return new SharedRedis(this.#context, this.#leases, (ownSender) => {
      subscription ??= subscriptions.listen(
        [keyspace.fences, keyspace.writes],
        {
          message: (_channel, text) => {
            const announcement = parseAnnouncement(text);
            // The entry of a `run` stays.
            if (announcement === undefined || announcement.type === 'run') return;
            // Marks of this process change nothing, unless the server has made them after this process gave up.
            if (announcement.sender !== ownSender || announcement.type === 'tags') listener(announcement);
          },
          confirmed: () => {
            if (subscription?.isConfirmed === true) listener({ type: 'back' });
          },
          lost: () => listener({ type: 'lost' }),
          refused: (error) => listener({ type: 'lost', error }),
        },
        { isWatched: true },
      );
    });
  }

  announcedAs(key: string): { readonly namespace: string; readonly hash: string } {
    return this.#context.keyspace.of(key);
  }

  close(): Promise<void> {
    this.#context.subscriptions.close();
    return Promise.resolve();
  }

  /** The first hit of a process, and one now and then, also asks for the server's time. */
  async #getWithTime(name: string, timeout: number, read: Read<V>): Promise<Entry<V> | undefined> {
    const { runner, clock } = this.#context;
    const startedAt = performance.now();
    const text = await runner.send(name, ['get', name], { timeout });
    if (text === null || text === undefined) return undefined;
    const sentAt = performance.now();
    // The caller waits for both, so both have one timeout.
    const left = Math.max(1, Math.ceil(timeout - (sentAt - startedAt)));
    const learned = runner.send(name, ['time'], { timeout: left }).then((time) => {
      const [seconds, micros] = (time as readonly unknown[]).map(Number);
      clock.learn(seconds! * 1_000 + Math.floor(micros! / 1_000), sentAt);
    });
    if (clock.isKnown) learned.catch(() => undefined);
    else await learned;
    return read(text, left);
  }

  readonly #read: Read<V> = (reply, timeout) => {
    const entry = this.#entryOf(reply);
    if (entry?.tags === undefined) return entry;
    const { marks } = this.#context;
    return marks.judge(entry, marks.look(timeout), timeout);
  };

  /** Reads an entry while the marks of tags are looked at. */
  #readBeside(looked: ReturnType<SharedMarks['look']>): Read<V> {
    return (reply, timeout) => {
      const entry = this.#entryOf(reply);
      return entry?.tags === undefined ? entry : this.#context.marks.judge(entry, looked, timeout);
    };
  }

  /** A value that cannot be decoded is returned as it is. The caller reports it and treats it as a miss. */
  #entryOf(reply: unknown): Entry<V> | undefined {
    if (reply === null || reply === undefined) return undefined;
    const text = textOf(reply);
    return entryOf<V>(this.#context, text) ?? (text as unknown as Entry<V>);
  }
}

/** @param timeout Of what must be asked beside, in milliseconds. */
type Read<V> = (reply: unknown, timeout: number) => Entry<V> | undefined | Promise<Entry<V> | undefined>;
