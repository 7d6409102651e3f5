import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { expect } from '@jest/globals';
import { until } from './redis-server.js';
import type { ChildProcess } from 'node:child_process';
import type { Redis } from 'ioredis';
import type { MemoizeEvent, Stats } from 'aiocachetools';
import type { FromWorker, Setup, Task, ToWorker } from './redis-messages.js';
import type { TestServer } from './redis-server.js';

export interface Answers {
  readonly values: readonly string[];
  readonly errors: readonly string[];
  /** When the slowest caller had its answer, in milliseconds. */
  readonly took: number;
}

export interface Run {
  readonly worker: Worker;
  readonly key: string;
  readonly value: string;
}

type Request = ToWorker extends infer Each ? (Each extends { readonly id: number } ? Omit<Each, 'id'> : never) : never;

/** A process of its own with a wrapper in it. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly unhandled: string[] = [];
  onRun: ((key: string, value: string) => void) | undefined;
  readonly ready: Promise<void>;
  /** Resolves when all that it has said has been heard. */
  readonly gone: Promise<unknown>;
  #nextId = 1;

  constructor(script: string) {
    this.#child = fork(script, { serialization: 'advanced' });
    let isReady!: () => void;
    let isGone!: (error: Error) => void;
    this.ready = new Promise((resolve, reject) => {
      isReady = resolve;
      isGone = reject;
    });
    this.#child.on('message', (message: FromWorker) => {
      if (message.type === 'ready') isReady();
      else if (message.type === 'run') this.onRun?.(message.key, message.value);
      else if (message.type === 'unhandled') this.unhandled.push(message.reason);
      else this.#settle(message);
    });
    this.gone = new Promise((resolve) => this.#child.once('disconnect', resolve));
    this.#child.on('exit', () => {
      isGone(new Error('The worker has ended before it was ready'));
      for (const { reject } of this.#pending.values()) reject(new Error('The worker has ended'));
      this.#pending.clear();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get pending(): number {
    return this.#pending.size;
  }

  ask(request: Request): Promise<never> {
    if (!this.#child.connected) return Promise.reject(new Error('The worker has ended'));
    const id = this.#nextId++;
    const answer = new Promise<never>((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    // A message to a worker that has just been killed cannot be sent; what is pending is rejected at its exit.
    this.#child.send({ ...request, id }, () => undefined);
    return answer;
  }

  setUp(setup: Setup): Promise<void> {
    return this.ask({ do: 'set up', setup });
  }

  call(key: string, task: Task, callers = 50): Promise<Answers> {
    return this.ask({ do: 'call', key, task, callers });
  }

  stats(): Promise<Stats> {
    return this.ask({ do: 'stats' });
  }

  events(): Promise<MemoizeEvent[]> {
    return this.ask({ do: 'events' });
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  #settle(message: Extract<FromWorker, { id: number }>): void {
    const waiting = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === 'done') waiting?.resolve(message.value as never);
    else waiting?.reject(new Error(message.error));
  }
}

/** Several processes, and what their runs were. */
export class Fleet {
  readonly workers: Worker[];
  runs: Run[] = [];
  readonly #directory: string;

  private constructor(size: number) {
    // Beside the packages, so that the bundle finds them.
    this.#directory = mkdtempSync(resolve('node_modules/.aiocachetools-'));
    const script = join(this.#directory, 'worker.mjs');
    buildSync({
      entryPoints: [resolve('__tests__/support/redis-worker.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      alias: { aiocachetools: resolve('lib/index.ts'), 'aiocachetools/redis': resolve('lib/redis/index.ts') },
      logLevel: 'error',
    });
    this.workers = Array.from({ length: size }, () => this.#spawn(script));
    this.#script = script;
  }

  readonly #script: string;

  static async start(size: number): Promise<Fleet> {
    const fleet = new Fleet(size);
    await Promise.all(fleet.workers.map((worker) => worker.ready));
    return fleet;
  }

  /** Fresh processes in place of those that have ended. */
  async replace(worker: Worker): Promise<Worker> {
    await worker.end();
    const fresh = this.#spawn(this.#script);
    this.workers[this.workers.indexOf(worker)] = fresh;
    await fresh.ready;
    return fresh;
  }

  async setUp(setup: Setup): Promise<void> {
    this.runs = [];
    await Promise.all(this.workers.map((worker) => worker.setUp(setup)));
  }

  call(key: string, task: Task, callers = 50): Promise<Answers[]> {
    return Promise.all(this.workers.map((worker) => worker.call(key, task, callers)));
  }

  /** The `count`th run, when it has started. */
  async run(count: number): Promise<Run> {
    await until(() => this.runs.length >= count, `run ${count} to start`);
    return this.runs[count - 1]!;
  }

  async sum(counter: keyof Stats): Promise<number> {
    const stats = await Promise.all(this.workers.map((worker) => worker.stats()));
    return stats.reduce((sum, each) => sum + each[counter], 0);
  }

  async settle(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.ask({ do: 'settle' })));
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #spawn(script: string): Worker {
    const worker = new Worker(script);
    worker.onRun = (key, value) => this.runs.push({ worker, key, value });
    return worker;
  }
}

/** What must hold after every case: no caller waits, no rejection was unhandled, no record lives longer than a minute. */
export async function expectInvariants(fleet: Fleet, client: Redis): Promise<void> {
  expect(fleet.workers.map((worker) => worker.pending)).toEqual(fleet.workers.map(() => 0));
  expect(fleet.workers.flatMap((worker) => worker.unhandled)).toEqual([]);
  for (const record of await recordsOf(client)) {
    const remaining = await client.pttl(record);
    // Gone between the two commands, or about to go.
    expect(remaining === -2 || (remaining >= 0 && remaining <= 60_000)).toBe(true);
  }
}

export async function recordsOf(client: Redis): Promise<string[]> {
  return (await client.keys('*')).filter((name) => name.endsWith('}:l'));
}

export async function valuesOf(client: Redis): Promise<string[]> {
  return (await client.keys('*')).filter((name) => name.endsWith('}'));
}

/** The commits of a server, as they happen: at most one for each generation. */
export class CommitLog {
  readonly stamps: string[] = [];
  readonly #monitor: Redis;

  private constructor(monitor: Redis) {
    this.#monitor = monitor;
    monitor.on('monitor', (_time: string, args: string[]) => {
      const stamp = args[0]?.toLowerCase() === 'set' ? /^1 (\S+) \d+ /.exec(args[2] ?? '')?.[1] : undefined;
      if (stamp !== undefined) this.stamps.push(stamp);
    });
  }

  static async start(server: TestServer): Promise<CommitLog> {
    // Once killed it must not come back: ioredis takes what a new monitor hears for replies to commands.
    const client = server.client({ retryStrategy: () => null });
    const log = new CommitLog(await client.monitor());
    client.disconnect();
    return log;
  }

  expectOnePerGeneration(): void {
    const generations = this.stamps.map((stamp) => stamp.slice(0, stamp.indexOf('.')));
    expect(new Set(generations).size).toBe(generations.length);
  }

  stop(): void {
    // ioredis keeps a timer of two seconds where there is nothing left to close.
    if (this.#monitor.status !== 'end') this.#monitor.disconnect();
  }
}
