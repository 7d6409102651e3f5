import { expect } from '@jest/globals';
import { Proxy } from './redis-proxy.js';
import { TestServer, until } from './redis-server.js';
import { Fleet, recordsOf, valuesOf } from './redis-fleet.js';
import type { Redis } from 'ioredis';
import type { Answers, Worker } from './redis-fleet.js';
import type { Setup } from './redis-messages.js';

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

/** A value that was made, and the number of the event that made it. */
interface Made {
  readonly key: string;
  readonly at: number;
}

/** So short that holders lose it often. */
const setup = { store: { lease: 60, wait: 2_000 }, options: { storeTimeout: 150 } };

/** How long a fault lasts at most, in milliseconds. */
const LONGEST_FAULT = 160;

/**
 * Random histories of calls, invalidations and faults over several processes. What must hold:
 *
 * - After an invalidation was acknowledged the server holds no value whose run started before it.
 * - A call that begins after an invalidation of its own process was acknowledged gets no such value either.
 * - The same in every process, once all runs have ended and all messages have arrived.
 *
 * Every value is unique, so each answer names the run that it comes from.
 */
export class Histories {
  readonly #server: TestServer;
  readonly #fleet: Fleet;
  readonly #client: Redis;
  readonly #proxy: Proxy;
  readonly #isTiered: boolean;
  /** Counts what happens, in the order in which this process sees it. */
  #now = 0;
  #made = new Map<string, Made>();
  #floors = new Map<string, number>();
  /** By worker and key: the last invalidation that the worker itself has had acknowledged. */
  #ownFloors = new Map<string, number>();
  #answers = 0;
  #log: string[] = [];
  #keys: readonly string[] = [];
  #primes = 0;
  #restarting: Promise<void> | undefined;
  #runs = 0;

  private constructor(server: TestServer, fleet: Fleet, proxy: Proxy, isTiered: boolean) {
    this.#server = server;
    this.#fleet = fleet;
    this.#proxy = proxy;
    this.#isTiered = isTiered;
    this.#client = server.client();
    for (const worker of fleet.workers) this.#listen(worker);
  }

  static async start(isTiered: boolean): Promise<Histories> {
    const [server, fleet] = await Promise.all([TestServer.start(), Fleet.start(3)]);
    const proxy = await Proxy.start(`${server.directory}/proxy.sock`, server.socket);
    const histories = new Histories(server, fleet, proxy, isTiered);
    await histories.#setUp();
    return histories;
  }

  async close(): Promise<void> {
    await this.#fleet.close();
    await this.#proxy.close();
    await this.#server.close();
  }

