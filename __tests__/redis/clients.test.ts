import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Cluster } from 'ioredis';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { clientKinds, clusterFunctionKinds, clusterKinds } from '../support/redis-clients.js';
import { TestCluster } from '../support/redis-cluster.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import { storeContract } from '../support/store-contract.js';
import type { Redis } from 'ioredis';
import type { RedisStore } from 'aiocachetools/redis';
import type { StoreLike } from '../../lib/store/store-like.js';
import type { Acquired, Entry, Grant, SharedStore } from '../../lib/store/store.js';
import type { ClientKind, ClusterKind, OpenClient } from '../support/redis-clients.js';

/** Where values stand, as another program sees it. */
interface Site {
  flush(): Promise<unknown>;
  get(name: string): Promise<string | null>;
  set(name: string, text: string): Promise<unknown>;
}

/** The suite that every store passes, through one client. */
function redisContract(name: string, site: () => Site, open: () => Promise<OpenClient>): void {
  const closers = new WeakMap<object, () => Promise<void>>();
  const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
  let keyPrefix = '';
  const nameOf = (key: string): string => (key.includes('|') ? keyPrefix + keyspace.of(key).value : key);
  storeContract(`Redis through ${name}`, {
    open: async () => {
      await site().flush();
      const { client, whole } = await open();
      keyPrefix = (client as { options?: { keyPrefix?: string } }).options?.keyPrefix ?? '';
      const store = redisStore<unknown>(client);
      // Through a function `clear` would reject: what its message advises is what the suite clears with.
      const recorded = withRecordedCommits(store, whole === undefined ? store : redisStore<unknown>(whole));
      closers.set(recorded, () => store.close());
      return recorded;
    },
    close: (store) => closers.get(store)?.(),
    canList: true,
    isJson: true,
    deleteSays: [true, false],
    takesTtl: true,
    wantsName: true,
    ttl: 150,
    pass: async (milliseconds) => {
      const endsAt = performance.now() + milliseconds + 5;
      await until(() => performance.now() > endsAt, 'the time to pass');
    },
    peek: async (_store, key) => {
      const text = await site().get(nameOf(key));
      return text === null ? undefined : (JSON.parse(text.replace(/^1 \S+ \d+ /, '')) as unknown);
    },
    plant: (_store, key, value) => {
      const text = JSON.stringify(value);
      return site().set(nameOf(key), key.includes('|') ? `1 a.b 1700000000000 ${text}` : text);
    },
  });
}

/** Clients that are opened once and closed together. */
class OpenClients<Kind extends object> {
  readonly #open = new Map<Kind, OpenClient>();

  async of(kind: Kind, open: () => Promise<OpenClient>): Promise<OpenClient> {
    const known = this.#open.get(kind);
    if (known !== undefined) return known;
    const opened = await open();
    this.#open.set(kind, opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const opened of this.#open.values()) await opened.close();
  }
}

describeRedis('redisStore', () => {
  let server: TestServer;
  let raw: Redis;
  const clients = new OpenClients<ClientKind>();

  beforeAll(async () => {
    server = await TestServer.start();
    raw = server.client();
  });

  afterAll(async () => {
    await clients.close();
    await server.close();
  });

  const site = (): Site => ({
    flush: () => raw.flushall(),
    get: (name) => raw.get(name),
    set: (name, text) => raw.set(name, text),
  });

  for (const kind of clientKinds) {
    redisContract(kind.name, site, () => clients.of(kind, () => kind.open(server.socket)));

    it(`wakes a process that waits, through ${kind.name}`, async () => {
      await raw.flushall();
      const [one, other] = await Promise.all([kind.open(server.socket), kind.open(server.socket)]);
      let finish: (value: string) => void = () => undefined;
      let runs = 0;
      const wrap = ({ client }: OpenClient) =>
        memoizeAsync(
          (_key: string) => {
            runs += 1;
            return new Promise<string>((resolve) => (finish = resolve));
          },
          { name: 'shared', cache: redisStore(client) },
        );
      const [first, second] = [wrap(one), wrap(other)];
      const calls = [first('a')];
      await until(() => runs === 1, 'the run to start');
      calls.push(second('a'));
      await until(
        async () =>
          kind.canSubscribe ? (await raw.pubsub('CHANNELS', '*}:c')).length === 1 : second.stats().misses === 1,
        'the other to wait',
      );
      finish('value');
      expect(await Promise.all(calls)).toEqual(['value', 'value']);
      expect(runs).toBe(1);
      await Promise.all([first.settled(), second.settled()]);
      if (kind.canSubscribe) {
        await until(async () => (await raw.pubsub('CHANNELS', '*}:c')).length === 0, 'the end of it');
      }
      await one.close();
      await other.close();
      await until(async () => (await raw.pubsub('CHANNELS')).length === 0, 'the subscriber to close');
    });
  }
});

describeRedis('redisStore on a cluster', () => {
  let cluster: TestCluster;
  let raw: Cluster;
  const clients = new OpenClients<ClusterKind>();

  beforeAll(async () => {
    cluster = await TestCluster.start();
    raw = new Cluster(cluster.ports.map((port) => ({ host: '127.0.0.1', port })));
  }, 30_000);

  afterAll(async () => {
    raw.disconnect();
    await clients.close();
    await cluster.close();
  });

  const site = (): Site => ({
    flush: () => cluster.flush(),
    get: (name) => raw.get(name),
    set: (name, text) => raw.set(name, text),
  });

  for (const kind of [...clusterKinds, ...clusterFunctionKinds]) {
    redisContract(`a cluster, ${kind.name}`, site, () => clients.of(kind, () => kind.open(cluster.ports)));
  }
});

/** What a grant commits goes through the `set` of what this returns, where the suite records it and holds it up. */
function withRecordedCommits(store: RedisStore<unknown>, whole: RedisStore<unknown>): StoreLike {
  const grants = new Map<Entry<unknown>, Grant<unknown>>();
  const routed = (key: string, grant: Grant<unknown>): Grant<unknown> => ({
    lost: grant.lost,
    release: (why) => grant.release(why),
    commit: async (entry, ttl) => {
      grants.set(entry, grant);
      return recorded.set(key, entry, ttl) as Promise<'stored'>;
    },
  });
  const recorded: SharedStore = {
    get: (key, timeout) => store.get(key, timeout),
    set: (key, entry, ttl, timeout?: number) => {
      const grant = grants.get(entry);
      grants.delete(entry);
      return grant === undefined ? store.set(key, entry, ttl, timeout) : grant.commit(entry, ttl);
    },
    delete: (key, timeout) => store.delete(key, timeout),
    deleteByPrefix: (prefix, timeout) => whole.deleteByPrefix(prefix, timeout),
    acquire: async (key, options): Promise<Acquired<unknown>> => {
      const acquired = await store.acquire(key, options);
      return 'grant' in acquired ? { grant: routed(key, acquired.grant) } : acquired;
    },
    begin: async (key, options) => routed(key, await store.begin(key, options)),
  };
  return recorded;
}
