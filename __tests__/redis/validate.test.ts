import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { createSource } from '../support/call-recorder.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';

describeRedis('validate', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => void (await client.flushall()));

  const caches = [
    ['redisStore', () => redisStore(server.client())],
    ['tiered over redisStore', () => tiered(new Map(), redisStore(server.client()))],
  ] as const;

  it.each(caches)('replaces a value of another shape by one run over all processes: %s', async (_, cache) => {
    const before = memoizeAsync(async () => 'old', { name: 'f', cache: cache() });
    await before();
    await before.settled();
    const { fn, runs } = createSource<[], number>();
    const make = () => memoizeAsync(fn, { name: 'f', cache: cache(), validate: (value) => typeof value === 'number' });
    const processes = [make(), make(), make()];
    const answers = processes.map((f) => f());
    await until(() => runs.length === 1, 'a run to start');
    await until(() => processes.every((f) => f.stats().misses === 1), 'all to look');
    runs[0]!.resolve(7);
    expect(await Promise.all(answers)).toEqual([7, 7, 7]);
    for (const f of processes) {
      await f.settled();
      expect(f.stats().storeErrors).toBeGreaterThan(0);
      expect(await f()).toBe(7);
    }
    expect(runs).toHaveLength(1);
  });

  it('judges what was waited for', async () => {
    const { fn, runs } = createSource<[], string>();
    const one = memoizeAsync(fn, { name: 'f', cache: redisStore(server.client()) });
    const two = memoizeAsync(async () => 7, {
      name: 'f',
      cache: redisStore(server.client()),
      validate: (value) => typeof value === 'number',
    });
    const old = one();
    await until(() => runs.length === 1, 'the run to start');
    const waiting = two();
    await until(() => two.stats().misses === 1, 'the other one to wait');
    runs[0]!.resolve('old');
    expect([await old, await waiting]).toEqual(['old', 7]);
    await two.settled();
    expect(two.stats()).toMatchObject({ runs: 1, unleased: 0 });
  });
});