  /**
   * A history for each seed, all at once on keys of their own; faults and `clear` are for all of them. Throws with all
   * that happened where the law was broken.
   */
  async run(seeds: readonly number[], length: number): Promise<void> {
    this.#made = new Map();
    this.#floors = new Map();
    this.#ownFloors = new Map();
    this.#answers = 0;
    this.#log = [`seeds ${seeds.join(' ')}`];
    // What a near store still holds of an earlier history must not pass for one of this.
    const run = ++this.#runs;
    this.#keys = seeds.flatMap((_, lane) => keysOf(run, lane));
    await this.#client.flushall();
    await this.#inStep();
    const lanes = seeds.map((seed, lane) => this.#runOne(createRandom(seed), keysOf(run, lane), length));
    // What has failed in one is told when all are over: the processes are ended then.
    await Promise.allSettled(lanes);
    await Promise.all(lanes);
    await Promise.all(this.#fleet.workers.map((worker) => worker.ask({ do: 'settle' })));
    await this.#check();
    await this.#checkNear();
    await this.#checkCalls();
    for (const record of await recordsOf(this.#client)) {
      const remaining = await this.#client.pttl(record);
      if (remaining !== -2 && (remaining < 0 || remaining > 60_000)) this.#fail(`${record} lives for ${remaining} ms`);
    }
    for (const worker of this.#fleet.workers) expect(worker.unhandled).toEqual([]);
  }

  /** How many values were made, and how many invalidations were acknowledged, in the last run. */
  get size(): { readonly made: number; readonly forgotten: number; readonly answers: number } {
    return { made: this.#made.size, forgotten: this.#floors.size, answers: this.#answers };
  }

  async #runOne(random: () => number, keys: readonly string[], length: number): Promise<void> {
    const underWay: Promise<unknown>[] = [];
    for (let step = 0; step < length; step += 1) {
      underWay.push(this.#act(random, keys));
      // Some things happen at once, some after what was started before.
      if (random() < 0.6) await underWay[Math.floor(random() * underWay.length)];
      if (random() < 0.3) await this.#check();
    }
    await Promise.all(underWay);
  }

  #act(random: () => number, keys: readonly string[]): Promise<unknown> {
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    const worker = pick(this.#fleet.workers);
    const name = this.#fleet.workers.indexOf(worker);
    const key = pick(keys);
    const task = { takes: Math.floor(random() * 50) };
    const chance = random();
    if (chance < 0.52) {
      this.#say(`${name} calls ${key}, which takes ${task.takes}`);
      return this.#judgeCall(worker, key, worker.call(key, task, 2));
    }
    if (chance < 0.72) {
      return this.#invalidate(worker, [key], {
        what: `${name} deletes ${key}`,
        done: worker.ask({ do: 'delete', key }),
      });
    }
    if (chance < 0.74) {
      return this.#invalidate(worker, this.#keys, { what: `${name} clears`, done: worker.ask({ do: 'clear' }) });
    }
    if (chance < 0.82) {
      const value = `primed ${++this.#primes}`;
      // Until it is acknowledged it may take its place at any time.
      this.#made.set(value, { key, at: Infinity });
      const done = worker.ask({ do: 'prime', key, value }).then(() => this.#made.set(value, { key, at: ++this.#now }));
      return this.#invalidate(worker, [key], { what: `${name} primes ${key}: ${value}`, done });
    }
    if (chance < 0.9) {
      this.#say(`${name} refreshes ${key}`);
      return worker.ask({ do: 'refresh', key, task });
    }
    return this.#fault(random, name);
  }

  async #fault(random: () => number, name: number): Promise<void> {
    const worker = this.#fleet.workers[name]!;
    const chance = random();
    const say = (what: string): void => this.#say(what);
    const lasting = random() * LONGEST_FAULT;
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, lasting));
    if (chance < 0.2) {
      say(`${name} stops`);
      worker.signal('SIGSTOP');
      await pause();
      worker.signal('SIGCONT');
      say(`${name} goes on`);
    } else if (chance < 0.35) {
      // A server that is down cannot be stopped.
      await this.#restarting;
      say('the server stops');
      this.#server.freeze();
      await pause();
      await this.#restarting;
      this.#server.thaw();
      say('the server goes on');
    } else if (chance < 0.6) {
      say('worker 0 is cut off');
      this.#proxy.mode = 'hold';
      await pause();
      this.#proxy.mode = 'pass';
      say('worker 0 is back');
    } else if (chance < 0.65 && !this.#isTiered) {
      say('the server is killed');
      await this.#restart();
      say('the server is back, empty');
    } else if (chance < 0.75) {
      say('worker 0 loses its connections');
      this.#proxy.cut();
    } else if (chance < 0.85) {
      say('flush');
      await this.#client.flushall();
    } else if (chance < 0.95) {
      say('slow network for worker 0');
      this.#proxy.mode = 'delay';
      await pause();
      this.#proxy.mode = 'pass';
    } else {
      say('scripts are flushed, normal clients are killed');
      await this.#client.call('SCRIPT', 'FLUSH');
      await this.#client.call('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined);
    }
  }

  /** What was made before the call must not be readable once it has been acknowledged; after a refusal nothing is known. */
  async #invalidate(
    worker: Worker,
    forgotten: readonly string[],
    { what, done }: { readonly what: string; readonly done: Promise<unknown> },
  ): Promise<void> {
    const calledAt = ++this.#now;
    this.#log.push(`${calledAt} ${what}`);
    try {
      await done;
      this.#log.push(`${++this.#now} done: ${what}`);
      for (const key of forgotten) {
        const ownKey = `${worker.pid} ${key}`;
        this.#floors.set(key, Math.max(calledAt, this.#floors.get(key) ?? 0));
        this.#ownFloors.set(ownKey, Math.max(calledAt, this.#ownFloors.get(ownKey) ?? 0));
      }
    } catch (error) {
      this.#log.push(`${++this.#now} failed: ${what} (${String(error)})`);
    }
  }

