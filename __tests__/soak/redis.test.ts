import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Fleet } from '../support/redis-fleet.js';
import { Histories } from '../support/redis-histories.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Worker } from '../support/redis-fleet.js';
import type { ChangeKind, NearState } from '../support/redis-messages.js';

/** Only `npm run test:soak` has the time. */
const describeSoak = process.env['SOAK'] === undefined ? describe.skip : describeRedis;

const HISTORIES = Number(process.env['HISTORIES'] ?? 10_000);
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LANES = 10;

const report = (line: string): void => void process.stdout.write(`${line}\n`);

describeSoak(`redisStore for a long time (SEED=${seed})`, () => {
  let server: TestServer;
  let fleet: Fleet;
  let client: Redis;

  beforeAll(async () => {
    [server, fleet] = await Promise.all([TestServer.start(), Fleet.start(4)]);
    client = server.client();
  }, 30_000);

  afterAll(async () => {
    await fleet.close();
    await server.close();
  });

  it('runs once for each of 4,000 cold keys', async () => {
    await fleet.setUp({ socket: server.socket, options: { storeTimeout: 1_000 } });
    const keys = Array.from({ length: 4_000 }, (_, index) => `key ${index}`);
    // In the order in which a process comes to them, some at a time, as requests do.
    for (let from = 0; from < keys.length; from += 100) {
      const some = keys.slice(from, from + 100);
      await Promise.all(
        fleet.workers.map((worker) => worker.ask({ do: 'call each', keys: some, task: { takes: 5 }, callers: 5 })),
      );
    }
    report(`runs for ${keys.length} keys: ${fleet.runs.length}; unleased: ${await fleet.sum('unleased')}`);
    expect(fleet.runs).toHaveLength(keys.length);
  }, 120_000);

  it('wakes those who wait, without load', async () => {
    await fleet.setUp({ socket: server.socket });
    const lags: number[] = [];
    for (let round = 0; round < 300; round += 1) {
      const each = await Promise.all(fleet.workers.map((worker) => worker.ask({ do: 'lag', key: `lag ${round}` })));
      lags.push(...each.filter((lag): lag is never => lag !== undefined));
    }
    report(`wake lag: ${percentiles(lags)}`);
    expect(lags.length).toBeGreaterThan(500);
  }, 120_000);

  it('reaches every near store within 50 ms of a change, p99', async () => {
    await fleet.setUp({ socket: server.socket, isTiered: true });
    for (const worker of fleet.workers) await worker.ask({ do: 'peek', key: 'nothing' });
    const changes: readonly ChangeKind[] = ['delete', 'clear', 'prime', 'refresh'];
    const near = (worker: Worker): Promise<NearState> => worker.ask({ do: 'near' });
    const all: number[] = [];
    for (const how of changes) {
      const lags: number[] = [];
      for (let round = 0; round < 150; round += 1) {
        const key = `${how} ${round}`;
        for (const worker of fleet.workers) {
          await until(async () => {
            await worker.call(key, {}, 1);
            return (await near(worker)).size > 0;
          }, 'the value to be near');
        }
        await fleet.settle();
        const changer = fleet.workers[round % fleet.workers.length]!;
        const changedAt: number = await changer.ask({ do: 'change', how, key });
        for (const worker of fleet.workers) {
          if (worker === changer) continue;
          await until(async () => (await near(worker)).size === 0, `the ${how} to arrive`);
          lags.push(Math.max(0, (await near(worker)).emptiedAt - changedAt));
        }
        await changer.ask({ do: 'clear' });
      }
      report(`near stores after a ${how} elsewhere: ${percentiles(lags)}`);
      all.push(...lags);
    }
    report(`near stores after any change elsewhere: ${percentiles(all)}; the bar is 50 ms`);
    expect(percentile(all, 0.99)).toBeLessThan(50);
  }, 120_000);

  it('says how many commands are sent for a hit, by a holder and by a process that waits', async () => {
    await fleet.setUp({ socket: server.socket });
    const [holder, waiter] = fleet.workers as [Worker, Worker];
    const runBoth = async (key: string): Promise<void> => {
      const started = fleet.runs.length;
      const held = holder.call(key, { takes: 200 }, 1);
      await fleet.run(started + 1);
      await Promise.all([held, waiter.call(key, {}, 50)]);
      await fleet.settle();
    };
    // The first wait of a process opens its connection for messages.
    await runBoth('warm up');
    const hit = await commandsIn(() => holder.call('warm up', {}, 50));
    const missed = await commandsIn(async () => {
      await holder.call('alone', {}, 50);
      await fleet.settle();
    });
    const both = await commandsIn(() => runBoth('both'));
    report(`commands: ${hit} for a hit, ${missed} for the holder of a miss, ${both - missed} for a process that waits`);
    expect([hit, missed]).toEqual([1, 3]);
    expect(both - missed).toBeLessThanOrEqual(6);
  }, 30_000);

  it('says what a hit costs', async () => {
    for (const library of ['ioredis', 'redis'] as const) {
      for (const depth of [1, 64]) {
        const ratio: number = await fleet.workers[0]!.ask({ do: 'hit ratio', library, socket: server.socket, depth });
        report(`hits by ${library} at depth ${depth}: ${ratio.toFixed(2)} × of JSON.parse(await client.get(k))`);
        // The bars hold on a machine that does nothing else.
        expect(ratio).toBeGreaterThanOrEqual(depth === 1 ? 0.75 : 1);
      }
    }
  }, 120_000);

  it.each([
    ['redisStore', false],
    ['tiered over redisStore', true],
  ])(
    `keeps the law in random histories of %s`,
    async (name, isTiered) => {
      const histories = await Histories.start(isTiered);
      try {
        for (let done = 0; done < HISTORIES / 2; done += LANES) {
          const first = seed + (isTiered ? HISTORIES : 0) + done;
          await histories.run(
            Array.from({ length: LANES }, (_, lane) => first + lane),
            12,
          );
        }
        report(`${HISTORIES / 2} histories of ${name}: no violation`);
      } finally {
        await histories.close();
      }
    },
    60_000 + HISTORIES * 1_000,
  );

  /** How many commands reach the server meanwhile, from outside of scripts. */
  async function commandsIn(act: () => Promise<unknown>): Promise<number> {
    const monitor = await server.client().monitor();
    let count = 0;
    let isMarked = false;
    monitor.on('monitor', (_time: string, [command]: string[], source: string) => {
      if (command === 'echo') isMarked = true;
      else if (source !== 'lua') count += 1;
    });
    await act();
    await client.echo('end');
    await until(() => isMarked, 'the last command');
    monitor.disconnect();
    return count;
  }
});

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)]!;
}

function percentiles(values: readonly number[]): string {
  const at = (share: number): string => percentile(values, share).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${Math.max(...values).toFixed(1)} ms (${values.length} samples)`;
}
