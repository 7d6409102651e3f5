import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { CircuitBreakers } from '../../lib/redis/circuit-breaker.js';
import { functionClient } from '../../lib/redis/clients/function.js';
import { mayLackScript } from '../../lib/redis/clients/failure.js';
import { slotOf } from '../../lib/redis/cluster-slot.js';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { recordsOf, valuesOf } from '../support/redis-fleet.js';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { MemoizeEvent } from 'aiocachetools';
import type { CommandFunction } from 'aiocachetools/redis';

describe('slotOf', () => {
  // The first is the check value of the specification, 0x31C3.
  it.each([
    ['123456789', 0x31c3],
    ['foo', 12_182],
    ['{user1000}.following', 3_443],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', 4_015],
    ['{3560}foreign', 0],
  ])('hashes the tag of %j', (name, slot) => {
    expect(slotOf(name)).toBe(slot);
  });
});

describe('failures', () => {
  const client = functionClient(async () => null);
  const failureOf = (error: unknown) => client.failureOf(error);
  const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

  it.each<[string, unknown]>([
    ['busy', new Error('TRYAGAIN Multiple keys request during rehashing of slot')],
    ['busy', new Error('ERR Error running script (call to f_1): @user_script:1: -READONLY You can’t write')],
    ['busy', named('RequestError', 'An error was signalled by the server - BusyLoadingError: Redis is loading')],
    ['reply', new Error('WRONGTYPE Operation against a key')],
    ['reply', named('ReplyError', 'anything')],
    ['reply', named('RequestError', 'An error was signalled by the server - ResponseError: OOM')],
    ['connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['connection', new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'UND_ERR_SOCKET' }) })],
    ['connection', new Error('Connection is closed.')],
    ['connection', named('ClosingError', 'gone')],
    ['unknown', new Error('something else')],
    ['unknown', 'text'],
  ])('are %s: %s', (failure, error) => {
    expect(failureOf(error)).toBe(failure);
  });

  it.each<[boolean, unknown]>([
    [true, new Error('NOSCRIPT No matching script.')],
    [true, named('RequestError', 'An error was signalled by the server - NoScriptError: No matching script.')],
    [true, new Error('something else')],
    [false, new Error('OOM command not allowed')],
    [false, new Error('Connection is closed.')],
    [false, new Error('TRYAGAIN Multiple keys')],
  ])('may mean that the script is unknown (%p): %s', (expected, error) => {
    expect(mayLackScript(error, failureOf(error))).toBe(expected);
  });
});

describe('CircuitBreakers', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const fail = (breaker: { failed(): void }, times: number): void => {
    for (let time = 0; time < times; time += 1) breaker.failed();
  };

  it('keep nodes apart', () => {
    const breakers = new CircuitBreakers(16);
    fail(breakers.ofNode('a'), 5);
    expect(breakers.ofNode('a').admits()).toBe(false);
    expect(breakers.ofNode('b').admits()).toBe(true);
  });

  it('open for one block of slots while others answer', () => {
    const breakers = new CircuitBreakers(16);
    for (const block of [0, 1, 2, 3, 4]) fail(breakers.ofBlock(block), 5);
    expect(breakers.ofBlock(0).admits()).toBe(false);
    expect(breakers.ofBlock(5).admits()).toBe(true);
  });

  it('open for all blocks when most fail and none answers, with one probe a second', () => {
    const breakers = new CircuitBreakers(16);
    for (let block = 0; block < 9; block += 1) fail(breakers.ofBlock(block), 1);
    expect(breakers.ofBlock(12).admits()).toBe(false);
    expect(breakers.ofBlock(12).isProbeDue()).toBe(false);
    jest.advanceTimersByTime(1_000);
    expect([breakers.ofBlock(12).isProbeDue(), breakers.ofBlock(3).isProbeDue()]).toEqual([true, false]);
    expect(breakers.ofBlock(3).admits()).toBe(false);
    breakers.ofBlock(12).succeeded();
    for (let block = 0; block < 16; block += 1) expect(breakers.ofBlock(block).admits()).toBe(true);
  });
});

