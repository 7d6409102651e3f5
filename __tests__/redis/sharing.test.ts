import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CommitLog, expectInvariants, Fleet, recordsOf, valuesOf } from '../support/redis-fleet.js';
import { Proxy } from '../support/redis-proxy.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Redis } from 'ioredis';
import type { Answers } from '../support/redis-fleet.js';
import type { Setup, Task } from '../support/redis-messages.js';

/** Four processes with fifty callers each, one cold key; faults come when a run has started. */
describeRedis('one run between processes', () => {
  let server: TestServer;
  let fleet: Fleet;
  let client: Redis;
  let commits: CommitLog;

  beforeAll(async () => {
    [server, fleet] = await Promise.all([TestServer.start(), Fleet.start(4)]);
    client = server.client();
  }, 30_000);

  afterAll(async () => {
    await fleet.close();
    await server.close();
  });

  beforeEach(async () => {
    await client.flushall();
    commits = await CommitLog.start(server);
  });

  afterEach(async () => {
    await fleet.settle();
    await expectInvariants(fleet, client);
    commits.expectOnePerGeneration();
    commits.stop();
  });

  const setUp = (more: Partial<Setup> = {}): Promise<void> =>
    fleet.setUp({ socket: server.socket, store: { lease: 2_000 }, ...more });

  /** Where nothing fails, a busy machine must not look like a fault. */
  const patient = { storeTimeout: 10_000 };

  /** Every process has the value of the only run. */
  function expectOne(answers: readonly Answers[]): void {
    expect(fleet.runs).toHaveLength(1);
    expect(answers.map(({ values, errors }) => ({ values, errors }))).toEqual(
      answers.map(() => ({ values: [fleet.runs[0]!.value], errors: [] })),
    );
  }

  /** Every process has a value. */
  function expectValues(answers: readonly Answers[]): void {
    for (const { values, errors } of answers) {
      expect(errors).toEqual([]);
      expect(values).toHaveLength(1);
    }
  }

  async function storedValue(): Promise<string> {
    const names = await valuesOf(client);
    expect(names).toHaveLength(1);
    return (await client.get(names[0]!))!;
  }

  describe('without a fault', () => {
    it.each([300, 5])('runs once when a run takes %i ms', async (takes) => {
      await setUp({ options: patient });
      expectOne(await fleet.call('a', { takes }));
      await fleet.settle();
      expect(await recordsOf(client)).toEqual([]);
      expect(commits.stamps).toHaveLength(1);
      expect(await fleet.sum('unleased')).toBe(0);
    });

    it('runs once by polling, where nothing can be subscribed to', async () => {
      await setUp({ isFunction: true, options: patient });
      expectOne(await fleet.call('a', { takes: 300 }));
      expect(await client.pubsub('CHANNELS')).toEqual([]);
    });

    it('gives each process its own error when the run fails, without a queue', async () => {
      await setUp({ options: patient });
      const answers = await fleet.call('a', { takes: 300, throws: true });
      expect(fleet.runs).toHaveLength(4);
      expect(answers.map(({ errors }) => errors)).toEqual(
        fleet.workers.map(({ pid }) => [`Error: no value from ${pid}`]),
      );
      await until(async () => (await recordsOf(client)).length === 0, 'the record of the failure to expire');
    });

    it('tells of a failure also where nothing can be subscribed to', async () => {
      await setUp({ isFunction: true, options: patient });
      const answers = await fleet.call('a', { takes: 300, throws: true });
      expect(fleet.runs).toHaveLength(4);
      expect(new Set(answers.flatMap(({ errors }) => errors)).size).toBe(4);
    });

    it('refreshes a stale entry once while all answer with it', async () => {
      await setUp({ options: { ...patient, ttl: 1, staleWhileRevalidate: 60_000 } });
      const [first] = fleet.workers;
      const { values } = await first!.call('a', {}, 1);
      await first!.ask({ do: 'settle' });
      fleet.runs = [];
      const answers = await fleet.call('a', { takes: 500 });
      expect(answers.map((each) => each.values)).toEqual(answers.map(() => values));
      await fleet.settle();
      expect(fleet.runs).toHaveLength(1);
      expect(await storedValue()).toContain(fleet.runs[0]!.value);
    });

    it.each(['not ours', '1 generation.token 1700000000000 {"v":1,"val', '1 a.b 99999999999999999999 {}', ''])(
      'runs once over planted garbage: %j',
      async (garbage) => {
        await setUp({ options: patient });
        expectOne(await fleet.call('a', {}));
        await fleet.settle();
        const [name] = await valuesOf(client);
        await client.set(name!, garbage);
        fleet.runs = [];
        expectOne(await fleet.call('a', { takes: 100 }));
        await fleet.settle();
        expect(await storedValue()).toContain(fleet.runs[0]!.value);
      },
    );

    it('runs once over values and records of another type', async () => {
      await setUp({ options: patient });
      expectOne(await fleet.call('a', {}));
      await fleet.settle();
      const [name] = await valuesOf(client);
      await client.del(name!);
      await client.rpush(name!, 'x');
      await client.rpush(`${name}:l`, 'x');
      fleet.runs = [];
      expectOne(await fleet.call('a', { takes: 100 }));
    });

    it('renews the lease of a run that outlives it', async () => {
      await setUp({ store: { lease: 400 }, options: patient });
      expectOne(await fleet.call('a', { takes: 2_000 }));
    });

    it('runs once for each of many cold keys', async () => {
      await setUp({ options: patient });
      const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`);
      const answers = await Promise.all(
        fleet.workers.map((worker): Promise<string[][]> =>
          worker.ask({ do: 'call each', keys, task: { takes: 5 }, callers: 5 }),
        ),
      );
      expect(fleet.runs).toHaveLength(keys.length);
      const valueOf = new Map(fleet.runs.map(({ key, value }) => [key, value]));
      for (const each of answers) expect(each).toEqual(keys.map((key) => [valueOf.get(key)]));
    });
  });

  describe('when the holder fails', () => {
    it('runs a second time after a kill -9', async () => {
      await setUp({ store: { lease: 500 } });
      const calls = fleet.workers.map((worker) => worker.call('a', { takes: 700 }));
      const { worker: holder } = await fleet.run(1);
      const others = calls.filter((_, index) => fleet.workers[index] !== holder);
      const killed = calls[fleet.workers.indexOf(holder)]!;
      holder.signal('SIGKILL');
      await expect(killed).rejects.toThrow('The worker has ended');
      const answers = await Promise.all(others);
      expect(fleet.runs).toHaveLength(2);
      expect(answers.map(({ values }) => values)).toEqual(answers.map(() => [fleet.runs[1]!.value]));
      await (await fleet.replace(holder)).setUp({ socket: server.socket });
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
    });

    it('refuses what a holder writes that was stopped and goes on later', async () => {
      await setUp({ store: { lease: 500 } });
      const calls = fleet.workers.map((worker) => worker.call('a', { takes: 300 }));
      const { worker: holder } = await fleet.run(1);
      holder.signal('SIGSTOP');
      await Promise.all(calls.filter((_, index) => fleet.workers[index] !== holder));
      holder.signal('SIGCONT');
      const answers = await Promise.all(calls);
      expectValues(answers);
      await fleet.settle();
      expect(fleet.runs).toHaveLength(2);
      expect(commits.stamps).toHaveLength(1);
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
    });

    it('stores a result of a run that was taken over while its event loop was held', async () => {
      await setUp({ store: { lease: 500 } });
      const [first, ...others] = fleet.workers;
      const blocked = first!.call('a', { blocks: 2_000 });
      await fleet.run(1);
      const answers = await Promise.all(others.map((worker) => worker.call('a', { takes: 100 })));
      expectValues([await blocked, ...answers]);
      expect(fleet.runs).toHaveLength(2);
      await fleet.settle();
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
    });

    it('refuses what a holder writes that was cut off, when the network is back', async () => {
      const proxy = await Proxy.start(`${server.directory}/proxy.sock`, server.socket);
      try {
        await setUp({ store: { lease: 500 } });
        const [first, ...others] = fleet.workers;
        await first!.setUp({ socket: proxy.socket, store: { lease: 500 } });
        const cutOff = first!.call('a', { takes: 300 });
        await fleet.run(1);
        proxy.mode = 'hold';
        const answers = await Promise.all(others.map((worker) => worker.call('a', { takes: 100 })));
        expectValues([await cutOff, ...answers]);
        await until(() => proxy.bytes > 0, 'the commit to be held');
        proxy.mode = 'pass';
        await fleet.settle();
        await first!.ask({ do: 'peek', key: 'a' });
        expect(fleet.runs).toHaveLength(2);
        expect(commits.stamps).toHaveLength(1);
        expect(await storedValue()).toContain(fleet.runs[1]!.value);
      } finally {
        await fleet.workers[0]!.setUp({ socket: server.socket });
        await proxy.close();
      }
    });
  });

  describe('when the server misbehaves', () => {
    it('refuses a result from before FLUSHALL, and runs again', async () => {
      await setUp({ options: patient });
      const calls = fleet.call('a', { takes: 600 });
      await fleet.run(1);
      await client.flushall();
      expectValues(await calls);
      await fleet.settle();
      expect(fleet.runs).toHaveLength(2);
      expect(commits.stamps).toHaveLength(1);
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
      expect(await fleet.sum('discards')).toBe(1);
    });

    it('runs twice when the server is killed and comes back empty', async () => {
      await setUp({ options: patient });
      const calls = fleet.call('a', { takes: 800 });
      await fleet.run(1);
      await server.kill();
      await server.start();
      expectValues(await calls);
      expect(fleet.runs).toHaveLength(2);
      await fleet.settle();
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
    });

    it.each([
      ['SCRIPT', 'FLUSH'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
    ])('runs once in spite of %s %s %s %s', async (...command) => {
      await setUp({ options: patient });
      const calls = fleet.call('a', { takes: 300 });
      await fleet.run(1);
      // The connection that asks may be among those that are killed.
      await client.call(command[0], ...command.slice(1)).catch(() => undefined);
      expectOne(await calls);
    });

    const freezes: [string, () => Promise<unknown>, () => void][] = [
      ['CLIENT PAUSE', () => client.call('CLIENT', 'PAUSE', '1500'), () => undefined],
      ['DEBUG SLEEP', async () => void client.call('DEBUG', 'SLEEP', '2'), () => undefined],
      ['kill -STOP', async () => server.freeze(), () => server.thaw()],
    ];
    it.each(freezes)('runs once in each process during %s, and leaves no record', async (_name, freeze, thaw) => {
      await setUp();
      const calls = fleet.call('a', { takes: 300 });
      await fleet.run(1);
      await freeze();
      try {
        expectValues(await calls);
      } finally {
        thaw();
      }
      expect(fleet.runs).toHaveLength(4);
      await until(async () => (await recordsOf(client)).length === 0, 'the lease to be given back');
      expect(await fleet.sum('unleased')).toBe(3);
    });

    it('runs once in each process when the server is frozen before the call, and leaves no record', async () => {
      await setUp();
      server.freeze();
      try {
        expectValues(await fleet.call('a', { takes: 100 }));
      } finally {
        server.thaw();
      }
      expect(fleet.runs).toHaveLength(4);
      expect(await fleet.sum('unleased')).toBe(4);
      await until(async () => (await recordsOf(client)).length === 0, 'what was asked late to be given back');
      expect(await valuesOf(client)).toEqual([]);
    });
  });

  describe('a fence in another process', () => {
    const slow: Task = { takes: 500 };

    it('refuses a run from before a delete, and leaves nothing behind', async () => {
      await setUp();
      const [first, second] = fleet.workers;
      const call = first!.call('a', slow, 1);
      await fleet.run(1);
      await expect(second!.ask({ do: 'delete', key: 'a' })).resolves.toBe(false);
      expectValues([await call]);
      await fleet.settle();
      expect(await client.keys('*')).toEqual([]);
      expect((await first!.stats()).discards).toBe(1);
    });

    it('refuses a run from before a clear, and leaves nothing behind', async () => {
      await setUp();
      const [first, second] = fleet.workers;
      const call = first!.call('a', slow, 1);
      await fleet.run(1);
      await second!.ask({ do: 'clear' });
      expectValues([await call]);
      await fleet.settle();
      expect(await client.keys('*')).toEqual([]);
    });

    it('keeps a primed value against a run from before', async () => {
      await setUp();
      const [first, second] = fleet.workers;
      const call = first!.call('a', slow, 1);
      await fleet.run(1);
      await second!.ask({ do: 'prime', key: 'a', value: 'primed' });
      expectValues([await call]);
      await fleet.settle();
      expect(await storedValue()).toContain('primed');
      await expect(fleet.workers[2]!.call('a', {})).resolves.toMatchObject({ values: ['primed'] });
    });

    it('keeps a refreshed value against a run from before', async () => {
      await setUp();
      const [first, second] = fleet.workers;
      const call = first!.call('a', slow, 1);
      await fleet.run(1);
      const refreshed = await second!.ask({ do: 'refresh', key: 'a', task: { takes: 0 } });
      expectValues([await call]);
      await fleet.settle();
      expect(await storedValue()).toContain(refreshed);
    });

    it.each([
      ['its next renewal', 150],
      ['a message, where it has a subscriber', 20_000],
    ])('detaches the run by %s, so that a call there starts afresh', async (by, lease) => {
      await setUp({ store: { lease } });
      const [first, second] = fleet.workers;
      if (by.includes('message')) {
        // The first wait opens the subscriber.
        const other = second!.call('b', { takes: 200 });
        await fleet.run(1);
        await Promise.all([other, first!.call('b', {})]);
        await second!.ask({ do: 'delete', key: 'b' });
        fleet.runs = [];
      }
      let isOver = false;
      const before = first!.call('a', { takes: 3_000 }, 1).finally(() => (isOver = true));
      await fleet.run(1);
      await second!.ask({ do: 'delete', key: 'a' });
      const later: Promise<Answers>[] = [];
      await until(() => {
        later.push(first!.call('a', {}, 1));
        return fleet.runs.length >= 2;
      }, 'the fence to be known');
      expect(isOver).toBe(false);
      expectValues([await before, ...(await Promise.all(later))]);
      await fleet.settle();
      expect(await storedValue()).toContain(fleet.runs[1]!.value);
    });
  });
});
