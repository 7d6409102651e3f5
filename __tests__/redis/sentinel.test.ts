import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Redis } from 'ioredis';
import * as redis6 from 'redis';
import * as redis5 from 'redis5';
import { freePorts } from '../support/redis-cluster.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { RedisClient } from 'aiocachetools/redis';

/** Ends with its stdin, as the servers of the other suites do. */
const guard = 'redis-server "$1" --sentinel >/dev/null 2>&1 & p=$!; cat >/dev/null; kill -9 $p; wait $p';

/** A master, its replicas and a Sentinel that watches them, on loopback ports. */
class Watched {
  private constructor(
    readonly sentinelPort: number,
    readonly replicaPort: number | undefined,
    readonly servers: readonly TestServer[],
    readonly close: () => Promise<void>,
  ) {}

  static async start(replicas: number): Promise<Watched> {
    const [sentinelPort, masterPort, ...replicaPorts] = (await freePorts(2 + replicas)) as [
      number,
      number,
      ...number[],
    ];
    const startOn = (port: number, ...args: string[]): Promise<TestServer> =>
      TestServer.start('--port', String(port), '--bind', '127.0.0.1', ...args);
    const servers = [await startOn(masterPort)];
    for (const port of replicaPorts) servers.push(await startOn(port, '--replicaof', '127.0.0.1', String(masterPort)));
    const directory = mkdtempSync(join(tmpdir(), 'aiocachetools-sentinel-'));
    const config = join(directory, 'sentinel.conf');
    writeFileSync(
      config,
      [
        `port ${sentinelPort}`,
        'bind 127.0.0.1',
        `dir ${directory}`,
        `sentinel monitor main 127.0.0.1 ${masterPort} 1`,
        'sentinel down-after-milliseconds main 300',
        'sentinel failover-timeout main 2000',
        '',
      ].join('\n'),
    );
    const sentinel = spawn('sh', ['-c', guard, 'guard', config], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const asked = new Redis({ host: '127.0.0.1', port: sentinelPort, retryStrategy: () => 20 });
    asked.on('error', () => undefined);
    const close = async (): Promise<void> => {
      asked.disconnect();
      const gone = new Promise((resolve) => sentinel.once('close', resolve));
      sentinel.stdin.end();
      await gone;
      await Promise.all(servers.map((server) => server.close()));
      rmSync(directory, { recursive: true, force: true });
    };
    try {
      const known = async (): Promise<number> =>
        ((await asked.call('sentinel', 'replicas', 'main')) as unknown[]).length;
      await until(async () => (await known()) === replicas, 'Sentinel to know all servers');
    } catch (error) {
      await close();
      throw error;
    }
    return new Watched(sentinelPort, replicaPorts[0], servers, close);
  }
}

/** How clients are opened, by name. */
const kinds: [string, (port: number) => Promise<{ client: RedisClient; close: () => unknown }>][] = [
  [
    'redis 6',
    async (port) => {
      const client = redis6.createSentinel(options(port));
      client.on('error', () => undefined);
      await client.connect();
      return { client, close: () => client.destroy() };
    },
  ],
  [
    'redis 5',
    async (port) => {
      const client = redis5.createSentinel(options(port));
      client.on('error', () => undefined);
      await client.connect();
      return { client, close: () => client.destroy() };
    },
  ],
  [
    'ioredis 6',
    async (port) => {
      const client = new Redis({
        sentinels: [{ host: '127.0.0.1', port }],
        name: 'main',
        sentinelRetryStrategy: () => 50,
      });
      client.on('error', () => undefined);
      return { client, close: () => client.disconnect() };
    },
  ],
];

const options = (port: number) => ({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port }] });

describeRedis('redisStore through Sentinel', () => {
  let watched: Watched;

  beforeAll(async () => {
    watched = await Watched.start(0);
  }, 30_000);

  afterAll(async () => {
    await watched.close();
  });

  it.each(kinds)('runs once for two processes, deletes and clears, with %s', async (_name, open) => {
    const [one, other] = [await open(watched.sentinelPort), await open(watched.sentinelPort)];
    let runs = 0;
    const wrap = (client: RedisClient) =>
      memoizeAsync(
        async (id: number) => {
          runs += 1;
          await new Promise((resolve) => setImmediate(resolve));
          return `value ${id}`;
        },
        { name: 'a', cache: redisStore(client), storeTimeout: 5_000 },
      );
    const [first, second] = [wrap(one.client), wrap(other.client)];
    expect(await Promise.all([first(1), second(1), first(2), second(2)])).toEqual([
      'value 1',
      'value 1',
      'value 2',
      'value 2',
    ]);
    expect(runs).toBe(2);
    await Promise.all([first.settled(), second.settled()]);
    expect(await second.delete(1)).toBe(true);
    expect(await first.has(1)).toBe(false);
    await first.clear();
    expect(await second.has(2)).toBe(false);
    await one.close();
    await other.close();
  });
});

describeRedis('redisStore through Sentinel, when the master dies', () => {
  it.each(kinds)(
    'goes on with the replica: hits, runs, deletes, with %s',
    async (_name, open) => {
      const watched = await Watched.start(1);
      const { client, close } = await open(watched.sentinelPort);
      try {
        let runs = 0;
        const load = memoizeAsync(async (id: number) => `value ${id}, run ${(runs += 1)}`, {
          name: 'a',
          cache: redisStore(client),
          storeTimeout: 500,
        });
        const [master, replica] = watched.servers;
        expect(await load(1)).toBe('value 1, run 1');
        await load.settled();
        const copy = replica!.client({ path: undefined, host: '127.0.0.1', port: watched.replicaPort });
        await until(async () => (await copy.dbsize()) > 0, 'the replica to have the value');

        await master!.kill();
        // No server: a run, and nothing is lost for the caller.
        expect(await load(2)).toMatch(/^value 2, run \d+$/);
        await until(async () => (await copy.role())[0] === 'master', 'the replica to be the master');
        const before = runs;
        await until(() => load.has(1), 'the client to find the new master');
        expect(await load(1)).toBe('value 1, run 1');
        expect(runs).toBe(before);
        expect(await load.delete(1)).toBe(true);
        expect(await load(1)).toBe(`value 1, run ${before + 1}`);
        await load.settled();
        expect(await copy.dbsize()).toBeGreaterThan(0);
      } finally {
        await close();
        await watched.close();
      }
    },
    60_000,
  );
});
