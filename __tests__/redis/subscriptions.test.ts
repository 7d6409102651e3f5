import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool } from 'redis';
import { HomeContext } from '../../lib/platform/home-context.js';
import { clientKinds, clusterKinds } from '../support/redis-clients.js';
import { TestCluster } from '../support/redis-cluster.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { RedisClient, RedisStoreOptions } from 'aiocachetools/redis';
import type { AnnouncingStore, Change } from '../../lib/store/store.js';

describe('HomeContext', () => {
  it('runs jobs in the context in which it was made', async () => {
    const context = new AsyncLocalStorage<string>();
    const home = context.run('home', () => new HomeContext());
    const seen: (string | undefined)[] = [];
    for (const name of ['first', 'second']) {
      context.run(name, () => home.run(() => seen.push(context.getStore())));
      await new Promise((wake) => setImmediate(wake));
    }
    expect(seen).toEqual(['home', 'home']);
  });
});

/** Uses a store as `tiered` does, and keeps what it hears. */
function watch(client: RedisClient, options: RedisStoreOptions = {}) {
  const store = redisStore<unknown>(client, options);
  const changes: Change[] = [];
  const watched = (store as AnnouncingStore).watch((change) => void changes.push(change))!;
  return { store, watched, changes, last: () => changes.at(-1)?.type };
}

describe('the subscriber of a redisStore', () => {
  const client = new Redis({ lazyConnect: true });

  it.each<[string, object]>([
    ['a pool', createClientPool()],
    ['a plain object', {}],
    ['an object with a single method', { call: () => undefined }],
  ])('is refused where it is %s', (_name, subscriber) => {
    expect(() => redisStore(client, { subscriber })).toThrow(
      'Expected `subscriber` to be a client of ioredis, iovalkey or node-redis that can subscribe, got object',
    );
  });

  it('is refused where it is the client itself', () => {
    expect(() => redisStore(client, { subscriber: client })).toThrow(
      'Expected `subscriber` to be a connection of its own, got the client itself',
    );
  });
});

describeRedis('messages', () => {
  let server: TestServer;
  let raw: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    raw = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => {
    await raw.flushall();
    await until(async () => (await listeners()) === 0, 'earlier subscribers to be gone');
  });

  const listeners = async (): Promise<number> => {
    const list = String(await raw.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim();
    return list === '' ? 0 : list.split('\n').length;
  };

  const kinds = clientKinds.filter(({ canSubscribe }) => canSubscribe);

  it.each(kinds)('come over one connection for all stores of a client, through $name', async (kind) => {
    const opened = await kind.open(server.socket);
    const all = Array.from({ length: 12 }, (_, index) => watch(opened.client, { prefix: `p${index}:` }));
    for (const { watched } of all) await watched.get('a|1');
    await until(() => all.every(({ last }) => last() === 'back'), 'all to hear');
    expect(await listeners()).toBe(1);
    for (const { store } of all.slice(1)) await store.close();
    expect(await listeners()).toBe(1);
    expect(all[0]!.last()).toBe('back');
    await all[0]!.store.close();
    await until(async () => (await listeners()) === 0, 'the connection to close');
    await opened.close();
  });

  it.each(kinds)('come again after the connection was killed, through $name', async (kind) => {
    const opened = await kind.open(server.socket);
    const one = watch(opened.client);
    await one.watched.get('a|1');
    for (let round = 0; round < 3; round += 1) {
      await until(() => one.last() === 'back', 'messages');
      one.changes.length = 0;
      await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(() => one.changes.some(({ type }) => type === 'lost'), 'the loss');
    }
    await until(() => one.last() === 'back', 'messages');
    await one.store.close();
    await opened.close();
  });

  it('come again through a node-redis client that never connects again', async () => {
    const client = await createClient({
      socket: { path: server.socket, tls: false, reconnectStrategy: false },
    }).connect();
    client.on('error', () => undefined);
    const one = watch(client);
    await one.watched.get('a|1');
    await until(() => one.last() === 'back', 'messages');
    await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => one.last() === 'lost', 'the loss');
    await until(() => one.last() === 'back', 'messages');
    await one.store.close();
    client.destroy();
  });

  it('come through a given client that waits to be connected', async () => {
    const client = server.client();
    const givens = [
      server.client({ lazyConnect: true }),
      createClient({ socket: { path: server.socket, tls: false } }),
    ];
    for (const subscriber of givens) {
      const one = watch(client, { subscriber });
      await one.watched.get('a|1');
      await until(() => one.last() === 'back', 'messages');
      await one.store.close();
    }
    (givens[1] as ReturnType<typeof createClient>).destroy();
    (givens[0] as Redis).disconnect();
  });

  it('are refused to a user without channels, which is told', async () => {
    await raw.call('ACL', 'SETUSER', 'deaf', 'on', 'nopass', '~*', '+@all', 'resetchannels');
    const client = server.client({ username: 'deaf', password: 'x' });
    const one = watch(client);
    await one.watched.get('a|1');
    await until(
      () => one.changes.some((change) => change.type === 'lost' && change.error !== undefined),
      'the refusal',
    );
    await one.store.close();
  });

  it('are refused to a user without channels, which the next write tells once by an event', async () => {
    await raw.call('ACL', 'SETUSER', 'deaf', 'on', 'nopass', '~*', '+@all', 'resetchannels');
    const store = redisStore<number>(server.client({ username: 'deaf', password: 'x' }));
    const errors: unknown[] = [];
    const f = memoizeAsync(async (id: number) => id, {
      name: 'told',
      cache: tiered(new Map(), store),
      onEvent: (event) => {
        if (event.type === 'store-error') errors.push(event.error);
      },
    });
    let id = 0;
    await until(async () => {
      await f((id += 1));
      await f.settled();
      return errors.length > 0;
    }, 'the event');
    await f((id += 1));
    await f.settled();
    expect(errors.map(String)).toEqual([
      'Error: The server does not let this user hear of changes. Near entries answer for `nearTtl`',
    ]);
    await store.close();
  });

  it('do not keep a process alive when the server is dead', async () => {
    const script = `
      import { Redis } from 'ioredis';
      import { memoizeAsync, tiered } from 'aiocachetools';
      import { redisStore } from 'aiocachetools/redis';
      const client = new Redis({ path: process.argv[1], retryStrategy: () => 50, maxRetriesPerRequest: 0 });
      client.on('error', () => undefined);
      const f = memoizeAsync(async (id) => id, { name: 'a', cache: tiered(new Map(), redisStore(client)) });
      await f(1);
      client.disconnect();
    `;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script, resolve(server.directory, 'nothing.sock')],
      { stdio: 'inherit' },
    );
    const code = await new Promise((done) => child.once('exit', done));
    expect(code).toBe(0);
  }, 20_000);
});

