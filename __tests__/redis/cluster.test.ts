import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { invalidateTags, memoizeAsync, tiered, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { createClient } from 'redis';
import { slotOf } from '../../lib/redis/cluster-slot.js';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { clusterFunctionKinds, clusterKinds } from '../support/redis-clients.js';
import { TestCluster } from '../support/redis-cluster.js';
import { describeRedis, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { ClusterKind, OpenClient } from '../support/redis-clients.js';

/** CRC16 of `3560` is 0, and slot 0 is on the first node. */
const foreign = '{3560}foreign';

describeRedis('redisStore on a cluster', () => {
  let cluster: TestCluster;
  let nodes: readonly Redis[];

  beforeAll(async () => {
    cluster = await TestCluster.start();
    nodes = cluster.nodes;
  }, 30_000);

  afterAll(() => cluster.close());

  const openTwo = (kind: ClusterKind): Promise<[OpenClient, OpenClient]> =>
    Promise.all([kind.open(cluster.ports), kind.open(cluster.ports)]);

  describe.each(clusterKinds)('through $name', (kind) => {
    it('runs once for two processes, on every node, and clears them all', async () => {
      await cluster.flush();
      await nodes[0]!.set(foreign, 'foreign');
      const [one, other] = await openTwo(kind);
      let runs = 0;
      const wrap = ({ client }: OpenClient, name: string) =>
        memoizeAsync(
          async (id: number) => {
            runs += 1;
            await new Promise((resolve) => setImmediate(resolve));
            return `value ${id}`;
          },
          { name, cache: redisStore(client), storeTimeout: 5_000 },
        );
      const [first, second] = [wrap(one, 'a'), wrap(other, 'a')];
      const neighbour = wrap(one, 'ab');
      const ids = Array.from({ length: 60 }, (_, id) => id);
      const answers = await Promise.all([...ids.map((id) => first(id)), ...ids.map((id) => second(id))]);
      expect(answers).toEqual([...ids, ...ids].map((id) => `value ${id}`));
      expect(runs).toBe(60);
      await Promise.all([first.settled(), second.settled()]);
      expect(await neighbour(1)).toBe('value 1');
      await neighbour.settled();
      const sizes = await Promise.all(nodes.map((node) => node.dbsize()));
      expect(sizes.every((size) => size > 5)).toBe(true);

      expect(await second.delete(1)).toBe(true);
      expect(await first.has(1)).toBe(false);
      await second.clear();
      expect(await Promise.all(ids.map((id) => first.has(id)))).toEqual(ids.map(() => false));
      expect(await neighbour.has(1)).toBe(true);
      expect(await nodes[0]!.get(foreign)).toBe('foreign');
      await one.close();
      await other.close();
    });

    it('invalidates tags and expires entries on every node', async () => {
      await cluster.flush();
      const [one, other] = await openTwo(kind);
      let runs = 0;
      const wrap = ({ client }: OpenClient) =>
        memoizeAsync(async (id: number) => `value ${id}, run ${(runs += 1)}`, {
          name: 'tagged',
          cache: redisStore(client),
          tags: (_value, id) => [id % 2 === 0 ? 'even' : 'odd'],
          ttl: 60_000,
          staleIfError: 60_000,
          storeTimeout: 5_000,
        });
      const [first, second] = [wrap(one), wrap(other)];
      const ids = Array.from({ length: 40 }, (_, id) => id);
      // The first results may be older than the marks, for the clocks of nodes differ.
      for (const id of ids) await first(id);
      await first.settled();
      await Promise.all(ids.map((id) => first(id)));
      await first.settled();
      expect(await Promise.all(ids.map((id) => second.has(id)))).toEqual(ids.map(() => true));
      await invalidateTags(second, ['odd']);
      expect(await Promise.all(ids.map((id) => first.has(id)))).toEqual(ids.map((id) => id % 2 === 0));
      const before = runs;
      expect(await first.expire(2)).toBe(true);
      expect([await second(2), runs]).toEqual([`value 2, run ${before + 1}`, before + 1]);
      await one.close();
      await other.close();
    });

    it('tells every near store of changes', async () => {
      await cluster.flush();
      const [one, other] = await openTwo(kind);
      const wrap = ({ client }: OpenClient) =>
        memoizeAsync(async (id: number) => `value ${id}`, {
          name: 'a',
          cache: tiered(new Map(), redisStore(client)),
          storeTimeout: 5_000,
        });
      const [first, second] = [wrap(one), wrap(other)];
      await second(7);
      await second.settled();
      await until(async () => {
        await first(7);
        return (await first.peek(7)) === 'value 7' && (await listeners()) >= 2;
      }, 'both to listen');
      await second.prime([7], 'primed');
      await until(async () => (await first(7)) === 'primed', 'the change to arrive');
      await one.close();
      await other.close();
      await until(async () => (await listeners()) === 0, 'the subscribers to close');
    });
  });

  describe.each(clusterFunctionKinds)('through $name', (kind) => {
    it('runs once for two processes, on every node', async () => {
      await cluster.flush();
      const [one, other] = await openTwo(kind);
      let runs = 0;
      const wrap = ({ client }: OpenClient) =>
        memoizeAsync(
          async (id: number) => {
            runs += 1;
            await new Promise((resolve) => setImmediate(resolve));
            return `value ${id}`;
          },
          { name: 'a', cache: redisStore(client), storeTimeout: 5_000 },
        );
      const [first, second] = [wrap(one), wrap(other)];
      const ids = Array.from({ length: 60 }, (_, id) => id);
      const answers = await Promise.all([...ids.map((id) => first(id)), ...ids.map((id) => second(id))]);
      expect(answers).toEqual([...ids, ...ids].map((id) => `value ${id}`));
      expect(runs).toBe(60);
      await Promise.all([first.settled(), second.settled()]);
      const sizes = await Promise.all(nodes.map((node) => node.dbsize()));
      expect(sizes.every((size) => size > 5)).toBe(true);

      expect(await second.delete(1)).toBe(true);
      expect(await first.has(1)).toBe(false);
      await one.close();
      await other.close();
    });

    it('refuses to invalidate tags, with the reason', async () => {
      const one = await kind.open(cluster.ports);
      await expect(invalidateTags(redisStore(one.client), ['a'])).rejects.toThrow('through a function');
      await one.close();
    });

    it('refuses to clear, with the reason', async () => {
      await cluster.flush();
      const opened = await kind.open(cluster.ports);
      const getUser = memoizeAsync(async (id: number) => `user ${id}`, { name: 'a', cache: redisStore(opened.client) });
      expect(await getUser(7)).toBe('user 7');
      await expect(getUser.clear()).rejects.toThrow('give `redisStore` the cluster client itself');
      await opened.close();
    });

    it('tells near stores of changes where a subscriber is given', async () => {
      await cluster.flush();
      const [one, other] = await openTwo(kind);
      const subscriber = createClient({ url: `redis://127.0.0.1:${cluster.ports[0]}` });
      await subscriber.connect();
      const wrap = ({ client }: OpenClient, given?: object) =>
        memoizeAsync(async (id: number) => `value ${id}`, {
          name: 'a',
          cache: tiered(new Map(), redisStore(client, { subscriber: given })),
          storeTimeout: 5_000,
        });
      const [first, second] = [wrap(one, subscriber), wrap(other)];
      await until(async () => {
        await first(7);
        return (await first.peek(7)) === 'value 7' && (await listeners()) === 1;
      }, 'one to listen');
      await second.prime([7], 'primed');
      await until(async () => (await first(7)) === 'primed', 'the change to arrive');
      await subscriber.close();
      await one.close();
      await other.close();
    });
  });

  describe.each([...clusterKinds, ...clusterFunctionKinds])('through $name', (kind) => {
    it('deletes an entry whose slot moves', async () => {
      await cluster.flush();
      const opened = await kind.open(cluster.ports);
      const { keyPrefix = '' } = (opened.client as { options?: { keyPrefix?: string } }).options ?? {};
      const store = redisStore<unknown>(opened.client);
      await store.set('a|1', { v: 1, value: 'x', storedAt: Date.now() });
      const { value } = new Keyspace({ prefix: 'aiocachetools:', keyPrefix, readableKeys: false }).of('a|1');
      const slot = slotOf(keyPrefix + value);
      const master = cluster.masterOf(slot);
      const takeBack = await cluster.moveSlot(slot, master, (master + 1) % 3);
      try {
        expect(await store.delete('a|1', 2_000)).toBe(true);
        expect(await store.get('a|1', 2_000)).toBeUndefined();
        expect(await store.delete('a|1', 2_000)).toBe(false);
      } finally {
        await takeBack();
        await opened.close();
      }
    });
  });

  async function listeners(): Promise<number> {
    const counts = await Promise.all(
      nodes.flatMap((node) =>
        ['aiocachetools:v1:writes', 'their:aiocachetools:v1:writes'].map((channel) => node.pubsub('NUMSUB', channel)),
      ),
    );
    return counts.reduce<number>((sum, [, count]) => sum + Number(count), 0);
  }
});

describeRedis('redisStore on a cluster with a dead master', () => {
  it.each([clusterKinds[0]!, ...clusterKinds.slice(-1), ...clusterFunctionKinds.slice(-1)])(
    'holds up the keys of that master only, and only a few times, through $name',
    async (kind) => {
      const cluster = await TestCluster.start();
      const opened = await kind.open(cluster.ports);
      try {
        const store = redisStore<unknown>(opened.client);
        const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
        const keys = Array.from({ length: 120 }, (_, id) => `a|${id}`);
        const isDead = (key: string): boolean => cluster.masterOf(slotOf(keyspace.of(key).value)) === 2;
        const [dead, alive] = [keys.filter(isDead), keys.filter((key) => !isDead(key))];
        for (const key of keys) await store.set(key, { v: 1, value: key, storedAt: Date.now() });
        cluster.freeze(2);
        let timeouts = 0;
        for (let round = 0; round < 80; round += 1) {
          await store.get(dead[round % dead.length]!, 50).then(undefined, (error: unknown) => {
            if (error instanceof TimeoutError) timeouts += 1;
          });
          const key = alive[round % alive.length]!;
          expect(await store.get(key, 5_000)).toMatchObject({ value: key });
        }
        // Five for each node or block of slots, and one a second after that.
        expect(timeouts).toBeLessThan(45);
        cluster.thaw(2);
        await until(
          async () => (await store.get(dead[0]!).then(undefined, () => undefined)) !== undefined,
          'the master to answer',
        );
      } finally {
        cluster.thaw(2);
        await opened.close();
        await cluster.close();
      }
    },
    30_000,
  );
});
