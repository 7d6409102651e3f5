import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { createClient } from 'redis';
import { Fleet } from '../support/redis-fleet.js';
import { Histories } from '../support/redis-histories.js';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { RedisClient } from 'aiocachetools/redis';

/** Only `npm run test:soak` has the time. */
const describeSoak = process.env['SOAK'] === undefined ? describe.skip : describeRedis;

const HISTORIES = Number(process.env['HISTORIES'] ?? 10_000);
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LANES = 10;

const report = (line: string): void => void process.stdout.write(`${line}\n`);

describeSoak(`redisStore for a long time (SEED=${seed})`, () => {
  let server: TestServer;
  let fleet: Fleet;

  beforeAll(async () => {
    [server, fleet] = await Promise.all([TestServer.start(), Fleet.start(4)]);
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
    lags.sort((a, b) => a - b);
    const at = (share: number): string => lags[Math.floor(lags.length * share)]!.toFixed(1);
    report(`wake lag: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${lags.length} wakes)`);
    expect(lags.length).toBeGreaterThan(500);
  }, 120_000);

  it('says what a hit costs', async () => {
    const ioredis = server.client();
    const redis = await createClient({ socket: { path: server.socket, tls: false } }).connect();
    const clients: [string, RedisClient, (key: string) => Promise<string | null>][] = [
      ['ioredis 6', ioredis, (key) => ioredis.get(key)],
      ['redis 6', redis, (key) => redis.get(key)],
    ];
    for (const [name, client, get] of clients) {
      const value = { id: 7, text: 'x'.repeat(1_000) };
      const f = memoizeAsync(async (_id: number) => value, { name: 'hit', ttl: 600_000, cache: redisStore(client) });
      // Calls of one key at once would join one lookup: so many hits at once need as many keys.
      const ids = Array.from({ length: 64 }, (_, id) => id);
      await Promise.all(ids.map((id) => f(id)));
      await f.settled();
      for (const id of ids) await ioredis.set(`plain ${id}`, JSON.stringify(value));
      const plain = async (id: number): Promise<unknown> => JSON.parse((await get(`plain ${id}`))!) as unknown;
      for (const depth of [1, 64]) {
        const ratios: number[] = [];
        for (let round = 0; round < 9; round += 1) {
          ratios.push((await rate(f, depth)) / (await rate(plain, depth)));
        }
        ratios.sort((a, b) => a - b);
        report(
          `hit throughput by ${name} at depth ${depth}: ${ratios[4]!.toFixed(2)} × of JSON.parse(await client.get(k))`,
        );
      }
    }
    await redis.close();

    async function rate(act: (id: number) => Promise<unknown>, depth: number): Promise<number> {
      const count = 6_400;
      const startedAt = performance.now();
      for (let done = 0; done < count; done += depth) {
        await Promise.all(Array.from({ length: depth }, (_, id) => act(id)));
      }
      return count / (performance.now() - startedAt);
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
});
