import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { createSource } from '../support/call-recorder.js';
import { recordsOf, valuesOf } from '../support/redis-fleet.js';
import { aheadBy, describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Entry } from 'aiocachetools';

const windows = { ttl: 60_000, staleWhileRevalidate: 20_000 };

describeRedis('expire', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => void (await client.flushall()));

  const caches = [
    ['redisStore', () => redisStore<string>(server.client())],
    ['tiered over redisStore', () => tiered<string>(new Map<string, Entry<string>>(), redisStore(server.client()))],
  ] as const;

  describe.each(caches)('with %s', (_, cache) => {
    function open(options: object = windows) {
      let version = 0;
      return memoizeAsync(async (id: number) => `${id}, version ${(version += 1)}`, {
        name: 'f',
        cache: cache(),
        ...options,
      });
    }

    it('lets the old value answer in every process, and one refreshes it', async () => {
      const [one, two] = [open(), open()];
      await one(7);
      await one.settled();
      expect(await two(7)).toBe('7, version 1');
      expect(await one.expire(7)).toBe(true);
      expect(await one(7)).toBe('7, version 1');
      await one.settled();
      expect(one.stats()).toMatchObject({ stale: 1, runs: 2 });
      await until(async () => (await two(7)) === '7, version 2', 'the other one to see it');
      expect(two.stats()).toMatchObject({ runs: 0 });
    });

    it('is seen by another process', async () => {
      const [one, two] = [open(), open()];
      await one(7);
      await one.settled();
      await two(7);
      await one.expire(7);
      await until(async () => {
        await two(7);
        return two.stats().stale > 0;
      }, 'the other one to see it');
      expect(two.stats()).toMatchObject({ misses: 0 });
      await two.settled();
    });

    it('keeps the value for the window at most, and does not lengthen it', async () => {
      const f = open();
      await f(7);
      await f.settled();
      const [name] = await valuesOf(client);
      expect(await client.pttl(name!)).toBeGreaterThan(20_000);
      await f.expire(7);
      const left = await client.pttl(name!);
      expect(left).toBeGreaterThan(15_000);
      expect(left).toBeLessThanOrEqual(20_000);
      const text = await client.get(name!);
      expect(text).toMatch(/^2 \S+ \d+ 0 \d+ - \{/);
      expect(await f.expire(7)).toBe(true);
      expect(await client.get(name!)).toBe(text);
      expect(await recordsOf(client)).toEqual([]);
    });

    it('is `delete` without a stale window, and says whether something was there', async () => {
      const f = open({ ttl: 60_000 });
      await f(7);
      await f.settled();
      expect([await f.expire(7), await f.expire(7)]).toEqual([true, false]);
      expect(await valuesOf(client)).toEqual([]);
    });

    it('refuses a run of another process that started before', async () => {
      const { fn, runs } = createSource();
      const one = memoizeAsync(fn, { name: 'f', cache: cache(), ...windows });
      const two = memoizeAsync(async (id: number) => `new ${id}`, { name: 'f', cache: cache(), ...windows });
      const old = one(7);
      await until(() => runs.length === 1, 'the run to start');
      expect(await two.expire(7)).toBe(false);
      expect(await two(7)).toBe('new 7');
      await two.settled();
      runs[0]!.resolve('old');
      expect(await old).toBe('old');
      await one.settled();
      expect(await two.peek(7)).toBe('new 7');
      expect(one.stats().discards).toBe(1);
    });

    it('removes what it cannot read', async () => {
      const f = open();
      await f(7);
      await f.settled();
      const [name] = await valuesOf(client);
      await client.set(name!, 'garbage');
      await f.expire(7);
      expect(await client.exists(name!)).toBe(0);
    });

    it('rejects where the server cannot be reached, and the entry is expired in this process', async () => {
      const f = open({ ...windows, storeTimeout: 100 });
      await f(7);
      await f.settled();
      await f(7);
      server.freeze();
      await expect(f.expire(7)).rejects.toThrow('within 100 ms');
      server.thaw();
      await until(async () => (await f.peek(7)) !== undefined, 'the server to answer');
      await f(7);
      expect(f.stats().hits).toBeLessThanOrEqual(1);
      await f.settled();
    });
  });

  it('is seen at once by a process that knows the clock of the server roughly', async () => {
    const open = () => {
      const cache = redisStore<string>(aheadBy(500, server.client()));
      return memoizeAsync(async (id: number) => `value ${id}`, { name: 'f', cache, ...windows });
    };
    const [one, two] = [open(), open()];
    await one(7);
    await one.settled();
    // Learns the time.
    await two(8);
    await one.expire(7);
    await Promise.all([one(7), two(7)]);
    expect([one.stats().stale, two.stats().stale]).toEqual([1, 1]);
    await Promise.all([one.settled(), two.settled()]);
  });
});
