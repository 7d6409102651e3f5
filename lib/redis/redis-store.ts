import { ServerClock } from './clock.js';
import { commandsOf, textOf } from './commands.js';
import { createToken } from './lease.js';
import { Leases } from './lease-manager.js';
import { Naming } from './keyspace.js';
import { resolveRedisOptions } from './options.js';
import * as scripts from './scripts.js';
import { Server } from './command-runner.js';
import { WakeUp } from './pub-sub.js';
import type { Acquired, AnnouncingStore, Change, Entry, Grant, WatchedStore } from '../store/store.js';
import type { RedisClient } from './commands.js';
import type { Surroundings } from './lease.js';
import type { RedisStoreOptions } from './options.js';
import type { Listening } from './pub-sub.js';

/** `{ [Symbol.asyncDispose](): Promise<void> }` where the compiler knows the symbol. */
export type AsyncDispose = SymbolConstructor extends { readonly asyncDispose: infer S extends symbol }
  ? { readonly [K in S]: () => Promise<void> }
  : unknown;

/** A store on Redis or Valkey. Give it to any number of wrappers, or to `tiered`. */
export type RedisStore<V = never> = AnnouncingStore<V> &
  AsyncDispose & {
    /** Closes what the store has opened itself, and nothing that was given. */
    close(): Promise<void>;
  };

/** How long an operation may take where nobody says, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/** How many names one step of a SCAN looks at. */
const SCAN_COUNT = '1000';

/**
 * A store that processes share. A run in one of them is a run for all: the others wait for its result. That is efficiency,
 * not mutual exclusion: after a fault a second run may happen, but what was called for before a `delete`, `clear`,
 * `prime` or `refresh` is never written after it.
 *
 * @param client ioredis, iovalkey, node-redis (client, pool or cluster), or a function that sends one command.
 * @throws {TypeError} at once, for what is no client, an unknown option or one of the wrong kind.
 * @example
 * const getUser = memoizeAsync(loadUser, { name: 'getUser', ttl: 60_000, cache: redisStore(new Redis()) });
 */
export function redisStore<V = never>(client: RedisClient, options: RedisStoreOptions = {}): RedisStore<V> {
  const commands = commandsOf(client);
  const { prefix, lease, wait, codec, subscriber, readableKeys } = resolveRedisOptions(options);
  const around: Surroundings = {
    server: new Server(commands),
    naming: new Naming({ prefix, keyPrefix: commands.keyPrefix, readableKeys }),
    clock: new ServerClock(),
    wakeUp: new WakeUp(commands, subscriber),
    codec,
    lease,
    wait,
  };
  const store = new SharedRedis<V>(around, new Leases<V>(around));
  // Older compilers and runtimes do not know the symbol.
  const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
  if (asyncDispose !== undefined) {
    Object.defineProperty(store, asyncDispose, { value: () => store.close() });
  }
  return store as unknown as RedisStore<V>;
}

class SharedRedis<V> implements AnnouncingStore<V>, WatchedStore<V> {
  readonly #around: Surroundings;
  readonly #leases: Leases<V>;
  /** Names who made a change, in announcements. */
  readonly #sender = createToken();
  readonly #onUse: (() => void) | undefined;

