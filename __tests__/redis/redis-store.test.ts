import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { memoizeAsync, TimeoutError } from 'aiocachetools';
import { jsonCodec, redisStore } from 'aiocachetools/redis';
import { Keyspace } from '../../lib/redis/keyspace.js';
import { recordsOf, valuesOf } from '../support/redis-fleet.js';
import { Proxy } from '../support/redis-proxy.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { MemoizeEvent } from 'aiocachetools';
import type { CommandFunction, RedisStoreOptions } from 'aiocachetools/redis';

describe('redisStore', () => {
  const client: CommandFunction = () => Promise.resolve(null);

  it.each<[string, unknown]>([
    ['Expected `prefix` to be a string, got 7', { prefix: 7 }],
    ['Expected `lease` to be a number of milliseconds from 50 to 20000, got 49', { lease: 49 }],
    ['Expected `lease` to be a number of milliseconds from 50 to 20000, got 20001', { lease: 20_001 }],
    ['Expected `wait` to be a number of milliseconds >= 0, got "1"', { wait: '1' }],
    ['Expected `codec` to be an object with encode and decode, got [object Object]', { codec: {} }],
    ['Expected `subscriber` to be a client that can subscribe, got true', { subscriber: true }],
    ['Expected `readableKeys` to be true or false, got 1', { readableKeys: 1 }],
    ['Unknown option `ttl`, got 5', { ttl: 5 }],
  ])('refuses wrong options at once: %s', (message, options) => {
    expect(() => redisStore(client, options as RedisStoreOptions)).toThrow(new TypeError(message));
  });

  it.each([null, undefined, 7, {}, 'redis://'])('refuses %p for a client', (given) => {
    expect(() => redisStore(given as never)).toThrow(
      /^Expected a client of ioredis, iovalkey or node-redis, or a function/,
    );
  });

  it('has no traffic before it is used', () => {
    const sent: string[][] = [];
    redisStore((args) => {
      sent.push(args);
      return Promise.resolve(null);
    });
    expect(sent).toEqual([]);
  });
});