describe('redisStore through a function', () => {
  const glideError = (kind: string): Error =>
    Object.assign(new Error(`An error was signalled by the server - ${kind}`), { name: 'RequestError' });

  it('sends a script whose absence the client spells in its own way', async () => {
    const sent: string[] = [];
    const store = redisStore<unknown>(async ([command]) => {
      sent.push(command!);
      if (command === 'evalsha') throw glideError('NoScriptError: No matching script. Please use EVAL.');
      return ['1700000000000', 'grant', 'generation', '5000'];
    });
    const acquired = await store.acquire('a|1', { timeout: 1_000 });
    expect(acquired).toHaveProperty('grant');
    expect(sent).toEqual(['evalsha', 'eval']);
  });

  it.each(['LOADING Redis is loading', 'CLUSTERDOWN The cluster is down', 'READONLY You can’t write', 'TRYAGAIN x'])(
    'asks again after %s',
    async (message) => {
      let asked = 0;
      const store = redisStore<unknown>(async () => {
        asked += 1;
        if (asked < 3) throw new Error(message);
        return ['1700000000000', 'grant', 'generation', '5000'];
      });
      expect(await store.acquire('a|1', { timeout: 1_000 })).toHaveProperty('grant');
      expect(asked).toBe(3);
    },
  );

  it('tries a server that has gone with a read of its own, for which no caller waits', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    try {
      const sent: string[] = [];
      let answer = (): Promise<unknown> => new Promise(() => undefined);
      const store = redisStore<unknown>((args) => {
        sent.push(args[0]!);
        return answer();
      });
      const failures = Promise.allSettled(Array.from({ length: 5 }, () => store.acquire('a|1', { timeout: 200 })));
      await jest.advanceTimersByTimeAsync(200);
      await failures;
      const refusal = 'The server has not answered for a while; it is asked again within a second';
      await expect(store.acquire('a|1', { timeout: 200 })).rejects.toThrow(refusal);
      sent.length = 0;
      for (let second = 1; second <= 3; second += 1) {
        await jest.advanceTimersByTimeAsync(1_000);
        // At once: no timer is put forward here.
        for (let call = 0; call < 3; call += 1) {
          await expect(store.acquire('a|1', { timeout: 200 })).rejects.toThrow(refusal);
        }
        expect(sent).toEqual(Array.from({ length: second }, () => 'get'));
      }
      answer = () => Promise.reject(Object.assign(new Error('WRONGTYPE'), { name: 'ReplyError' }));
      await jest.advanceTimersByTimeAsync(1_000);
      await expect(store.acquire('a|1', { timeout: 200 })).rejects.toThrow(refusal);
      answer = async () => ['1700000000000', 'grant', 'generation', '5000'];
      await jest.advanceTimersByTimeAsync(0);
      expect(await store.acquire('a|1', { timeout: 200 })).toHaveProperty('grant');
    } finally {
      jest.useRealTimers();
    }
  });

  it('asks again less and less often, until the deadline, which tells the last error', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    try {
      let asked = 0;
      const client: CommandFunction = async () => {
        asked += 1;
        throw new Error('something else');
      };
      const failure = redisStore<unknown>(client)
        .delete('a|1', 1_000)
        .then(undefined, (error: unknown) => error);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(await failure).toEqual(
        new TimeoutError('The server did not answer `evalsha` within 1000 ms: something else', 1_000),
      );
      // Each time by digest and in full.
      expect(asked).toBeLessThanOrEqual(14);
    } finally {
      jest.useRealTimers();
    }
  });
});

describeRedis('redisStore on a server', () => {
  let server: TestServer;
  let client: Redis;

  beforeAll(async () => {
    server = await TestServer.start();
    client = server.client();
  });

  afterAll(() => server.close());

  beforeEach(async () => {
    await client.flushall();
  });

  it('takes a deadline that is further ahead than any lease for one that has passed', async () => {
    const store = redisStore<unknown>(client, { lease: 20_000 });
    await store.acquire('a|1', { timeout: 1_000 });
    const [record] = await recordsOf(client);
    // As after a clock that was set back by ten minutes.
    const text = (await client.get(record!))!;
    await client.set(
      record!,
      text.replace(/ (\d{13}) /, (_, deadline) => ` ${Number(deadline) + 600_000} `),
      'PX',
      60_000,
    );
    const other = await redisStore<unknown>(client, { lease: 100 }).acquire('a|1', { timeout: 1_000 });
    expect(other).toHaveProperty('grant');
  });

  describe('out of memory', () => {
    afterEach(async () => {
      await client.config('SET', 'maxmemory', '0');
    });

    const wrap = (events: MemoizeEvent[] = []) => {
      let version = 0;
      return memoizeAsync(async (_id: number) => `version ${(version += 1)}`, {
        name: 'a',
        cache: redisStore(client),
        onEvent: (event) => void events.push(event),
      });
    };

    it('forgets a value that a refresh could not replace', async () => {
      const events: MemoizeEvent[] = [];
      const f = wrap(events);
      expect(await f(1)).toBe('version 1');
      await f.settled();
      await client.config('SET', 'maxmemory', '1');
      expect(await f.refresh(1)).toBe('version 2');
      await f.settled();
      expect(await f(1)).toBe('version 3');
      expect(events).toContainEqual(expect.objectContaining({ type: 'store-error', operation: 'set' }));
    });

    it('forgets a value that a commit could not replace', async () => {
      const store = redisStore<unknown>(client);
      await store.set('a|1', { v: 1, value: 'old', storedAt: Date.now() });
      const grant = await store.begin('a|1', { drop: false, timeout: 1_000 });
      await client.config('SET', 'maxmemory', '1');
      await expect(grant.commit({ v: 1, value: 'new', storedAt: Date.now() }, undefined)).rejects.toThrow('OOM');
      expect(await valuesOf(client)).toEqual([]);
      expect(await recordsOf(client)).toEqual([]);
    });

    it('keeps the value when the refresh itself fails', async () => {
      let fails = false;
      const f = memoizeAsync(
        async () => {
          if (fails) throw new Error('no');
          return 'old';
        },
        { name: 'a', cache: redisStore(client) },
      );
      await f();
      await f.settled();
      fails = true;
      await client.config('SET', 'maxmemory', '1');
      await expect(f.refresh()).rejects.toThrow('no');
      expect(await f()).toBe('old');
    });

    it('refuses a run that started before the refresh', async () => {
      const store = redisStore<unknown>(client);
      const acquired = await store.acquire('a|1', { timeout: 1_000 });
      if (!('grant' in acquired)) throw new Error('Expected a grant');
      await client.config('SET', 'maxmemory', '1');
      await store.begin('a|1', { drop: false, timeout: 1_000 });
      await client.config('SET', 'maxmemory', '0');
      expect(await acquired.grant.commit({ v: 1, value: 'old', storedAt: Date.now() }, undefined)).toBe('refused');
      expect(
        await client.exists(
          new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false }).of('a|1').value,
        ),
      ).toBe(0);
    });
  });
});
