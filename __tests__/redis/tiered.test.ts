import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Keyv } from 'keyv';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { Fleet } from '../support/redis-fleet.js';
import { Proxy } from '../support/redis-proxy.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Entry } from '../../lib/store/store.js';

describeRedis('tiered over redisStore', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => {
    await client.flushall();
    await client.config('RESETSTAT');
  });

  const listeners = async (): Promise<number> => Number((await client.pubsub('NUMSUB', 'aiocachetools:v1:writes'))[1]);

  const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });

  /** A process of its own, as far as the server can tell. */
  function open(
    own: Redis = server.client(),
    near: Map<string, Entry<unknown>> | Keyv = new Map(),
    subscriber?: Redis,
  ) {
    let version = 0;
    let gets = 0;
    const call = own.call.bind(own);
    own.call = ((...args: Parameters<typeof call>) => {
      if (args[0] === 'get') gets += 1;
      return call(...args);
    }) as typeof call;
    const far = redisStore<unknown>(own, { subscriber });
    const f = memoizeAsync(async (id: number) => `value ${id}, version ${(version += 1)} of ${own.options.path}`, {
      name: 'f',
      cache: tiered(near, far),
    });
    return { f, far, own, gets: () => gets };
  }

  async function inStep(...processes: ReturnType<typeof open>[]): Promise<void> {
    for (const { f } of processes) await f.peek(0);
    await until(async () => (await listeners()) >= processes.length, 'all to listen');
    for (const process of processes) {
      // Near is in use once a second look asks nothing.
      await until(async () => {
        await process.f(0);
        await process.f.settled();
        const before = process.gets();
        await process.f(0);
        return process.gets() === before;
      }, 'near to be in use');
    }
  }

  async function close(...processes: ReturnType<typeof open>[]): Promise<void> {
    for (const { far, own } of processes) {
      await far.close();
      own.disconnect();
    }
    await until(async () => (await listeners()) === 0, 'all to be gone');
  }

  it('answers a near hit without a command', async () => {
    const one = open();
    await inStep(one);
    const before = one.gets();
    for (let call = 0; call < 100; call += 1) await one.f(0);
    expect(one.gets()).toBe(before);
    await close(one);
  });

  it.each(['a Map', 'a Keyv'])('hears of writes, deletes and clears elsewhere, with %s near', async (kind) => {
    const near = () => (kind === 'a Map' ? new Map<string, Entry<unknown>>() : new Keyv());
    const [one, other] = [open(server.client(), near()), open(server.client(), near())];
    await inStep(one, other);
    const changes: [string, () => Promise<unknown>, (value: unknown) => boolean][] = [
      ['prime', () => other.f.prime([0], 'primed'), (value) => value === 'primed'],
      ['refresh', () => other.f.refresh(0), (value) => String(value).startsWith('value 0')],
      ['delete', () => other.f.delete(0), (value) => value === undefined],
      ['prime', () => other.f.prime([0], 'again'), (value) => value === 'again'],
      ['clear', () => other.f.clear(), (value) => value === undefined],
    ];
    for (const [name, change, isHere] of changes) {
      await change();
      await until(async () => isHere(await one.f.peek(0)), `${name} to arrive`);
    }
    await close(one, other);
  });

  it('is rid of what was changed elsewhere within one round trip of the connection for messages', async () => {
    const subscriber = server.client();
    const near = new Map<string, Entry<unknown>>();
    const [one, other] = [open(server.client(), near, subscriber), open()];
    await inStep(one, other);
    const changes: [string, () => Promise<unknown>][] = [
      ['delete', () => other.f.delete(0)],
      ['clear', () => other.f.clear()],
      ['prime', () => other.f.prime([0], 'primed')],
      ['write', () => other.f.refresh(0).then(() => other.f.settled())],
    ];
    for (let round = 0; round < 25; round += 1) {
      for (const [name, change] of changes) {
        await one.f(0);
        await one.f.settled();
        expect([name, round, near.size]).toEqual([name, round, 1]);
        await change();
        // What was announced before it goes before its answer.
        await subscriber.ping();
        expect([name, round, near.size]).toEqual([name, round, 0]);
      }
    }
    subscriber.disconnect();
    await close(one, other);
  });

  it('keeps its own writes near, in spite of their echo', async () => {
    const one = open();
    await inStep(one);
    await one.f.prime([0], 'primed');
    const before = one.gets();
    expect(await one.f(0)).toBe('primed');
    const refreshed = await one.f.refresh(0);
    await one.f.settled();
    // Long enough for every echo to have come.
    for (let turn = 0; turn < 10; turn += 1) await client.ping();
    expect(await one.f(0)).toBe(refreshed);
    expect(one.gets()).toBe(before);
    await close(one);
  });

  it('hears of what a wrapper on the far store itself does in the same process', async () => {
    const one = open();
    await inStep(one);
    const direct = memoizeAsync(async (id: number) => `direct ${id}`, { name: 'f', cache: one.far });
    await direct.prime([0], 'direct');
    await until(async () => (await one.f(0)) === 'direct', 'the change to arrive');
    await close(one);
  });

  it('is emptied when the connection for messages is lost, and bypassed until it is back', async () => {
    const proxy = await Proxy.start(`${server.directory}/tiered.sock`, server.socket);
    const one = open(server.client({ path: proxy.socket }));
    await inStep(one);
    const { value } = keyspace.of('f|#0');
    // Behind our back: nothing tells of it.
    await client.set(value, `1 a.b ${Date.now()} {"v":1,"value":"changed","storedAt":1}`);
    expect(await one.f(0)).toMatch(/^value 0/);
    proxy.cut();
    await until(async () => (await one.f(0)) === 'changed', 'near to be empty');
    await inStep(one);
    await close(one);
    await proxy.close();
  });

  it('finds out about a connection that died without an event', async () => {
    const proxy = await Proxy.start(`${server.directory}/silent.sock`, server.socket);
    const subscriber = server.client({ path: proxy.socket });
    const one = open(server.client(), new Map(), subscriber);
    await inStep(one);
    proxy.mode = 'hold';
    await client.set(keyspace.of('f|#0').value, `1 a.b ${Date.now()} {"v":1,"value":"changed","storedAt":1}`);
    await until(async () => (await one.f(0)) === 'changed', 'the silence to be noticed', 20_000);
    subscriber.disconnect();
    await close(one);
    await proxy.close();
  }, 30_000);

  it('keeps answers for `nearTtl` where nothing can be heard', async () => {
    const far = redisStore<unknown>((args) => client.call(args[0]!, ...args.slice(1)));
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: tiered(new Map(), far, { nearTtl: 100 }),
    });
    await f(0);
    await f.settled();
    await client.set(keyspace.of('f|#0').value, `1 a.b ${Date.now()} {"v":1,"value":"changed","storedAt":1}`);
    await f.peek(0);
    await until(async () => (await f(0)) === 'changed', 'the near entry to end');
  });

  describe('over several processes', () => {
    let fleet: Fleet;

    beforeAll(async () => {
      fleet = await Fleet.start(3);
    }, 30_000);

    afterAll(() => fleet.close());

    it('runs once, and every process sees a change made in another', async () => {
      await fleet.setUp({ socket: server.socket, isTiered: true });
      await Promise.all(fleet.workers.map((worker) => worker.ask({ do: 'peek', key: 'a' })));
      await until(async () => (await listeners()) === 3, 'all to listen');
      await fleet.call('a', { takes: 50 });
      expect(fleet.runs).toHaveLength(1);
      await fleet.workers[0]!.ask({ do: 'prime', key: 'a', value: 'primed' });
      for (const worker of fleet.workers) {
        await until(async () => (await worker.ask({ do: 'peek', key: 'a' })) === 'primed', 'the change to arrive');
      }
      await fleet.workers[1]!.ask({ do: 'clear' });
      for (const worker of fleet.workers) {
        await until(async () => (await worker.ask({ do: 'peek', key: 'a' })) === undefined, 'the clear to arrive');
      }
    });
  });
});