describe('names on the server', () => {
  const keyspace = new Keyspace({ prefix: 'app:', keyPrefix: '', readableKeys: true });

  it('hide arguments by default', () => {
    const hidden = new Keyspace({ prefix: 'app:', keyPrefix: '', readableKeys: false });
    expect(hidden.of('getUser|secret').value).toBe('app:v1:getUser:{gBC0Ne5u7VJzLVpIaZY6atfCVdnpw7TZ9MSXw-PYkZE}');
  });

  it('put all of an entry into one slot', () => {
    expect(keyspace.of('getUser|#7')).toMatchObject({
      value: 'app:v1:getUser:{=#7}',
      record: 'app:v1:getUser:{=#7}:l',
      channel: 'app:v1:getUser:{=#7}:c',
    });
  });

  it('encode what means something to Redis, and what UTF-8 cannot hold', () => {
    expect(keyspace.of('a:b{c}*|x{y}%?[z]\\^\n\ud800 é').value).toBe(
      'app:v1:a%3Ab%7Bc%7D%2A:{=x%7By%7D%25%3F%5Bz%5D%5C%5E%0A%uD800%20é}',
    );
  });

  it('never meet for different keys, whatever is in them', () => {
    const parts = [
      'a',
      'a:b',
      'ab',
      '*',
      '{',
      '}',
      '{a}',
      ':',
      '%',
      '%3A',
      '\n',
      '\ud800',
      '\udc00',
      '\ufffd',
      '',
      '=',
      'é',
    ];
    for (const readableKeys of [true, false]) {
      const names = new Keyspace({ prefix: 'p', keyPrefix: '', readableKeys });
      const keys = parts.flatMap((name) => parts.map((key) => `${name}|${key}`));
      expect(new Set(keys.map((key) => names.of(key).value)).size).toBe(keys.length);
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

  const echo = async (value: unknown): Promise<unknown> => value;

  it('clears its own namespace only, whatever names look like', async () => {
    const names = ['a', 'a:b', 'ab', '*', 'a*', '{a}', '[a-z]', 'a?', '%', 'a\nb', '\\', 'é'];
    const store = redisStore(client, { prefix: 'x*:' });
    const neighbour = redisStore(client, { prefix: 'xy:' });
    const wrap = (name: string) => memoizeAsync(echo, { name, cache: store });
    const other = memoizeAsync(echo, { name: 'a', cache: neighbour });
    await client.set('a', 'foreign');
    await client.set('x*:v1:a', 'foreign');
    for (const name of names) {
      const wrappers = names.map(wrap);
      for (const wrapper of [...wrappers, other]) {
        await wrapper(1);
        await wrapper.settled();
      }
      await wrap(name).clear();
      const left = await Promise.all(wrappers.map((wrapper) => wrapper.has(1)));
      expect(left).toEqual(names.map((each) => each !== name));
      expect(await other.has(1)).toBe(true);
    }
    expect(await client.mget('a', 'x*:v1:a')).toEqual(['foreign', 'foreign']);
  });

  it('clears more entries than one step of a SCAN brings', async () => {
    const many = memoizeAsync(echo, { name: 'many', cache: redisStore(client), storeTimeout: 20_000 });
    await Promise.all(Array.from({ length: 3_000 }, (_, id) => many(id)));
    await many.settled();
    expect(await client.dbsize()).toBe(3_000);
    await many.clear();
    expect(await client.dbsize()).toBe(0);
  });

  it('never uses KEYS or FLUSHDB', async () => {
    await client.config('RESETSTAT');
    const wrapper = memoizeAsync(echo, { name: 'a', cache: redisStore(client) });
    await wrapper(1);
    await wrapper.clear();
    expect(await client.info('commandstats')).not.toMatch(/cmdstat_(keys|flushdb|flushall):/);
  });

  it('keeps numbers of milliseconds whole, and endless entries without an expiry', async () => {
    const store = redisStore<unknown>(client);
    await store.set('a|1', { v: 1, value: 1, storedAt: Date.now() }, 1_000.5);
    await store.set('a|2', { v: 1, value: 1, storedAt: Date.now() }, 1e21);
    await store.set('a|3', { v: 1, value: 1, storedAt: Date.now() });
    const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
    const expiries = await Promise.all([1, 2, 3].map((id) => client.pttl(keyspace.of(`a|${id}`).value)));
    expect(expiries).toEqual([expect.any(Number), -1, -1]);
    expect(expiries[0]).toBeGreaterThan(900);
    expect(expiries[0]).toBeLessThanOrEqual(1_001);
  });

  it('takes hostile payloads for what they are', async () => {
    const runs: unknown[] = [];
    const wrapper = memoizeAsync(
      async (id: number): Promise<Record<string, unknown>> => {
        runs.push(id);
        return { id };
      },
      { name: 'a', cache: redisStore(client) },
    );
    await wrapper(1);
    await wrapper.settled();
    const [name] = await valuesOf(client);
    const hostile =
      '{"v":1,"storedAt":1,"__proto__":{"polluted":1},"value":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
    await client.set(name!, `1 a.b 1700000000000 ${hostile}`);
    const value = await wrapper(1);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    for (const garbage of [`${'['.repeat(200_000)}`, '\0\0', 'x'.repeat(20_000_000), '{"v":1', '"', '1 a.b']) {
      await client.set(name!, `1 a.b 1700000000000 ${garbage}`);
      const before = runs.length;
      expect(await wrapper(1)).toEqual({ id: 1 });
      expect(runs).toHaveLength(before + 1);
      await wrapper.settled();
      expect(await wrapper(1)).toEqual({ id: 1 });
    }
  });

  it('sends one command for a hit, and at most three for a miss', async () => {
    const commandsIn = async (act: () => Promise<unknown>): Promise<string[]> => {
      const monitor = await server.client().monitor();
      const seen: string[] = [];
      let isMarked = false;
      monitor.on('monitor', (_time: string, args: string[], source: string) => {
        if (args[0] === 'echo') isMarked = true;
        else if (source !== 'lua') seen.push(args[0]!);
      });
      await act();
      await client.echo('end');
      await until(() => isMarked, 'the last command');
      monitor.disconnect();
      return seen;
    };
    const wrapper = memoizeAsync(echo, { name: 'a', cache: redisStore(client), ttl: 60_000 });
    await wrapper(0);
    await wrapper.settled();
    const miss = await commandsIn(async () => {
      await wrapper(1);
      await wrapper.settled();
    });
    expect(miss).toEqual(['get', 'evalsha', 'evalsha']);
    expect(await commandsIn(() => wrapper(1))).toEqual(['get']);
  });

  it('reports a value that cannot be encoded, and answers all the same', async () => {
    const events: MemoizeEvent[] = [];
    const wrapper = memoizeAsync(async () => 7n, {
      name: 'a',
      cache: redisStore(client),
      onEvent: (event) => void events.push(event),
    });
    expect(await wrapper()).toBe(7n);
    await wrapper.settled();
    expect(events.filter(({ type }) => type === 'store-error')).toMatchObject([{ operation: 'set' }]);
    await until(async () => (await client.dbsize()) === 0, 'the record of the failure to expire');
  });

  it('works where the user may not publish', async () => {
    await client.call('ACL', 'SETUSER', 'mute', 'on', 'nopass', '~*', '+@all', 'resetchannels');
    const mute = server.client({ username: 'mute', password: 'x' });
    const wrapper = memoizeAsync(echo, { name: 'a', cache: redisStore(mute) });
    expect(await wrapper(1)).toBe(1);
    await wrapper.settled();
    expect(await wrapper.has(1)).toBe(true);
    expect(await wrapper.delete(1)).toBe(true);
    await wrapper(1);
    await wrapper.settled();
    await wrapper.clear();
    expect(await wrapper.has(1)).toBe(false);
    expect(wrapper.stats().storeErrors).toBe(0);
  });

  it('counts error replies as answers: they never open the breaker', async () => {
    const store = redisStore(client);
    const wrapper = memoizeAsync(echo, { name: 'a', cache: store });
    const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
    for (let id = 0; id < 10; id += 1) {
      await client.rpush(keyspace.of(`a|#${id}`).value, 'x');
      expect(await wrapper(id)).toBe(id);
    }
    await wrapper.settled();
    expect(wrapper.stats().unleased).toBe(0);
    expect(await wrapper.has(3)).toBe(true);
  });

  describe('behind a broken network', () => {
    let proxy: Proxy;
    let through: Redis;

    beforeEach(async () => {
      proxy = await Proxy.start(`${server.directory}/proxy-${Math.random()}.sock`, server.socket);
      through = server.client({ path: proxy.socket });
      await through.ping();
    });

    async function end(): Promise<void> {
      through.disconnect();
      await proxy.close();
    }

    it('opens the breaker after five deadlines, sends nothing then, and recovers by itself', async () => {
      const wrapper = memoizeAsync(echo, { name: 'a', cache: redisStore(through), storeTimeout: 50 });
      await wrapper(-1);
      await wrapper.settled();
      proxy.mode = 'hold';
      for (let id = 0; id < 5; id += 1) expect(await wrapper(id)).toBe(id);
      const { bytes } = proxy;
      const startedAt = performance.now();
      for (let id = 5; id < 50; id += 1) expect(await wrapper(id)).toBe(id);
      // Nothing, unless this machine is so busy that a second has gone by: then a `get` asks whether the server is back.
      const seconds = Math.floor((performance.now() - startedAt) / 1_000);
      expect(proxy.bytes - bytes).toBeLessThanOrEqual(100 * seconds);
      // What was granted, and an explicit control, is sent all the same.
      await expect(wrapper.delete(1)).rejects.toThrow(TimeoutError);
      expect(proxy.bytes).toBeGreaterThan(bytes);
      proxy.mode = 'pass';
      let id = 100;
      await until(async () => {
        await wrapper((id += 1));
        await wrapper.settled();
        return wrapper.has(id);
      }, 'the breaker to close');
      await until(async () => (await recordsOf(client)).length === 0, 'ghost leases to be given back');
      await end();
    });

    it('gives an ambiguous lease back, so that no ghost of it stays', async () => {
      const wrapper = memoizeAsync(echo, {
        name: 'a',
        cache: redisStore(through, { lease: 20_000 }),
        storeTimeout: 60,
      });
      await wrapper(0);
      await wrapper.settled();
      // The lookup passes, the question who runs does not.
      const store = redisStore<unknown>(through, { lease: 20_000 });
      proxy.mode = 'hold';
      await expect(store.acquire('a|#1', { timeout: 60 })).rejects.toThrow(TimeoutError);
      await expect(store.begin('a|#2', { drop: false, timeout: 60 })).rejects.toThrow(TimeoutError);
      proxy.mode = 'pass';
      await through.ping();
      await until(async () => (await recordsOf(client)).length === 0, 'the leases to be given back');
      await end();
    });

    it('stores once what it has to send twice', async () => {
      const store = redisStore<unknown>(through);
      const acquired = await store.acquire('a|1', { timeout: 1_000 });
      if (!('grant' in acquired)) throw new Error('Expected a grant');
      proxy.mode = 'drop';
      const word = acquired.grant.commit({ v: 1, value: 'x', storedAt: Date.now() }, undefined);
      await until(() => proxy.bytes > 0, 'the commit to be lost');
      proxy.mode = 'pass';
      proxy.cut();
      expect(await word).toBe('stored');
      expect(await store.get('a|1')).toMatchObject({ value: 'x' });
      await end();
    });
  });

  describe('grants', () => {
    const entry = (value: string) => ({ v: 1 as const, value, storedAt: Date.now() });

    it('tell stored, superseded and refused apart', async () => {
      const store = redisStore<unknown>(client, { lease: 50 });
      const grantOf = async (key: string) => {
        const acquired = await store.acquire(key, { timeout: 1_000 });
        if ('grant' in acquired) return acquired.grant;
        throw new Error('Expected a grant');
      };
      const first = await grantOf('a|1');
      await client.eval(
        "redis.call('set', KEYS[1], (string.gsub(redis.call('get', KEYS[1]), ' %d+ ', ' 0 ', 1)), 'px', 60000)",
        1,
        (await recordsOf(client))[0]!,
      );
      const second = await grantOf('a|1');
      expect(await second.commit(entry('second'), undefined)).toBe('stored');
      expect(await first.commit(entry('first'), undefined)).toBe('superseded');
      const third = await store.begin('a|1', { drop: false, timeout: 1_000 });
      await store.delete('a|1');
      expect(await third.commit(entry('third'), undefined)).toBe('refused');
      expect(await client.dbsize()).toBe(0);
    });

    it('are given when a record cannot be parsed', async () => {
      const store = redisStore<unknown>(client);
      const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
      await client.set(keyspace.of('a|1').record, 'not a record');
      expect(await store.acquire('a|1', { timeout: 1_000 })).toHaveProperty('grant');
    });
  });

  describe('subscriptions', () => {
    it('close nothing that was given', async () => {
      const subscriber = server.client();
      const store = redisStore(client, { subscriber });
      const other = redisStore(server.client());
      const acquired = await other.acquire('a|1', { timeout: 1_000 });
      const asked = await store.acquire('a|1', { timeout: 1_000 });
      if (!('wait' in asked) || !('grant' in acquired)) throw new Error('Expected one to wait');
      const waiting = asked.wait(new AbortController().signal);
      await until(async () => (await client.pubsub('CHANNELS', '*}:c')).length === 1, 'the subscription');
      await acquired.grant.commit({ v: 1, storedAt: Date.now() }, undefined);
      expect(await waiting).toHaveProperty('hit');
      await store.close();
      expect(await subscriber.ping()).toBe('PONG');
    });

    it('end with the wait limit, and the process runs by itself', async () => {
      const one = memoizeAsync(() => new Promise<string>(() => undefined), { name: 'a', cache: redisStore(client) });
      void one();
      await until(async () => (await recordsOf(client)).length === 1, 'the run to start');
      const events: MemoizeEvent[] = [];
      const other = memoizeAsync(async () => 'mine', {
        name: 'a',
        cache: redisStore(server.client(), { wait: 50 }),
        onEvent: (event) => void events.push(event),
      });
      expect(await other()).toBe('mine');
      expect(events).toContainEqual({
        type: 'unleased',
        name: 'a',
        key: '()',
        reason: 'another run took longer than 50 ms',
      });
      expect(await valuesOf(client)).toEqual([]);
    });

    it('end when no caller waits any more', async () => {
      const one = memoizeAsync(() => new Promise<string>(() => undefined), { name: 'a', cache: redisStore(client) });
      void one();
      await until(async () => (await recordsOf(client)).length === 1, 'the run to start');
      const other = memoizeAsync(async (_signal: AbortSignal) => 'mine', {
        name: 'a',
        ignore: [0],
        cache: redisStore(server.client()),
      });
      const controller = new AbortController();
      const call = other(controller.signal);
      await until(async () => (await client.pubsub('CHANNELS', '*}:c')).length === 1, 'the subscription');
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await until(async () => (await client.pubsub('CHANNELS', '*}:c')).length === 0, 'the end of it');
      expect(other.stats()).toMatchObject({ runs: 0, unleased: 0 });
    });
  });

  describe('the clock', () => {
    it('is the server’s: hosts that disagree see one expiry', async () => {
      const skewed = redisStore<unknown>(client);
      const right = redisStore<unknown>(server.client());
      const hour = 3_600_000;
      const { now } = Date;
      const grant = await skewed.begin('a|1', { drop: false, timeout: 1_000 });
      // An hour ahead, but only on the host that writes.
      Date.now = () => now() + hour;
      try {
        await grant.commit({ v: 1, value: 'x', storedAt: Date.now(), freshUntil: Date.now() + 60_000 }, 60_000);
      } finally {
        Date.now = now;
      }
      const entry = await right.get('a|1');
      expect(Math.abs(entry!.storedAt - now())).toBeLessThan(1_000);
      expect(entry!.freshUntil! - entry!.storedAt).toBe(60_000);
    });
  });

  describe('payloads', () => {
    const snapshots = JSON.parse(readFileSync(resolve('__tests__/redis/payloads.json'), 'utf8')) as {
      readonly text: string;
      readonly value: unknown;
      readonly lasts: number | null;
    }[];

    it.each(snapshots)('of this version are readable for ever: $text', async ({ text, value, lasts }) => {
      const keyspace = new Keyspace({ prefix: 'aiocachetools:', keyPrefix: '', readableKeys: false });
      await client.set(keyspace.of('a|1').value, text);
      const entry = await redisStore<unknown>(client).get('a|1');
      expect(entry!.value ?? null).toEqual(value);
      expect(entry!.freshUntil === undefined ? null : entry!.freshUntil - entry!.storedAt).toBe(lasts);
    });

    it('are written as the snapshots are', async () => {
      for (const { text, value, lasts } of snapshots) {
        const [, frame, payload] = /^(1 \S+ \d+) (.*)$/s.exec(text)!;
        const { storedAt } = JSON.parse(payload!) as { storedAt: number };
        const entry = {
          v: 1 as const,
          ...(value === null && !payload!.includes('"value"') ? {} : { value }),
          storedAt,
        };
        expect(jsonCodec.encode(lasts === null ? entry : { ...entry, freshUntil: storedAt + lasts })).toBe(payload);
        expect(frame).toMatch(/^1 [\w-]{16}\.[\w-]{16} \d{13}$/);
      }
      const store = redisStore<unknown>(client);
      await store.set('a|1', { v: 1, value: 'x', storedAt: 1_700_000_000_000 });
      const [name] = await valuesOf(client);
      expect(await client.get(name!)).toMatch(
        /^1 [\w-]{16}\.[\w-]{16} \d{13} \{"v":1,"value":"x","storedAt":1700000000000\}$/,
      );
    });
  });
});