  /** @param onUse Called before every operation. */
  constructor(around: Surroundings, leases: Leases<V>, onUse?: (sender: string) => void) {
    this.#around = around;
    this.#leases = leases;
    leases.own(this.#sender);
    this.#onUse = onUse && (() => onUse(this.#sender));
  }

  get(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<Entry<V> | undefined> {
    this.#onUse?.();
    const { server, naming, clock } = this.#around;
    const { value } = naming.of(key);
    if (clock.isDue) return this.#getWithTime(value, timeout);
    return server.read(value, ['get', value], { timeout }, this.#read);
  }

  async set(key: string, entry: Entry<V>, ttl?: number, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
    const grant = await this.begin(key, { drop: true, timeout });
    await grant.commit(entry, ttl);
  }

  async delete(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<boolean> {
    this.#onUse?.();
    const { server, naming } = this.#around;
    const { value, record, channel, namespace, hash } = naming.of(key);
    const args = [channel, naming.fences, `key ${this.#sender} ${namespace} ${hash}`];
    const options = { timeout, isUrgent: true, isRetried: true };
    const removed = Number(await server.run(scripts.invalidate, [value, record], args, options));
    this.#leases.check(namespace, hash);
    return removed > 0;
  }

  /** @param prefix `name|`: all entries of one name. */
  async deleteByPrefix(prefix: string, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
    this.#onUse?.();
    const { server, naming } = this.#around;
    const namespace = naming.namespaceOf(prefix);
    const { records, values } = naming.patternsOf(namespace);
    // Records first: whatever ran before has then either been refused or written, and values are looked for after that.
    await this.#unlinkAll(records, timeout);
    await this.#unlinkAll(values, timeout);
    const message = `namespace ${this.#sender} ${namespace}`;
    // As with the scripts: who may not publish has been obeyed all the same.
    await server
      .send(naming.fences, ['publish', naming.fences, message], { timeout, isUrgent: true })
      .catch((error: unknown) => {
        if (!/NOPERM/.test(String(error))) throw error;
      });
    this.#leases.check(namespace, undefined);
  }

  acquire(
    key: string,
    options: { readonly seen?: Entry<V> | undefined; readonly timeout: number },
  ): Promise<Acquired<V>> {
    this.#onUse?.();
    return this.#leases.acquire(key, this.#sender, options);
  }

  begin(key: string, options: { readonly drop: boolean; readonly timeout: number }): Promise<Grant<V>> {
    this.#onUse?.();
    return this.#leases.begin(key, this.#sender, options);
  }

  watch(listener: (change: Change) => void): WatchedStore<V> | undefined {
    const { naming, wakeUp } = this.#around;
    if (!wakeUp.isPossible) return undefined;
    let listening: Listening | undefined;
    return new SharedRedis(this.#around, this.#leases, (own) => {
      listening ??= wakeUp.listen(
        [naming.fences, naming.writes],
        {
          message: (_channel, text) => {
            const [kind, sender, namespace, hash] = text.split(' ');
            if (sender === own || namespace === undefined) return;
            if (kind === 'namespace') listener({ type: 'namespace', namespace });
            if (kind === 'key' && hash !== undefined) listener({ type: 'key', namespace, hash });
          },
          confirmed: () => {
            if (listening?.isConfirmed === true) listener({ type: 'back' });
          },
          lost: () => listener({ type: 'lost' }),
        },
        true,
      );
    });
  }

  announcedAs(key: string): { readonly namespace: string; readonly hash: string } {
    return this.#around.naming.of(key);
  }

  close(): Promise<void> {
    this.#around.wakeUp.close();
    return Promise.resolve();
  }

  /** The first hit of a process, and one in a while, asks what the server's clock shows. */
  async #getWithTime(name: string, timeout: number): Promise<Entry<V> | undefined> {
    const { server, clock } = this.#around;
    const startedAt = performance.now();
    const text = await server.send(name, ['get', name], { timeout });
    if (text === null || text === undefined) return undefined;
    const sentAt = performance.now();
    // Both are one delay to the caller.
    const left = Math.max(1, Math.ceil(timeout - (sentAt - startedAt)));
    const asked = server.send('time', ['time'], { timeout: left }).then((time) => {
      const [seconds, micros] = (time as readonly unknown[]).map(Number);
      clock.learn(seconds! * 1_000 + Math.floor(micros! / 1_000), sentAt);
    });
    if (clock.isKnown) asked.catch(() => undefined);
    else await asked;
    return this.#read(text);
  }

  /** What cannot be read is handed on as it is: whoever asked takes it for a miss, and says so. */
  readonly #read = (reply: unknown): Entry<V> | undefined => {
    if (reply === null || reply === undefined) return undefined;
    const text = textOf(reply);
    return this.#leases.entryOf(text) ?? (text as unknown as Entry<V>);
  };

  async #unlinkAll(pattern: string, timeout: number): Promise<void> {
    const { server, naming } = this.#around;
    const { commands } = server;
    const options = { timeout, isUrgent: true, isRetried: true };
    for (const master of await commands.masters()) {
      let cursor = '0';
      do {
        const args = ['scan', cursor, 'match', pattern, 'count', SCAN_COUNT];
        const [next, found] = (await server.ask(master, args, options)) as [unknown, readonly unknown[]];
        cursor = textOf(next);
        const names = found.map((name) => naming.withoutKeyPrefix(textOf(name)));
        if (commands.isCluster) {
          await Promise.all(names.map((name) => server.send(name, ['unlink', name], options)));
        } else if (names.length > 0) {
          await server.send(names[0]!, ['unlink', ...names], options);
        }
      } while (cursor !== '0');
    }
  }
}
