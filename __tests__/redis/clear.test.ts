import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { clusterKinds } from '../support/redis-clients.js';
import { TestCluster } from '../support/redis-cluster.js';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { CommandFunction } from 'aiocachetools/redis';

const ids = Array.from({ length: 30 }, (_, id) => id);
const entry = (value: unknown) => ({ v: 1 as const, value, storedAt: Date.now() });

describeRedis('clear', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  it('finds ten entries among very many others in few steps', async () => {
    await client.call('DEBUG', 'POPULATE', '200000', 'foreign');
    const store = redisStore<unknown>(client);
    for (let id = 0; id < 10; id += 1) await store.set(`few|${id}`, entry(id));
    await client.config('RESETSTAT');
    await store.deleteByPrefix('few|', 20_000);
    const [, scans] = /cmdstat_scan:calls=(\d+)/.exec(await client.info('commandstats'))!;
    expect(Number(scans)).toBeLessThanOrEqual(110);
    expect(await client.dbsize()).toBe(200_000);
    await client.flushall();
  });

  it('works for a user who may not ask for the size', async () => {
    await client.call('ACL', 'SETUSER', 'narrow', 'on', 'nopass', '~*', '&*', '+@all', '-dbsize', '-info');
    const narrow = server.client({ username: 'narrow', password: 'x', enableReadyCheck: false });
    for (const given of [narrow, ((args) => narrow.call(args[0]!, ...args.slice(1))) as CommandFunction]) {
      const store = redisStore<unknown>(given);
      await store.set('a|1', entry(1));
      await store.deleteByPrefix('a|');
      expect(await store.get('a|1')).toBeUndefined();
    }
  });

  it.each(['info', 'dbsize', 'scan', 'unlink', 'publish'])(
    'rejects in time when the reply to %s is lost, and calls go on',
    async (lost) => {
      let isLosing = false;
      const lossy: CommandFunction = ([command, ...args]) =>
        isLosing && command === lost ? new Promise(() => undefined) : client.call(command!, ...args);
      const f = memoizeAsync(async (id: number) => id, { name: 'a', cache: redisStore(lossy), storeTimeout: 200 });
      await f(1);
      await f.settled();
      isLosing = true;
      const startedAt = performance.now();
      await expect(f.clear()).rejects.toThrow(TimeoutError);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      isLosing = false;
      await f(2);
      await f.settled();
      expect(await f.has(2)).toBe(true);
    },
  );
});

describeRedis('clear on a cluster', () => {
  jest.setTimeout(60_000);
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start();
  }, 30_000);

  afterAll(() => cluster.close());

  const count = async (): Promise<number> =>
    (await Promise.all(cluster.nodes.map((node) => node.dbsize()))).reduce((sum, size) => sum + size, 0);

  describe.each(clusterKinds)('through $name', (kind) => {
    it('reaches every entry, also as the first command of a client', async () => {
      await cluster.flush();
      const [one, other] = [await kind.open(cluster.ports), await kind.open(cluster.ports, { isLazy: true })];
      const store = redisStore<unknown>(one.client);
      await Promise.all(ids.map((id) => store.set(`a|${id}`, entry(id), undefined, 5_000)));
      expect(await count()).toBe(ids.length);
      await redisStore(other.client).deleteByPrefix('a|', 5_000);
      expect(await count()).toBe(0);
      await one.close();
      await other.close();
    });
  });
});

describeRedis('clear on a cluster with a master away', () => {
  it.each([clusterKinds[0]!, ...clusterKinds.slice(-1)])(
    'rejects through $name',
    async (kind) => {
      const cluster = await TestCluster.start();
      const [one, other] = [await kind.open(cluster.ports), await kind.open(cluster.ports)];
      try {
        const store = redisStore<unknown>(one.client);
        await Promise.all(ids.map((id) => store.set(`a|${id}`, entry(id), undefined, 5_000)));
        await cluster.kill(2);
        const startedAt = performance.now();
        await expect(redisStore(other.client).deleteByPrefix('a|', 500)).rejects.toThrow();
        expect(performance.now() - startedAt).toBeLessThan(5_000);
      } finally {
        await one.close();
        await other.close();
        await cluster.close();
      }
    },
    30_000,
  );
});
