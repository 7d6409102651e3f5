import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { valuesOf } from '../support/redis-fleet.js';
import { Proxy } from '../support/redis-proxy.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';

/** Holds the event loop. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describeRedis('reads of a redisStore', () => {
  let server: TestServer;
  let client: Redis;
  let sent: string[][];

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
    const call = client.call.bind(client);
    client.call = ((...args: string[]) => {
      sent.push(args);
      return call(...(args as [string]));
    }) as typeof client.call;
  });

  afterAll(() => server.close());

  beforeEach(async () => {
    sent = [];
    await client.flushall();
  });

  const entry = (value: unknown) => ({ v: 1 as const, value, storedAt: Date.now() });

  const commands = (): string[] => sent.map(([command]) => command!);

  it('go as one command where they are of one tick', async () => {
    const store = redisStore<unknown>(client);
    for (let id = 0; id < 5; id += 1) await store.set(`a|${id}`, entry(id));
    sent = [];
    const entries = await Promise.all([0, 1, 2, 3, 9].map((id) => store.get(`a|${id}`)));
    expect(entries.map((each) => each?.value)).toEqual([0, 1, 2, 3, undefined]);
    expect(commands()).toEqual(['mget']);
  });

  it('go as one command for all stores of a client, where their timeouts agree', async () => {
    const stores = [redisStore<unknown>(client), redisStore<unknown>(client, { prefix: 'other:' })];
    await stores[0]!.set('a|1', entry(1));
    sent = [];
    const [one, other] = await Promise.all(stores.map((store) => store.get('a|1')));
    expect([one?.value, other]).toEqual([1, undefined]);
    await Promise.all([stores[0]!.get('a|1', 500), stores[0]!.get('a|2', 600)]);
    expect(commands()).toEqual(['mget', 'get', 'get']);
  });

  it('are sent before the tick is over', async () => {
    const store = redisStore<unknown>(client);
    await store.set('a|1', entry(1));
    sent = [];
    const read = store.get('a|1');
    await Promise.resolve();
    expect(commands()).toEqual(['get']);
    await read;
  });

  it('take a foreign type for a miss, and harm no other read', async () => {
    const f = memoizeAsync(async (id: number) => id, { name: 'a', cache: redisStore(client) });
    await f(1);
    await f.settled();
    const [name] = await valuesOf(client);
    await f(2);
    await f.settled();
    await client.del(name!);
    await client.rpush(name!, 'x');
    expect(await Promise.all([f(1), f(2)])).toEqual([1, 2]);
    expect(f.stats()).toMatchObject({ hits: 1, storeErrors: 0 });
  });

  it('reject all where the command fails', async () => {
    const proxy = await Proxy.start(`${server.directory}/reads.sock`, server.socket);
    const through = server.client({ path: proxy.socket });
    const store = redisStore<unknown>(through);
    await store.set('a|1', entry(1));
    proxy.mode = 'hold';
    const reads = [1, 2, 3].map((id) => store.get(`a|${id}`, 50).then(undefined, (error: unknown) => error));
    for (const error of await Promise.all(reads)) expect(error).toBeInstanceOf(TimeoutError);
    proxy.mode = 'pass';
    // One command has failed: the breaker admits the next.
    await until(async () => (await store.get('a|1'))?.value === 1, 'the network');
    through.disconnect();
    await proxy.close();
  });

  it('are answered in the context of their callers', async () => {
    const context = new AsyncLocalStorage<number>();
    const f = memoizeAsync(async (_id: number) => context.getStore(), { name: 'a', cache: redisStore(client) });
    const calls = [1, 2, 3].map((id) => context.run(id, () => f(id)));
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    await f.settled();
  });

  describe('while this process is busy', () => {
    it('are answered by what had arrived meanwhile', async () => {
      const f = memoizeAsync(async (id: number) => id, { name: 'a', cache: redisStore(client), storeTimeout: 100 });
      for (let id = 0; id < 6; id += 1) await f(id);
      await f.settled();
      const { hits } = f.stats();
      const calls = [0, 1, 2, 3, 4, 5].map((id) => f(id));
      // The commands go out with the microtasks.
      await Promise.resolve();
      block(400);
      expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(f.stats()).toMatchObject({ hits: hits + 6, storeErrors: 0, unleased: 0 });
    });

    it('do not open the breaker', async () => {
      const proxy = await Proxy.start(`${server.directory}/busy.sock`, server.socket);
      const through = server.client({ path: proxy.socket });
      const store = redisStore<unknown>(through);
      await store.set('a|1', entry(1));
      for (let round = 0; round < 6; round += 1) {
        // The proxy is in this process, so it is held up too: no answer arrives in time.
        const read = store.get('a|1', 50).then(undefined, () => undefined);
        await Promise.resolve();
        block(300);
        await read;
      }
      await until(async () => (await store.get('a|1'))?.value === 1, 'the network', 900);
      through.disconnect();
      await proxy.close();
    });
  });

  it('look once more for the result of another process before a wait ends', async () => {
    const other = redisStore<unknown>(server.client());
    const acquired = await other.acquire('a|1', { timeout: 1_000 });
    const asked = await redisStore<unknown>(client, { wait: 200 }).acquire('a|1', { timeout: 1_000 });
    if (!('wait' in asked) || !('grant' in acquired)) throw new Error('Expected one to wait');
    const waiting = asked.wait(new AbortController().signal);
    await acquired.grant.commit(entry('x'), undefined);
    block(400);
    expect(await waiting).toHaveProperty('hit');
  });
});

describe('reads through a function', () => {
  it('go one by one, for the nodes behind it are unknown', async () => {
    const sent: string[][] = [];
    const store = redisStore<unknown>(async (args) => {
      sent.push(args);
      return null;
    });
    await Promise.all([store.get('a|1'), store.get('a|2')]);
    expect(sent.map(([command]) => command)).toEqual(['get', 'get']);
  });
});
