import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { recordsOf } from '../support/redis-fleet.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { CommandFunction } from 'aiocachetools/redis';

const CALLERS = 200;
const STORE_TIMEOUT = 100;

/** The clock is faked, so that what takes no time is told from what takes a millisecond. */
describe('two hundred callers of a redisStore', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    // The monotonic clock of a process that works is never at 0.
    jest.advanceTimersByTime(1);
  });
  afterEach(() => void jest.useRealTimers());

  /** A client that counts what it is given to send. */
  function countCommands(send: CommandFunction) {
    const client = Object.assign(
      (args: string[]) => {
        client.sent += 1;
        return send(args);
      },
      { sent: 0 },
    );
    return client;
  }

  const wrap = (client: CommandFunction) =>
    memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: redisStore(client, { readableKeys: true }),
      storeTimeout: STORE_TIMEOUT,
    });

  /** One call each, for keys that differ. */
  function callAll(f: ReturnType<typeof wrap>) {
    const calls = { answered: 0, all: Promise.resolve<unknown>(undefined) };
    const answer = async (id: number): Promise<void> => {
      expect(await f(id)).toBe(`value ${id}`);
      calls.answered += 1;
    };
    calls.all = Promise.all(Array.from({ length: CALLERS }, (_, id) => answer(id)));
    return calls;
  }

  const never: CommandFunction = () => new Promise(() => undefined);
  const after = (milliseconds: number, reply: unknown): Promise<unknown> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds, reply));
  const refused = (): Promise<never> =>
    Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));

  const silences: [string, CommandFunction][] = [
    ['does not answer', never],
    ['answers the lookup late, and nothing after it', ([name]) => (name === 'get' ? after(60, null) : never([]))],
    [
      'answers the lookup late, and does not say what the time is',
      ([name, key]) => (name === 'get' ? after(60, valueOf([name, key!])) : never([])),
    ],
    ['answers everything too late', () => after(STORE_TIMEOUT + 1, null)],
    [
      'answers the lookup late, and refuses connections then',
      ([name]) => (name === 'get' ? after(60, null) : refused()),
    ],
  ];

  it.each(silences)('wait for `storeTimeout` at most where the server %s', async (_name, client) => {
    const f = wrap(client);
    const calls = callAll(f);
    await jest.advanceTimersByTimeAsync(STORE_TIMEOUT - 1);
    expect(calls.answered).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(calls.answered).toBe(CALLERS);
    expect(f.stats()).toMatchObject({ errors: 0, inFlight: 0, runs: CALLERS, unleased: CALLERS });
  });

  it('wait by one timer, whatever other deadlines there have been', async () => {
    // Stores of one client share its breaker.
    const store = redisStore<unknown>((args) => never(args));
    const waiting = (timeout: number) => store.get('f|1', timeout).then(undefined, (error: unknown) => error);
    const others = Array.from({ length: 20 }, (_, index) => waiting(index + 1));
    // Commands go out with the microtasks.
    await Promise.resolve();
    const before = jest.getTimerCount();
    const all = Array.from({ length: CALLERS }, () => waiting(STORE_TIMEOUT));
    await Promise.resolve();
    expect(jest.getTimerCount()).toBe(before + 1);
    await jest.advanceTimersByTimeAsync(STORE_TIMEOUT);
    for (const error of await Promise.all([...others, ...all])) expect(error).toBeInstanceOf(TimeoutError);
  });

  it('wait no longer where every connection is refused', async () => {
    const f = wrap(refused);
    const calls = callAll(f);
    await jest.advanceTimersByTimeAsync(STORE_TIMEOUT);
    expect(calls.answered).toBe(CALLERS);
  });

  it('wait for nothing while the breaker is open, which tries the server once a second', async () => {
    let isBack = false;
    const client = countCommands((args) => (isBack ? valueOf(args) : never(args)));
    const f = wrap(client);
    callAll(f);
    await jest.advanceTimersByTimeAsync(STORE_TIMEOUT);
    const sendsNothing = async (): Promise<void> => {
      const { sent } = client;
      // No timer goes off and no reply comes while this waits: microtasks are all it takes.
      await callAll(f).all;
      expect(client.sent).toBe(sent);
    };
    for (let second = 0; second < 5; second += 1) {
      await sendsNothing();
      await jest.advanceTimersByTimeAsync(999);
      await sendsNothing();
      await jest.advanceTimersByTimeAsync(1);
      const { sent } = client;
      // Nobody waits for the probe either.
      await callAll(f).all;
      expect(client.sent).toBe(sent + 1);
    }

    isBack = true;
    await jest.advanceTimersByTimeAsync(1_000);
    await callAll(f).all;
    const { hits } = f.stats();
    await callAll(f).all;
    expect(f.stats()).toMatchObject({ hits: hits + CALLERS, errors: 0, inFlight: 0 });
  });
});

