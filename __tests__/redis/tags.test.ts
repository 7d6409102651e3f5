import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { invalidateTags, memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { writeMarks } from '../../lib/redis/scripts.js';
import { createSource, deferred } from '../support/call-recorder.js';
import { recordsOf, valuesOf } from '../support/redis-fleet.js';
import { aheadBy, describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Entry, MemoizeOptions, SharedStore } from 'aiocachetools';

const MARKS = 'aiocachetools:v1:marks';

type Options = MemoizeOptions<(id: number) => Promise<string>>;

describeRedis('tags', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => void (await client.flushall()));

  const caches: [string, (own?: Redis) => SharedStore<string>][] = [
    ['redisStore', (own) => redisStore<string>(own ?? server.client())],
    [
      'tiered over redisStore',
      (own) => tiered<string>(new Map<string, Entry<string>>(), redisStore(own ?? server.client())),
    ],
  ];

  describe.each(caches)('with %s', (_, cache) => {
    /** A process of its own, as far as the server can tell. */
    function open(options: Options = {}, name = 'f') {
      let version = 0;
      const store = cache();
      const f = memoizeAsync(async (id: number) => `${id}, version ${(version += 1)}`, {
        name,
        cache: store,
        tags: (_value, id) => [`id:${id}`, id % 2 === 0 ? 'even' : 'odd, é *'],
        ...options,
      });
      return { f, store };
    }

    it('stores a first result that others hit', async () => {
      const [one, two] = [open(), open()];
      expect(await one.f(1)).toBe('1, version 1');
      await one.f.settled();
      expect([await two.f(1), await one.f(1)]).toEqual(['1, version 1', '1, version 1']);
      expect([one.f.stats().runs, two.f.stats().runs]).toEqual([1, 0]);
    });

    it('forgets in every process and wrapper what carries one of the tags, and nothing else', async () => {
      const [one, two, other] = [open(), open(), open({}, 'other')];
      for (const id of [1, 2]) {
        for (const { f } of [one, other]) await f(id);
      }
      await one.f.settled();
      await other.f.settled();
      await two.f(1);
      await invalidateTags(two.store, ['odd, é *', 'unknown']);
      expect([await two.f.has(1), await two.f.has(2)]).toEqual([false, true]);
      for (const { f } of [one, other]) {
        await until(async () => !(await f.has(1)), 'the message');
        expect(await f.has(2)).toBe(true);
      }
      expect(await one.f(1)).toBe('1, version 3');
      await one.f.settled();
      // One run over all processes.
      expect(await two.f(1)).toBe('1, version 3');
      expect(two.f.stats().runs).toBe(0);
    });

    it('refuses a run of another process that began before, whatever its tags turn out to be', async () => {
      const { fn, runs } = createSource();
      const one = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
      const two = open();
      const running: Promise<string>[] = [];
      for (const id of [1, 2]) {
        running.push(one(id));
        await until(() => runs.length === id, 'the run to start');
      }
      await invalidateTags(two.store, ['a']);
      runs[0]!.resolve('a');
      runs[1]!.resolve('b');
      expect(await Promise.all(running)).toEqual(['a', 'b']);
      await one.settled();
      expect([await two.f.peek(1), await two.f.peek(2)]).toEqual([undefined, 'b']);
    });

    it('keeps no result of a run of this process that began before', async () => {
      const { fn, runs } = createSource();
      const f = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
      const old = f(1);
      await until(() => runs.length === 1, 'the run to start');
      await invalidateTags(f, ['a']);
      const young = f(1);
      runs[0]!.resolve('a');
      expect(await old).toBe('a');
      await until(() => runs.length === 2, 'another run to start');
      runs[1]!.resolve('a');
      expect(await young).toBe('a');
      await f.settled();
      expect([await f.peek(1), f.stats().discards]).toEqual(['a', 1]);
    });

    it('softly: the old value answers everywhere inside a stale window, and one refreshes it', async () => {
      const windows = { ttl: 60_000, staleWhileRevalidate: 20_000 };
      const [one, two] = [open(windows), open(windows)];
      await one.f(1);
      await one.f.settled();
      await two.f(1);
      await invalidateTags(one.store, ['id:1'], { soft: true });
      expect(await one.f(1)).toBe('1, version 1');
      await one.f.settled();
      expect(one.f.stats()).toMatchObject({ stale: 1, runs: 2 });
      await until(async () => (await two.f(1)) === '1, version 2', 'the other one to see it');
    });

    it('takes everything for void where the marks were lost', async () => {
      const one = open();
      const two = open({ ttl: 60_000 });
      await one.f(1);
      await one.f.settled();
      await invalidateTags(one.store, ['id:1']);
      await client.del(MARKS);
      expect([await two.f.has(1), await two.f.has(1)]).toEqual([false, false]);
      await two.f(1);
      await two.f.settled();
      expect(await two.f.has(1)).toBe(true);
    });

    it.each([{}, { soft: true }])('judges what was waited for, %j', async (how) => {
      const { fn, runs } = createSource();
      const one = memoizeAsync(fn, { name: 'f', cache: cache(), tags: (value) => [value] });
      const two = open();
      const old = one(1);
      await until(() => runs.length === 1, 'the run to start');
      await invalidateTags(two.store, ['a'], how);
      const waiting = two.f(1);
      await until(async () => (await client.pubsub('CHANNELS', '*:c')).length > 0, 'the other one to wait');
      runs[0]!.resolve('a');
      expect([await old, await waiting]).toEqual(['a', '1, version 1']);
      await two.f.settled();
      expect(await recordsOf(client)).toEqual([]);
    });

    it('rejects where the server cannot be reached', async () => {
      const { f, store } = open({ storeTimeout: 100 });
      await f(1);
      await f.settled();
      server.freeze();
      await expect(invalidateTags(store, ['id:1'])).rejects.toThrow('did not answer');
      server.thaw();
      await until(async () => (await client.ping()) === 'PONG', 'the server to answer');
    });
  });

  it('softly ends what is stored also where the clock of the server is known roughly', async () => {
    const cache = redisStore<string>(aheadBy(500, server.client()));
    const f = memoizeAsync(async (id: number) => `value ${id}`, { name: 'f', cache, tags: ['t'] });
    await f(1);
    await f.settled();
    await invalidateTags(f, ['t'], { soft: true });
    expect(await f.has(1)).toBe(false);
  });

  it('remembers the last two soft invalidations of a tag, so that none lengthens a life', async () => {
    const store = redisStore<string>(server.client());
    let before: string | undefined;
    for (let round = 0; round < 3; round += 1) {
      await invalidateTags(store, ['t'], { soft: true });
      const mark = (await client.hget(MARKS, 's#t'))!;
      expect(mark.split(' ').slice(1)).toEqual(before === undefined ? [] : [before]);
      [before] = mark.split(' ');
    }
  });

  it('costs nothing without tags: the same commands and the same bytes', async () => {
    const own = server.client();
    const f = memoizeAsync(async (id: number) => `value ${id}`, { name: 'f', cache: redisStore(own) });
    await f(1);
    await f.settled();
    const [name] = await valuesOf(client);
    expect(await client.get(name!)).toMatch(/^1 \S+ \d+ \{"v":1,"value":"value 1","storedAt":\d+\}$/);
    await client.config('RESETSTAT');
    await f(1);
    const stats = await client.info('commandstats');
    expect(stats).toMatch(/cmdstat_get:calls=1,/);
    expect(stats).not.toMatch(/cmdstat_(hmget|evalsha|eval)/);
  });

  it('costs one command more in a tick with tags', async () => {
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: redisStore(server.client()),
      tags: (_value, id) => [`id:${id}`],
    });
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await Promise.all(ids.map((id) => f(id)));
    await f.settled();
    await Promise.all(ids.map((id) => f(id)));
    await client.config('RESETSTAT');
    await Promise.all(ids.map((id) => f(id)));
    const stats = await client.info('commandstats');
    expect(stats).toMatch(/cmdstat_mget:calls=1,/);
    expect(stats).toMatch(/cmdstat_hmget:calls=1,/);
    expect(stats).not.toMatch(/cmdstat_(evalsha|eval)/);
    expect(f.stats()).toMatchObject({ hits: 40, runs: 20 });
  });

  it('asks for nothing at a near hit', async () => {
    const near = new Map<string, Entry<string>>();
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: tiered(near, redisStore(server.client())),
      tags: ['t'],
    });
    await f(1);
    await until(async () => {
      await f(1);
      await f.settled();
      await client.config('RESETSTAT');
      await f(1);
      return !/cmdstat_(mget|get|hmget)/.test(await client.info('commandstats'));
    }, 'near to be in use');
  });

  it('keeps 10,000 marks at most, and is only forgetful beyond', async () => {
    const store = redisStore<string>(server.client());
    const f = memoizeAsync(async (id: number) => `value ${id}`, { name: 'f', cache: store, tags: ['mine'] });
    await f(1);
    await f.settled();
    for (let batch = 0; batch < 11; batch += 1) {
      await invalidateTags(
        store,
        Array.from({ length: 1_000 }, (_, index) => `${batch}:${index}`),
      );
    }
    expect(await client.hlen(MARKS)).toBeLessThanOrEqual(10_000);
    expect(await f.has(1)).toBe(false);
  });

  it('keeps the results of an outage near, also where their tags were once invalidated', async () => {
    const near = new Map<string, Entry<string>>();
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: tiered(near, redisStore(server.client())),
      tags: ['t'],
      storeTimeout: 100,
    });
    await f(1);
    await f.settled();
    await invalidateTags(f, ['t']);
    server.freeze();
    await f(2);
    await f.settled();
    expect(await f(2)).toBe('value 2');
    expect(f.stats().runs).toBe(2);
    server.thaw();
    await until(async () => (await client.ping()) === 'PONG', 'the server to answer');
    await invalidateTags(f, ['t']);
    expect(await f.peek(2)).toBeUndefined();
  });

  it('hears of its own invalidation, which the server may have carried out late', async () => {
    const own = server.client();
    const held = deferred<void>();
    const send = async ([command, ...args]: string[]): Promise<unknown> => {
      if (args[0] === writeMarks.sha) await held.promise;
      return own.call(command!, ...args);
    };
    await client.call('SCRIPT', 'LOAD', writeMarks.source);
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: tiered(new Map<string, Entry<string>>(), redisStore(send, { subscriber: server.client() })),
      tags: ['t'],
    });
    await f(1);
    await f.settled();
    await expect(invalidateTags(f, ['t'])).rejects.toThrow('did not answer');
    expect(await f(1)).toBe('value 1');
    held.resolve();
    await until(async () => !(await f.has(1)), 'the message');
    expect(f.stats().runs).toBe(1);
  });

  it('leaves an outage without entries that may have been invalidated', async () => {
    const own = server.client();
    const near = new Map<string, Entry<string>>();
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: tiered(near, redisStore(own)),
      tags: ['t'],
      storeTimeout: 100,
    });
    await f(1);
    await f.settled();
    await f(1);
    server.freeze();
    await expect(invalidateTags(f, ['t'])).rejects.toThrow('did not answer');
    expect(await f.peek(1)).toBeUndefined();
    server.thaw();
    await until(async () => (await client.ping()) === 'PONG', 'the server to answer');
  });
});
