import { expectRight, expectRuns, fill, reachableBytes, TooSlow } from './sampling.mjs';

/** Below this many entries the tables of a store weigh too much in the mean. */
const leastEntries = 5_000;

/** Bytes that each entry costs, the key included, the value not: it is one and the same. */
function entries(wantedCount, ttl) {
  return async ({ wrap, fillLimit, shrink }) => ({
    async sample() {
      const count = shrink(wantedCount);
      const value = { id: 1 };
      let runs = 0;
      const fn = async () => {
        runs += 1;
        return value;
      };
      const before = await reachableBytes();
      const call = wrap(fn, { shape: 'string', capacity: count, isBounded: false, ttl });
      let filled = 0;
      try {
        await fill(count, fillLimit, async (id) => {
          await call(`user:${id}`);
          filled += 1;
        });
      } catch (error) {
        if (!(error instanceof TooSlow) || filled < leastEntries) throw error;
      }
      const bytes = (await reachableBytes()) - before;
      let asked = 0;
      let wrong = 0;
      for (let id = 0; id < filled; id += Math.ceil(filled / 100), asked += 1) {
        if ((await call(`user:${id}`)).id !== 1) wrong += 1;
      }
      expectRight(wrong, asked);
      expectRuns(runs, filled, `after ${asked} of as many entries were asked for again`);
      return bytes / filled;
    },
  });
}

export const S1 = entries(100_000);
export const S1t = entries(100_000, 3_600_000);

/** Bytes for each entry as their number grows. */
export const bytesOf = ({ keys }) => entries(keys);
