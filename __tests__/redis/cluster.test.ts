import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

import { Cluster as Cluster6, Redis } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import { Cluster as ValkeyCluster } from 'iovalkey';
import { createCluster as createCluster4 } from 'redis4';
import { createCluster as createCluster5 } from 'redis5';
import { createCluster as createCluster6 } from 'redis';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { AddressInfo } from 'node:net';
import type { RedisClient } from 'aiocachetools/redis';
import type { OpenClient } from '../support/redis-clients.js';

const SLOTS = 16_384;

/** Three masters on loopback. */
describeRedis('redisStore on a cluster', () => {
  let servers: TestServer[];
  let nodes: Redis[];
  let ports: number[];

  beforeAll(async () => {
    const free = await freePorts(6);
    ports = free.slice(0, 3);
    const busPorts = free.slice(3);
    servers = await Promise.all(
      ports.map((port) =>
        TestServer.start(
          '--port',
          String(port),
          '--bind',
          '127.0.0.1',
          '--cluster-enabled',
          'yes',
          '--cluster-port',
          String(busPorts[ports.indexOf(port)]),
        ),
      ),
    );
    nodes = ports.map((port) => new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20 }));
    // The servers may still be starting.
    for (const node of nodes) node.on('error', () => undefined);
    await Promise.all(
      nodes.map((node, index) => {
        const first = Math.floor((index * SLOTS) / 3);
        const last = Math.floor(((index + 1) * SLOTS) / 3) - 1;
        return node.call('cluster', 'addslotsrange', String(first), String(last));
      }),
    );
    for (const port of ports.slice(1)) {
      await nodes[0]!.call('cluster', 'meet', '127.0.0.1', String(port), String(busPorts[ports.indexOf(port)]));
    }
    for (const node of nodes) {
      await until(async () => String(await node.call('cluster', 'info')).includes('cluster_state:ok'), 'the cluster');
      await until(
        async () =>
          String(await node.call('cluster', 'nodes'))
            .trim()
            .split('\n').length === 3,
        'the nodes to know each other',
      );
    }
  }, 30_000);

  afterAll(async () => {
    for (const node of nodes) node.disconnect();
    await Promise.all(servers.map((server) => server.close()));
  });

  const roots = (): { url: string }[] => ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
  const startupNodes = (): { host: string; port: number }[] => ports.map((port) => ({ host: '127.0.0.1', port }));

  const kinds: [string, () => Promise<OpenClient>][] = [
    ['ioredis 5', () => openIoRedis(Cluster5)],
    ['ioredis 6', () => openIoRedis(Cluster6)],
    ['ioredis 6 with a key prefix', () => openIoRedis(Cluster6, { keyPrefix: 'their:' })],
    ['iovalkey', () => openIoRedis(ValkeyCluster)],
    ['redis 4', () => openNodeRedis(createCluster4({ rootNodes: roots() }))],
    ['redis 5', () => openNodeRedis(createCluster5({ rootNodes: roots() }))],
    ['redis 6', () => openNodeRedis(createCluster6({ rootNodes: roots() }))],
  ];

  async function openIoRedis(
    Cluster: new (nodes: { host: string; port: number }[], options?: never) => unknown,
    options: object = {},
  ): Promise<OpenClient> {
    const client = new Cluster(startupNodes(), options as never) as { ping(): Promise<unknown>; disconnect(): void };
    await client.ping();
    return { client: client as unknown as RedisClient, close: () => client.disconnect() };
  }

  async function openNodeRedis(cluster: {
    connect(): Promise<unknown>;
    on(event: 'error', listener: () => void): unknown;
    destroy?(): unknown;
    disconnect?(): unknown;
  }): Promise<OpenClient> {
    cluster.on('error', () => undefined);
    await cluster.connect();
    return {
      client: cluster as unknown as RedisClient,
      close: () => (cluster.destroy === undefined ? cluster.disconnect?.() : cluster.destroy()),
    };
  }

  describe.each(kinds)('through %s', (_name, open) => {
    it('runs once for two processes, on every node, and clears them all', async () => {
      await Promise.all(nodes.map((node) => node.flushall()));
      await nodes[0]!.set(keyOn(0), 'foreign');
      const [one, other] = await Promise.all([open(), open()]);
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
      expect(await nodes[0]!.get(keyOn(0))).toBe('foreign');
      await one.close();
      await other.close();
    });

    it('tells every near store of changes', async () => {
      await Promise.all(nodes.map((node) => node.flushall()));
      const [one, other] = await Promise.all([open(), open()]);
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

  it('refuses to clear a cluster through a function, with the reason', async () => {
    await Promise.all(nodes.map((node) => node.flushall()));
    const cluster = new Cluster6(startupNodes());
    const store = redisStore((args) => cluster.call(args[0]!, ...args.slice(1)));
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, { name: 'a', cache: store });
    expect(await getUser(7)).toBe('user 7');
    await expect(getUser.clear()).rejects.toThrow('give `redisStore` the cluster client itself');
    cluster.disconnect();
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

/** A key whose slot is on the first node. */
function keyOn(_node: 0): string {
  // CRC16 of `3560` is 0: slot 0.
  return '{3560}foreign';
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
