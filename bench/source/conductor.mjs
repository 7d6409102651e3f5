import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { clearTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { contenders } from './contenders/index.mjs';
import { randomFrom } from './workloads/arguments.mjs';

const workerFile = fileURLToPath(new URL('./worker.mjs', import.meta.url));

/** Who takes so many times longer for a slice than it was given, because it can do no less, plays fewer rounds. */
const slow = 20;

/** How long a process may keep silent before it is given up. */
const patience = 120_000;

/** Ended with this process, however it ends. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A process that carries out jobs of one contender, one at a time. */
class Worker {
  #child;
  #lastWords = '';
  isAlive = true;

  constructor(contender) {
    const environment = contenders[contender]?.environment ?? {};
    // Who is made to log fills a pipe with it, and nobody reads it.
    const isTalkative = environment.DEBUG !== undefined;
    this.#child = fork(workerFile, {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '', DEBUG: '', ...environment },
      stdio: ['ignore', 'ignore', isTalkative ? 'ignore' : 'pipe', 'ipc'],
      // JSON has no Infinity.
      serialization: 'advanced',
    });
    running.add(this.#child);
    this.#child.once('exit', () => {
      this.isAlive = false;
      running.delete(this.#child);
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.#lastWords = (this.#lastWords + chunk).slice(-2_000);
    });
  }

  /** The answer, which may be a refusal. */
  ask(message) {
    return new Promise((resolve) => {
      const child = this.#child;
      const answer = (given) => {
        clearTimeout(timer);
        child.off('message', answer);
        child.off('exit', onExit);
        resolve(given);
      };
      const onExit = (code, signal) => {
        const lastLine = this.#lastWords.trim().split('\n').at(-1);
        answer({
          type: 'refused',
          status: 'failed',
          reason: `its process ended with ${signal ?? code}${lastLine ? `: ${lastLine}` : ''}`,
        });
      };
      const timer = setTimeout(() => {
        answer({
          type: 'refused',
          status: 'too slow',
          reason: `silent for ${patience / 1_000} s after "${message.type}"`,
        });
        this.end();
      }, patience);
      child.on('message', answer);
      child.on('exit', onExit);
      child.send(message);
    });
  }

  end() {
    this.isAlive = false;
    this.#child.kill('SIGKILL');
  }
}

/** One contender at one workload. Once it has refused something it is out. */
class Player {
  #worker;
  status = 'timed';
  reason = undefined;
  values = [];
  details = {};
  isSlow = false;

  constructor(job) {
    this.job = job;
  }

  async prepare(worker, settings) {
    this.#worker = worker;
    await this.#ask({ type: 'prepare', job: this.job, settings });
  }

  async sample(duration, isCounted) {
    const answer = await this.#ask({ type: 'sample', duration });
    if (answer !== undefined && isCounted) this.values.push(answer.value);
  }

  async finish() {
    const answer = await this.#ask({ type: 'finish' });
    if (answer !== undefined) this.details = answer.details;
  }

  async #ask(message) {
    if (this.status !== 'timed') return undefined;
    const answer = await this.#worker.ask(message);
    if (answer.type !== 'refused') return answer;
    this.status = answer.status;
    this.reason = answer.reason;
    this.values = [];
    return undefined;
  }
}

/**
 * All contenders at one workload, each in a process of its own: prepared side by side, then asked for one timed slice
 * each, in another order each round, so that whatever else the machine does hits all alike.
 */
export async function playInterleaved(jobs, { rounds, slowRounds, duration, warmUp, ...settings }) {
  const players = jobs.map((job) => new Player(job));
  const workers = new Map();
  try {
    await inParallel(players, async (player) => {
      const worker = new Worker(player.job.contender);
      workers.set(player, worker);
      await player.prepare(worker, settings);
      if (player.status !== 'timed') worker.end();
    });
    if (warmUp > 0) {
      for (const player of players) {
        const start = Date.now();
        await player.sample(warmUp, false);
        player.isSlow = Date.now() - start > slow * warmUp;
      }
    }
    const random = randomFrom(1_013_904_223);
    for (let round = 0; round < rounds; round += 1) {
      const playing = players.filter(({ isSlow }) => !isSlow || round < slowRounds);
      for (const player of shuffled(playing, random)) await player.sample(duration, true);
    }
    for (const player of players) await player.finish();
  } finally {
    for (const worker of workers.values()) worker.end();
  }
  return players.map(resultOf);
}

/** For right answers only: one process for all jobs of a contender, one short slice for each. */
export async function playForAnswers(jobs, { duration, ...settings }) {
  const players = jobs.map((job) => new Player(job));
  const byContender = new Map();
  for (const player of players) {
    const name = `${player.job.kind === 'key' ? 'key ' : ''}${player.job.contender}`;
    byContender.set(name, [...(byContender.get(name) ?? []), player]);
  }
  await inParallel([...byContender.values()], async (own) => {
    let worker;
    for (const player of own) {
      if (worker?.isAlive !== true) worker = new Worker(player.job.contender);
      await player.prepare(worker, settings);
      await player.sample(duration, true);
      await player.finish();
    }
    worker?.end();
  });
  return players.map(resultOf);
}

function resultOf({ job, status, reason, values, details }) {
  return { job, status, reason, values, details };
}

async function inParallel(items, act) {
  const queue = [...items];
  const next = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
}

function shuffled(items, random) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
