import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { batched, memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { Redis } from 'ioredis';

describeRedis('batched on a redisStore', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });
  beforeEach(() => client.flushall());
  afterAll(() => server.close());

  /** A process: its own connection, store and wrapper. */
  function createProcess(batches: number[][], wait: number) {
    const load = async (ids: readonly number[]): Promise<number[]> => {
      batches.push([...ids]);
      return ids.map((id) => id * 10);
    };
    return memoizeAsync(batched(load, { wait }), {
      name: 'load',
      ttl: 60_000,
      storeTimeout: 20_000,
      cache: redisStore(server.client()),
    });
  }

  const sorted = (batches: number[][]) => batches.flat().sort((a, b) => a - b);
  const ids = Array.from({ length: 100 }, (_, id) => id);
  const values = ids.map((id) => id * 10);

  // Leases are granted one by one, so their answers can arrive in several turns: `wait` collects over them.
  it('asks once for what is missing, and not for what another process has stored', async () => {
    const [first, second]: [number[][], number[][]] = [[], []];
    const [one, other] = [createProcess(first, 200), createProcess(second, 200)];
    expect(await Promise.all(ids.slice(0, 50).map((id) => one(id)))).toEqual(values.slice(0, 50));
    await one.settled();
    expect(await Promise.all(ids.map((id) => other(id)))).toEqual(values);
    expect([first.length, second.length]).toEqual([1, 1]);
    expect([first, second].map(sorted)).toEqual([ids.slice(0, 50), ids.slice(50)]);
  });

  it.each([0, 5])('runs once a key where two processes ask at the same time, with `wait: %d`', async (wait) => {
    const batches: number[][] = [];
    const [one, other] = [createProcess(batches, wait), createProcess(batches, wait)];
    const reversed = [...ids].reverse();
    const answers = await Promise.all([
      Promise.all(ids.map((id) => one(id))),
      Promise.all(reversed.map((id) => other(id))),
    ]);
    expect(answers).toEqual([values, [...values].reverse()]);
    expect(sorted(batches)).toEqual(ids);
  });
});
