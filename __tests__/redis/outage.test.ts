import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Fleet } from '../support/redis-fleet.js';
import { describeRedis, TestServer, until } from '../support/redis-server.js';
import type { Worker } from '../support/redis-fleet.js';

const nearTtl = 1_000;

describeRedis('tiered while the server is away', () => {
  describe('over several processes', () => {
    let server: TestServer;
    let fleet: Fleet;

    beforeAll(async () => {
      server = await TestServer.start();
      fleet = await Fleet.start(4);
    }, 60_000);

    afterAll(async () => {
      await fleet.close();
      await server.close();
    });

    it('runs at most once for a key, process and `nearTtl`, and has nothing old when the server is back', async () => {
      const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);
      await fleet.setUp({ socket: server.socket, isTiered: true, nearTtl });
      const askAll = (): Promise<string[][][]> =>
        Promise.all(
          fleet.workers.map((worker) => worker.ask({ do: 'call each', keys, callers: 4, task: { takes: 5 } })),
        );
      const client = server.client();
      await Promise.all(fleet.workers.map((worker) => worker.ask({ do: 'peek', key: 'key 0' })));
      await until(
        async () => Number((await client.pubsub('NUMSUB', 'aiocachetools:v1:writes'))[1]) === fleet.workers.length,
        'all to listen',
      );
      await askAll();
      expect(new Set(fleet.runs.map(({ key }) => key)).size).toBe(keys.length);

      await server.kill();
      fleet.runs = [];
      const begunAt = performance.now();
      const answers: string[][][] = [];
      while (performance.now() - begunAt < 10 * nearTtl) answers.push(...(await askAll()));
      const elapsed = performance.now() - begunAt;
      const counts = new Map<string, number>();
      for (const { worker, key } of fleet.runs) {
        const which = `${worker.pid} ${key}`;
        counts.set(which, (counts.get(which) ?? 0) + 1);
      }
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(Math.ceil(elapsed / nearTtl));
      // All callers of a key in one process get one value, unless its time in the near store ends between them.
      const sizes = answers.flatMap((ofProcess) => ofProcess.map((ofKey) => ofKey.length));
      expect(sizes.filter((size) => size > 2)).toEqual([]);
      expect(sizes.filter((size) => size === 2).length).toBeLessThan(sizes.length / 20);

      const invalidated = await Promise.allSettled(
        fleet.workers.map((worker) => worker.ask({ do: 'delete', key: 'key 1' })),
      );
      expect(invalidated.map(({ status }) => status)).toEqual(fleet.workers.map(() => 'rejected'));
      const before = new Set(answers.map((ofProcess) => ofProcess[1]![0]));
      await server.start();
      const isBack = async (worker: Worker): Promise<boolean> => {
        await worker.ask({ do: 'call each', keys: ['key 49'], callers: 1, task: {} });
        return (await client.exists('x')) === 0;
      };
      for (const worker of fleet.workers) await until(() => isBack(worker), 'the server to be back');
      for (const ofProcess of await askAll()) expect(before).not.toContain(ofProcess[1]![0]);
      expect(fleet.workers.flatMap(({ unhandled }) => unhandled)).toEqual([]);
    }, 60_000);
  });
});
