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

describeRedis('redisStore through Sentinel', () => {
  let master: TestServer;
  let directory: string;
  let sentinel: ReturnType<typeof spawn>;
  let ports: readonly [number, number];

  beforeAll(async () => {
    ports = (await freePorts(2)) as [number, number];
    const [port, sentinelPort] = ports;
    master = await TestServer.start('--port', String(port), '--bind', '127.0.0.1');
    directory = mkdtempSync(join(tmpdir(), 'aiocachetools-sentinel-'));
    const config = join(directory, 'sentinel.conf');
    writeFileSync(
      config,
      `port ${sentinelPort}\nbind 127.0.0.1\ndir ${directory}\nsentinel monitor main 127.0.0.1 ${port} 1\n`,
    );
    sentinel = spawn('sh', ['-c', guard, 'guard', config], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    const asked = new Redis({ host: '127.0.0.1', port: sentinelPort, retryStrategy: () => 20 });
    asked.on('error', () => undefined);
    await until(async () => Array.isArray(await asked.call('sentinel', 'get-master-addr-by-name', 'main')), 'Sentinel');
    asked.disconnect();
  }, 30_000);

  afterAll(async () => {
    const gone = new Promise((resolve) => sentinel.once('close', resolve));
    sentinel.stdin!.end();
    await gone;
    await master.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const options = () => ({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: ports[1] }] });

  const kinds: [string, () => Promise<{ client: RedisClient; close: () => unknown }>][] = [
    [
      'redis 6',
      async () => {
        const client = redis6.createSentinel(options());
        client.on('error', () => undefined);
        await client.connect();
        return { client, close: () => client.destroy() };
      },
    ],
    [
      'redis 5',
      async () => {
        const client = redis5.createSentinel(options());
        client.on('error', () => undefined);
        await client.connect();
        return { client, close: () => client.destroy() };
      },
    ],
    [
      'ioredis 6',
      async () => {
        const client = new Redis({ sentinels: [{ host: '127.0.0.1', port: ports[1] }], name: 'main' });
        return { client, close: () => client.disconnect() };
      },
    ],
  ];

  it.each(kinds)('runs once for two processes, deletes and clears, with %s', async (_name, open) => {
    const [one, other] = [await open(), await open()];
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