describeRedis('messages of a cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await TestCluster.start();
  }, 30_000);

  afterAll(() => cluster.close());

  const heard = async (one: ReturnType<typeof watch>): Promise<void> => {
    await one.watched.get('a|1', 5_000);
    await until(() => one.last() === 'back', 'messages');
  };

  it('come where the given subscriber is an ioredis cluster', async () => {
    const nodes = cluster.ports.map((port) => ({ host: '127.0.0.1', port }));
    const [client, subscriber] = [new Cluster(nodes), new Cluster(nodes, { lazyConnect: true })];
    const one = watch(client, { subscriber });
    await heard(one);
    await redisStore<unknown>(client).set('a|1', { v: 1, storedAt: Date.now() });
    await until(() => one.last() === 'key', 'the announcement');
    await one.store.close();
    client.disconnect();
    subscriber.disconnect();
  });
});

describeRedis('messages of a cluster that loses a node', () => {
  it.each([clusterKinds[0]!, clusterKinds[4]!, ...clusterKinds.slice(-1)])(
    'come from another node, through $name',
    async (kind) => {
      const cluster = await TestCluster.start();
      const opened = await kind.open(cluster.ports);
      try {
        const one = watch(opened.client);
        await one.watched.get('a|1', 5_000);
        await until(() => one.last() === 'back', 'messages');
        const counts = await Promise.all(
          cluster.nodes.map(async (node) => Number((await node.pubsub('NUMSUB', 'aiocachetools:v1:fences'))[1])),
        );
        one.changes.length = 0;
        await cluster.kill(counts.indexOf(1));
        await until(() => one.changes.some(({ type }) => type === 'lost'), 'the loss');
        await until(() => one.last() === 'back', 'messages');
        await one.store.close();
      } finally {
        await opened.close();
        await cluster.close();
      }
    },
    40_000,
  );
});

describe('tiered', () => {
  it('asks nothing of a client that is no function, before it is used', () => {
    const client = new Redis({ lazyConnect: true });
    memoizeAsync(async (id: number) => id, { name: 'a', cache: tiered(new Map(), redisStore(client)) });
    expect(client.status).toBe('wait');
  });
});
