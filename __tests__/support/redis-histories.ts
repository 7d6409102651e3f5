import { expect } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { parseFrame } from '../../lib/redis/codec.js';
import { entryName, Law, tagName } from './redis-law.js';
import { possibleTags } from './redis-messages.js';
import { Proxy } from './redis-proxy.js';
import { TestServer, until } from './redis-server.js';
import { Fleet, recordsOf, valuesOf } from './redis-fleet.js';
import type { Redis } from 'ioredis';
import type { Worker } from './redis-fleet.js';
import type { Floors } from './redis-law.js';
import type { Setup, Stored } from './redis-messages.js';

/** A small fast generator, so that a seed tells a whole history: mulberry32, public domain, by Tommy Ettinger. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So short that holders lose it often. */
const setup = { store: { lease: 60, wait: 2_000 }, options: { storeTimeout: 150 }, isTagged: true };

/** Longer than any history: what has ended answers still. */
const windows = { ttl: 600_000, staleWhileRevalidate: 600_000 };

/** How long near stores answer without messages, where that is short, in milliseconds. */
const NEAR_TTL = 100;

/** How long a fault lasts at most, in milliseconds. */
const LONGEST_FAULT = 160;

const WORKERS = 3;

/** What the histories of one run have in common. */
interface Kind {
  readonly isTiered: boolean;
  /** There is a stale window, so that `expire` and soft invalidations differ from hard ones. */
  readonly hasWindows: boolean;
  readonly nearTtl: number | undefined;
}

/**
 * Random histories of calls, invalidations and faults over several processes. What must hold:
 *
 * - After an invalidation was acknowledged the server holds no value whose run started before it, or only as one that has
 *   ended, where `expire` was it. With tags, the server may hold it, and no reader takes it for valid, or for fresh.
 * - A call that begins after an invalidation of its own process was acknowledged gets no such value either.
 * - The same in every process, once all runs have ended and all messages have arrived, or `nearTtl` is over.
 *
 * Processes are killed and others take their place, parts of them are cut off, and the server is killed.
 */
export class Histories {
  readonly #server: TestServer;
  readonly #fleet: Fleet;
  readonly #client: Redis;
  /** Reads as any process would, beside all of them. */
  readonly #observer: { read(key: string): Promise<Stored | undefined> };
  /** One for each worker. */
  readonly #proxies: readonly Proxy[];
  readonly #isTiered: boolean;
  /** Workers that were killed, until others are in their place. */
  readonly #replacements = new Map<number, Promise<void>>();
  /** Resolve when all that the killed ones have said has been heard. */
  #dead: Promise<unknown>[] = [];
  #kind: Kind = { isTiered: false, hasWindows: false, nearTtl: undefined };
  /** Counts what happens, in the order in which this process sees it. */
  #now = 0;
  #law = new Law();
  #answers = 0;
  #log: string[] = [];
  #keys: readonly string[] = [];
  #primes = 0;
  #restarting: Promise<void> | undefined;
  #runs = 0;

  private constructor(server: TestServer, fleet: Fleet, proxies: readonly Proxy[], isTiered: boolean) {
    this.#server = server;
    this.#fleet = fleet;
    this.#proxies = proxies;
    this.#isTiered = isTiered;
    this.#client = server.client();
    this.#observer = observerOf(this.#client);
    for (const worker of fleet.workers) this.#listen(worker);
  }

  static async start(isTiered: boolean): Promise<Histories> {
    const [server, fleet] = await Promise.all([TestServer.start(), Fleet.start(WORKERS)]);
    const proxies = fleet.workers.map((_, index) =>
      Proxy.start(`${server.directory}/proxy${index}.sock`, server.socket),
    );
    return new Histories(server, fleet, await Promise.all(proxies), isTiered);
  }

  async close(): Promise<void> {
    await this.#fleet.close();
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await this.#server.close();
  }