  /** The answer of a call that begins now, against what its own process had invalidated by then. */
  async #judgeCall(worker: Worker, key: string, answering: Promise<Answers>): Promise<void> {
    const begunAt = ++this.#now;
    const floors = new Map([[key, this.#ownFloors.get(`${worker.pid} ${key}`) ?? 0]]);
    const { values, errors } = await answering;
    const name = `worker ${this.#fleet.workers.indexOf(worker)}, in a call of ${begunAt},`;
    if (errors.length > 0) this.#fail(`${name} got ${errors.join()}`);
    for (const value of values) {
      this.#answers += 1;
      await this.#judge(value, floors, name);
    }
  }

  /** What every process answers when nothing is under way any more. */
  async #checkCalls(): Promise<void> {
    const floors = new Map(this.#floors);
    for (const worker of this.#fleet.workers) {
      for (const key of this.#keys) {
        const { values } = await worker.call(key, {}, 1);
        for (const value of values)
          await this.#judge(value, floors, `worker ${this.#fleet.workers.indexOf(worker)}, at the end,`);
      }
    }
    await Promise.all(this.#fleet.workers.map((worker) => worker.ask({ do: 'settle' })));
  }

  /** What the server holds now. */
  async #check(): Promise<void> {
    // What is acknowledged later must not count against what is read now.
    const floors = new Map(this.#floors);
    const names = await valuesOf(this.#client);
    const texts = names.length === 0 ? [] : await this.#client.mget(names);
    for (const text of texts) {
      const { value } = JSON.parse(text?.replace(/^1 \S+ \d+ /, '') ?? '{}') as { value?: string };
      if (value !== undefined) await this.#judge(value, floors, 'the server');
    }
  }

  /** What the near stores answer when all messages have arrived. */
  async #checkNear(): Promise<void> {
    if (!this.#isTiered) return;
    await this.#inStep();
    const floors = new Map(this.#floors);
    for (const worker of this.#fleet.workers) {
      for (const key of this.#keys) {
        const value: string | undefined = await worker.ask({ do: 'peek', key });
        if (value !== undefined) await this.#judge(value, floors, `worker ${this.#fleet.workers.indexOf(worker)}`);
      }
    }
  }

  async #judge(value: string, floors: ReadonlyMap<string, number>, where: string): Promise<void> {
    // The value may have come through the server before its worker's own message that a run has begun.
    if (!this.#made.has(value)) await Promise.all(this.#fleet.workers.map((worker) => worker.ask({ do: 'stats' })));
    const made = this.#made.get(value);
    if (made === undefined) return this.#fail(`${where} has ${value}, which was not made in this history`);
    const floor = floors.get(made.key) ?? 0;
    if (made.at < floor) this.#fail(`${where} has ${value} of ${made.at}, forgotten at ${floor}`);
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

  async #setUp(): Promise<void> {
    const common: Omit<Setup, 'socket'> = { ...setup, isTiered: this.#isTiered };
    await Promise.all(
      this.#fleet.workers.map((worker, index) =>
        worker.setUp({ ...common, socket: index === 0 ? this.#proxy.socket : this.#server.socket }),
      ),
    );
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

  #listen(worker: Fleet['workers'][number]): void {
    const { onRun } = worker;
    worker.onRun = (key, value) => {
      onRun?.(key, value);
      this.#made.set(value, { key, at: ++this.#now });
      this.#log.push(`${this.#now} ${this.#fleet.workers.indexOf(worker)} runs ${key}: ${value}`);
    };
  }
}

function keysOf(run: number, lane: number): string[] {
  return [`${run}.${lane}a`, `${run}.${lane}b`];
}
