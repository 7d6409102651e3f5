import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { describeRedis, TestServer, until } from '../support/redis-server.js';

/** Two hundred callers at a time while the server dies, freezes and comes back. */
describeRedis('a Redis that dies under load', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start();
  });

  afterAll(() => server.close());

  it('fails no call, and serves again by itself', async () => {
    const unhandled: unknown[] = [];
    const keep = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', keep);
    const client = server.client();
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: redisStore(client, { lease: 200 }),
      storeTimeout: 100,
      ttl: 1_000,
    });
    let isOver = false;
    let answered = 0;
    let next = 0;
    const callers = Array.from({ length: 200 }, async () => {
      while (!isOver) {
        const id = (next += 1) % 100;
        expect(await f(id)).toBe(`value ${id}`);
        answered += 1;
        // Callers come again with the next turn, not with the next microtask.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const more = async (count: number, what: string): Promise<void> => {
      const enough = answered + count;
      await until(() => answered >= enough, what);
    };
    const hitsAgain = async (what: string): Promise<void> => {
      const { hits } = f.stats();
      await until(() => f.stats().hits > hits + 200, what);
    };
    await hitsAgain('hits');
    for (let round = 0; round < 2; round += 1) {
      await server.kill();
      // Many more than could be answered at a deadline each: the breaker is open.
      await more(10_000, 'answers without a server');
      await server.start();
      await hitsAgain('hits after a restart');
      server.freeze();
      await more(10_000, 'answers with a frozen server');
      server.thaw();
      await hitsAgain('hits after a thaw');
    }
    isOver = true;
    await Promise.all(callers);
    await f.settled();
    process.off('unhandledRejection', keep);
    expect(unhandled).toEqual([]);
    expect(f.stats()).toMatchObject({ errors: 0, inFlight: 0 });
    expect(f.stats().unleased).toBeGreaterThan(0);
  }, 60_000);
});