  /**
   * A history for each seed, all at once on keys of their own; faults and `clear` are for all of them. Throws with all
   * that happened where the law was broken.
   */
  async run(seeds: readonly number[], length: number): Promise<void> {
    const run = ++this.#runs;
    this.#kind = { isTiered: this.#isTiered, hasWindows: run % 2 === 0, nearTtl: run % 4 === 1 ? NEAR_TTL : undefined };
    this.#law = new Law();
    this.#answers = 0;
    this.#log = [`seeds ${seeds.join(' ')}, ${JSON.stringify(this.#kind)}`];
    this.#keys = seeds.flatMap((_, lane) => keysOf(run, lane));
    await this.#client.flushall();
    await Promise.all(this.#fleet.workers.map((worker, index) => worker.setUp(this.#setupOf(index))));
    await this.#inStep();
    const lanes = seeds.map((seed, lane) => this.#runOne(createRandom(seed), keysOf(run, lane), length));
    // What has failed in one is told when all are over: the processes are ended then.
    await Promise.allSettled(lanes);
    await Promise.all(this.#replacements.values());
    await Promise.all(lanes);
    await Promise.all(this.#fleet.workers.map((worker) => worker.ask({ do: 'settle' })));
    await this.#check(this.#keys);
    await this.#checkNear();
    await this.#checkCalls();
    for (const record of await recordsOf(this.#client)) {
      const remaining = await this.#client.pttl(record);
      if (remaining !== -2 && (remaining < 0 || remaining > 60_000)) this.#fail(`${record} lives for ${remaining} ms`);
    }
    for (const worker of this.#fleet.workers) expect(worker.unhandled).toEqual([]);
  }

  /** Of the last run. */
  get size(): { readonly made: number; readonly invalidated: number; readonly answers: number } {
    return { ...this.#law.size, answers: this.#answers };
  }

  async #runOne(random: () => number, keys: readonly string[], length: number): Promise<void> {
    const underWay: Promise<unknown>[] = [];
    for (let step = 0; step < length; step += 1) {
      underWay.push(this.#act(random, keys));
      // Some things happen at once, some after what was started before.
      if (random() < 0.6) await underWay[Math.floor(random() * underWay.length)];
      if (random() < 0.3) await this.#check(keys);
    }
    await Promise.all(underWay);
  }

  async #act(random: () => number, keys: readonly string[]): Promise<void> {
    const [name, key] = [Math.floor(random() * WORKERS), pick(random, keys)];
    const chance = random();
    if (chance < 0.09) return this.#fault(random, name);
    if (chance < 0.45) return this.#call(name, key, random() * 50);
    if (chance < 0.52) return this.#read(name, key);
    if (chance < 0.57) {
      const worker = await this.#workerOf(name);
      this.#say(`${name} refreshes ${key}`);
      await tolerant(worker.ask({ do: 'refresh', key, task: { takes: random() * 50 } }));
      return;
    }
    if (chance < 0.85) return this.#forget(random, name, key);
    // A run that is under way, and a call behind the invalidation.
    const running = this.#call(Math.floor(random() * WORKERS), key, 20 + random() * 50);
    await delay(random() * 20);
    await this.#forget(random, name, key);
    await Promise.all([running, this.#call(name, key, random() * 20)]);
  }

  /** An invalidation of whatever kind. */
  async #forget(random: () => number, name: number, key: string): Promise<void> {
    const worker = await this.#workerOf(name);
    const chance = random();
    const invalidate = (names: readonly string[], what: string, done: Promise<unknown>, isSoft = false) =>
      this.#invalidate(worker, { names, isSoft, what: `${name} ${what}`, done });
    const entry = [entryName(key)];
    if (chance < 0.26) return invalidate(entry, `deletes ${key}`, worker.ask({ do: 'delete', key }));
    if (chance < 0.46) return invalidate(entry, `expires ${key}`, worker.ask({ do: 'expire', key }), true);
    if (chance < 0.52) return invalidate(this.#keys.map(entryName), 'clears', worker.ask({ do: 'clear' }));
    if (chance < 0.68) {
      const value = `${key} by prime (${++this.#primes})`;
      // Until it is acknowledged it may take its place at any time.
      this.#law.made(value, key, Infinity);
      const primed = worker.ask({ do: 'prime', key, value });
      return invalidate(
        entry,
        `primes ${value}`,
        primed.then(() => this.#law.made(value, key, ++this.#now)),
      );
    }
    const tags = [pick(random, possibleTags(key)), pick(random, possibleTags(key))];
    const isSoft = random() < 0.4;
    const what = `invalidates ${tags.join(' and ')}${isSoft ? ' softly' : ''}`;
    return invalidate(tags.map(tagName), what, worker.ask({ do: 'invalidate tags', tags, isSoft }), isSoft);
  }

  async #fault(random: () => number, name: number): Promise<void> {
    const chance = random();
    const say = (what: string): void => this.#say(what);
    const lasting = random() * LONGEST_FAULT;
    const pause = (): Promise<void> => delay(lasting);
    const worker = this.#fleet.workers[name]!;
    const some = this.#proxies.filter((_, index) => index === name || random() < 0.3);
    const names = some.map((proxy) => this.#proxies.indexOf(proxy)).join(' and ');
    if (chance < 0.16) {
      say(`${name} stops`);
      worker.signal('SIGSTOP');
      await pause();
      worker.signal('SIGCONT');
      say(`${name} goes on`);
    } else if (chance < 0.28) {
      // A server that is down cannot be stopped.
      while (this.#isDown) await this.#restarting;
      say('the server stops');
      this.#server.freeze();
      await pause();
      while (this.#isDown) await this.#restarting;
      this.#server.thaw();
      say('the server goes on');
    } else if (chance < 0.52) {
      say(`${names} cut off`);
      for (const proxy of some) proxy.mode = 'hold';
      await pause();
      // What was under way arrives late, or never.
      if (chance < 0.42) say(`${names} back`);
      else {
        say(`${names} back, on other connections`);
        for (const proxy of some) proxy.cut();
      }
      for (const proxy of some) proxy.mode = 'pass';
    } else if (chance < 0.59) {
      say('the server is killed');
      await this.#restart();
      say('the server is back, empty');
    } else if (chance < 0.66) {
      await this.#kill(name);
    } else if (chance < 0.74) {
      say(`${name} loses its connections`);
      this.#proxies[name]!.cut();
    } else if (chance < 0.8) {
      say('connections for messages are killed');
      await this.#client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    } else if (chance < 0.88) {
      say('flush');
      await this.#client.flushall();
    } else if (chance < 0.96) {
      say(`slow network for ${names}`);
      for (const proxy of some) proxy.mode = 'delay';
      await pause();
      for (const proxy of some) proxy.mode = 'pass';
    } else {
      say('scripts are flushed, normal clients are killed');
      await this.#client.call('SCRIPT', 'FLUSH');
      await this.#client.call('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined);
    }
  }

  /** kill -9, and another worker takes its place. */
  #kill(name: number): Promise<void> {
    const replaced = this.#replacements.get(name);
    if (replaced !== undefined) return replaced;
    const worker = this.#fleet.workers[name]!;
    const replace = async (): Promise<void> => {
      this.#say(`${name} is killed`);
      this.#dead.push(worker.gone);
      const fresh = await this.#fleet.replace(worker);
      this.#listen(fresh);
      await fresh.setUp(this.#setupOf(name));
      this.#say(`${name} is another process`);
    };
    const replacing = replace().finally(() => this.#replacements.delete(name));
    this.#replacements.set(name, replacing);
    return replacing;
  }

  /** What was made before the call must not be readable once it has been acknowledged; after a refusal nothing is known. */
  async #invalidate(
    { pid }: Worker,
    { names, isSoft, what, done }: { names: readonly string[]; isSoft: boolean; what: string; done: Promise<unknown> },
  ): Promise<void> {
    const at = ++this.#now;
    this.#log.push(`${at} ${what}`);
    try {
      await done;
      this.#log.push(`${++this.#now} done: ${what}`);
      this.#law.invalidated({ names, at, isSoft: isSoft && this.#kind.hasWindows, owner: String(pid) });
    } catch (error) {
      this.#log.push(`${++this.#now} failed: ${what} (${String(error)})`);
    }
  }

  /** Calls twice at once. The answers are held against what the same process had invalidated by then. */
  async #call(name: number, key: string, takes: number): Promise<void> {
    const worker = await this.#workerOf(name);
    const begunAt = ++this.#now;
    this.#log.push(`${begunAt} ${name} calls ${key}, which takes ${Math.round(takes)}`);
    const floors = this.#law.floorsOf(key, String(worker.pid));
    const answers = await tolerant(worker.call(key, { takes }, 2));
    if (answers === undefined) return;
    const where = `${name} (${worker.pid}), in a call of ${begunAt},`;
    if (answers.errors.length > 0) this.#fail(`${where} got ${answers.errors.join()}`);
    for (const value of answers.values) {
      this.#answers += 1;
      await this.#judge({ value, isFresh: false }, { key, floors, where });
    }
  }

  /** What the store of a process answers, near or far, against what that process had invalidated. */
  async #read(name: number, key: string): Promise<void> {
    const worker = await this.#workerOf(name);
    const begunAt = ++this.#now;
    const floors = this.#law.floorsOf(key, String(worker.pid));
    // A server that cannot be reached is no violation.
    const reading: Promise<Stored | undefined> = worker.ask({ do: 'read', key });
    const stored = await reading.catch(() => undefined);
    const where = `${name} (${worker.pid}), in a read of ${begunAt},`;
    if (this.#isOfUse(stored)) await this.#judge(stored, { key, floors, where });
  }

  /** A worker that is in the place of one that was killed, where there is one. */
  async #workerOf(name: number): Promise<Worker> {
    await this.#replacements.get(name);
    return this.#fleet.workers[name]!;
  }

  /** What every process answers when nothing is under way any more. */
  async #checkCalls(): Promise<void> {
    for (const worker of this.#fleet.workers) {
      const checking = this.#keys.map(async (key) => {
        const floors = this.#law.floorsOf(key);
        const { values } = await worker.call(key, {}, 1);
        for (const value of values) {
          await this.#judge({ value, isFresh: false }, { key, floors, where: `${worker.pid}, at the end,` });
        }
      });
      await Promise.all(checking);
      await worker.ask({ do: 'settle' });
    }
  }

  /** What the server holds now, and what a process reads there. */
  async #check(keys: readonly string[]): Promise<void> {
    const reading = keys.map(async (key) => {
      const floors = this.#law.floorsOf(key);
      const stored = await this.#observer.read(key).catch(() => undefined);
      if (this.#isOfUse(stored)) await this.#judge(stored, { key, floors, where: 'the server' });
    });
    await Promise.all(reading);
    const floors = new Map(this.#keys.map((key) => [key, this.#law.floorsOf(key)]));
    const names = await valuesOf(this.#client);
    for (const text of names.length === 0 ? [] : await this.#client.mget(names)) {
      const frame = parseFrame(text ?? '');
      if (frame === undefined) continue;
      const { value } = JSON.parse(frame.payload) as { value: string };
      const key = value.slice(0, value.indexOf(' '));
      const isFresh = frame.expiredAt === undefined;
      await this.#judge(
        { value, isFresh },
        { key, floors: floors.get(key) ?? nothing, where: 'the server', isJudged: false },
      );
    }
  }

  /** What the near stores answer when all messages have arrived, or have had their time. */
  async #checkNear(): Promise<void> {
    if (!this.#isTiered) return;
    if (this.#kind.nearTtl === undefined) await this.#inStep();
    else await delay(NEAR_TTL + 10);
    for (const worker of this.#fleet.workers) {
      const checking = this.#keys.map(async (key) => {
        const floors = this.#law.floorsOf(key);
        const stored: Stored | undefined = await worker.ask({ do: 'read', key });
        if (this.#isOfUse(stored)) await this.#judge(stored, { key, floors, where: `${worker.pid}, near,` });
      });
      await Promise.all(checking);
    }
  }

  #isOfUse(stored: Stored | undefined): stored is Stored {
    return stored !== undefined && (stored.isFresh || this.#kind.hasWindows);
  }

  async #judge(
    { value, isFresh }: Stored,
    { key, floors, where, isJudged = true }: { key: string; floors: Floors; where: string; isJudged?: boolean },
  ): Promise<void> {
    if (!this.#law.knows(value)) {
      // The value may have come through the server before its worker's own message that a run has begun.
      await Promise.all(this.#dead);
      await Promise.all(this.#replacements.values());
      await Promise.all(this.#fleet.workers.map((worker) => tolerant(worker.ask({ do: 'stats' }))));
    }
    const violation = this.#law.violation(value, { key, floors, isFresh, isJudged });
    if (violation !== undefined) this.#fail(`${where} has ${value} of ${key}, which ${violation}`);
  }

  get #isDown(): boolean {
    return this.#restarting !== undefined;
  }

  /** One at a time: a server that is down cannot be killed. */
  #restart(): Promise<void> {
    this.#restarting ??= this.#server
      .kill()
      .then(() => this.#server.start())
      .finally(() => (this.#restarting = undefined));
    return this.#restarting;
  }

  #say(what: string): void {
    this.#log.push(`${++this.#now} ${what}`);
  }

  #fail(what: string): void {
    throw new Error(`${what}\n${this.#log.join('\n')}`);
  }

  #setupOf(index: number): Setup {
    const { isTiered, hasWindows, nearTtl } = this.#kind;
    const options = { ...setup.options, ...(hasWindows && windows) };
    const { socket } = this.#proxies[index]!;
    return { ...setup, options, isTiered, socket, ...(nearTtl !== undefined && { nearTtl }) };
  }

  /** Every process listens, and has heard what was said before. */
  async #inStep(): Promise<void> {
    if (!this.#isTiered) return;
    for (const worker of this.#fleet.workers) await worker.ask({ do: 'peek', key: 'nothing' });
    const listeners = this.#fleet.workers.length;
    await until(async () => {
      const [, count] = (await this.#client.pubsub('NUMSUB', 'aiocachetools:v1:fences')) as [string, number];
      const [, writes] = (await this.#client.pubsub('NUMSUB', 'aiocachetools:v1:writes')) as [string, number];
      return Number(count) === listeners && Number(writes) === listeners;
    }, 'all to listen');
    // Written out by the server, passed on by the proxy in this process, read by the worker.
    await until(async () => {
      const subscribers = String(await this.#client.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
        .trim()
        .split('\n');
      return subscribers.every((line) => / oll=0 /.test(line) && / obl=0 /.test(line));
    }, 'the messages to be sent');
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    for (const worker of this.#fleet.workers) await worker.ask({ do: 'hear' });
  }

  #listen(worker: Worker): void {
    const { onRun } = worker;
    worker.onRun = (key, value) => {
      onRun?.(key, value);
      this.#law.made(value, key, ++this.#now);
      this.#log.push(`${this.#now} ${worker.pid} runs ${key}: ${value}`);
    };
  }
}

const nothing: Floors = { gone: new Map(), ended: new Map() };

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function observerOf(client: Redis): { read(key: string): Promise<Stored | undefined> } {
  const store = redisStore<string>(client);
  const wrapper = memoizeAsync(async (key: string) => key, { name: 'shared' });
  return {
    read: async (key) => {
      const entry = await store.get(`shared|${wrapper.keyOf(key)}`);
      if (entry === undefined) return undefined;
      return { value: entry.value!, isFresh: entry.freshUntil === undefined || Date.now() < entry.freshUntil };
    },
  };
}

/** `undefined` where the worker was killed. */
function tolerant<T>(answering: Promise<T>): Promise<T | undefined> {
  return answering.catch((error: unknown) => {
    if ((error as Error).message !== 'The worker has ended') throw error;
    return undefined;
  });
}

function keysOf(run: number, lane: number): string[] {
  return [`${run}.${lane}a`, `${run}.${lane}b`];
}