describeRedis('a Redis that dies under load', () => {
  let server: TestServer;
  let client: Redis;
  /** Commands given to the client. */
  let sent = 0;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
    const call = client.call.bind(client);
    client.call = ((...args: Parameters<typeof call>) => {
      sent += 1;
      return call(...args);
    }) as typeof call;
  });

  afterAll(() => server.close());

  it('fails no call, holds none up for longer than the deadline, and is used again by itself', async () => {
    const unhandled: unknown[] = [];
    const keep = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', keep);
    const f = memoizeAsync(async (id: number) => `value ${id}`, {
      name: 'f',
      cache: redisStore(client, { lease: 200 }),
      storeTimeout: STORE_TIMEOUT,
      ttl: 1_000,
    });
    let isOver = false;
    let answered = 0;
    let next = 0;
    let slowest = 0;
    /** Calls made before the fault that have not been answered. */
    let before = new Set<object>();
    const underWay = new Set<object>();
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!isOver) {
        const id = (next += 1) % 100;
        const call = {};
        underWay.add(call);
        const calledAt = performance.now();
        expect(await f(id)).toBe(`value ${id}`);
        slowest = Math.max(slowest, performance.now() - calledAt);
        underWay.delete(call);
        before.delete(call);
        answered += 1;
        // Callers come again with the next turn, not with the next microtask.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const hitsAgain = async (what: string): Promise<void> => {
      const { hits } = f.stats();
      await until(() => f.stats().hits > hits + 200, what);
    };
    /** While the fault lasts no call waits for its end, and soon hardly anything is sent. */
    const goesOn = async (fault: string): Promise<void> => {
      before = new Set(underWay);
      await until(() => before.size === 0, `those who called before, with ${fault}`);
      // A deadline that passes while this process is busy opens no breaker, so a busy machine takes longer.
      const limit = 100_000;
      await until(
        async () => {
          const [from, since, enough] = [sent, performance.now(), answered + 10_000];
          await until(() => answered >= enough, `answers with ${fault}`);
          return sent - from <= 1 + (performance.now() - since) / 1_000;
        },
        `ten thousand answers with one command a second, with ${fault}`,
        limit,
      );
    };
    try {
      await hitsAgain('hits');
      for (let round = 0; round < 2; round += 1) {
        await server.kill();
        await goesOn('no server');
        await server.start();
        await hitsAgain('hits after a restart');
        server.freeze();
        await goesOn('a frozen server');
        server.thaw();
        await hitsAgain('hits after a thaw');
      }
    } finally {
      isOver = true;
      process.off('unhandledRejection', keep);
    }
    await Promise.all(callers);
    await f.settled();
    expect(unhandled).toEqual([]);
    expect(f.stats()).toMatchObject({ errors: 0, inFlight: 0 });
    expect(f.stats().unleased).toBeGreaterThan(0);
    // Far more than a deadline, for the machine may be busy; far less than a client waits by itself.
    expect(slowest).toBeLessThan(STORE_TIMEOUT + 2_000);
    await until(async () => (await recordsOf(client)).length === 0, 'every lease to be given back');
  }, 240_000);
});

/** What a server says that holds `value 7` for `f(7)`, and so on. */
async function valueOf([command, ...args]: readonly string[]): Promise<unknown> {
  if (command === 'time') return ['1700000000', '0'];
  const name = command === 'get' ? args[0] : args[2];
  const id = /#(\d+)\}$/.exec(name!)![1];
  const value = `1 a.b 1700000000000 {"v":1,"value":"value ${id}","storedAt":1700000000000}`;
  return command === 'get' ? value : ['1700000000000', 'hit', value];
}
