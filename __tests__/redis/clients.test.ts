import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Naming } from '../../lib/redis/names.js';
import { clientKinds } from '../support/redis-clients.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import { storeContract } from '../support/store-contract.js';
import type { Redis } from 'ioredis';
import type { RedisStore } from 'aiocachetools/redis';
import type { StoreLike } from '../../lib/store/store-like.js';
import type { Acquired, Entry, Grant, SharedStore } from '../../lib/store/store.js';
import type { ClientKind, OpenClient } from '../support/redis-clients.js';

describeRedis('redisStore', () => {
  let server: TestServer;
  let raw: Redis;
  const open = new Map<ClientKind, OpenClient>();
  const closers = new WeakMap<object, () => Promise<void>>();

  beforeAll(async () => {
    server = await TestServer.start();
    raw = server.client();
  });

  afterAll(async () => {
    for (const opened of open.values()) await opened.close();
    await server.close();
  });

  async function clientOf(kind: ClientKind): Promise<OpenClient> {
    const known = open.get(kind);
    if (known !== undefined) return known;
    const opened = await kind.open(server.socket);
    open.set(kind, opened);
    return opened;
  }

  for (const kind of clientKinds) {
    const keyPrefix = /a key prefix/.test(kind.name)
      ? kind.name.startsWith('ioredis')
        ? 'their*[own]:'
        : 'their:'
      : '';
    const naming = new Naming({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
    const nameOf = (key: string): string => (key.includes('|') ? keyPrefix + naming.of(key).value : key);
    storeContract(`Redis through ${kind.name}`, {
      open: async () => {
        await raw.flushall();
        const store = redisStore<unknown>((await clientOf(kind)).client);
        const recorded = withRecordedCommits(store);
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
        const text = await raw.get(nameOf(key));
        return text === null ? undefined : (JSON.parse(text.replace(/^1 \S+ \d+ /, '')) as unknown);
      },
      plant: (_store, key, value) => {
        const text = JSON.stringify(value);
        return raw.set(nameOf(key), key.includes('|') ? `1 a.b 1700000000000 ${text}` : text);
      },
    });

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

/** What a grant commits goes through the `set` of what this returns, where the suite records it and holds it up. */
function withRecordedCommits(store: RedisStore<unknown>): StoreLike {
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
    deleteByPrefix: (prefix, timeout) => store.deleteByPrefix(prefix, timeout),
    acquire: async (key, options): Promise<Acquired<unknown>> => {
      const acquired = await store.acquire(key, options);
      return 'grant' in acquired ? { grant: routed(key, acquired.grant) } : acquired;
    },
    begin: async (key, options) => routed(key, await store.begin(key, options)),
  };
  return recorded;
}
