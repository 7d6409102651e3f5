import { zipfOrder } from './arguments.mjs';
import { callsPerTurn, expectRight, expectRuns, fill, timePerCall, WrongAnswer } from './sampling.mjs';

/** Every call misses a cache that is full. */
function misses(wantedCapacity) {
  return async ({ wrap, fillLimit, shrink }) => {
    const capacity = shrink(wantedCapacity);
    let runs = 0;
    const fn = async (key) => {
      runs += 1;
      return { key };
    };
    const call = wrap(fn, { shape: 'string', capacity, isBounded: true });
    let next = 0;
    await fill(capacity, fillLimit, () => call(`user:${next++}`));
    return {
      async sample(duration) {
        let wrong = 0;
        const before = runs;
        const first = next;
        const time = await timePerCall(duration, async () => {
          for (const end = next + callsPerTurn; next < end; next += 1) {
            const key = `user:${next}`;
            const value = await call(key);
            if (value.key !== key) wrong += 1;
          }
          return callsPerTurn;
        });
        expectRight(wrong, next - first);
        expectRuns(runs - before, next - first, 'when every call misses');
        return time;
      },
    };
  };
}

/** Popular and unpopular keys, more of them than the cache holds. */
const zipf = async ({ wrap, fillLimit, shrink }) => {
  const keys = Array.from({ length: shrink(100_000) }, (_, id) => `user:${id}`);
  const order = zipfOrder(keys.length, 0.99);
  let runs = 0;
  const fn = async (key) => {
    runs += 1;
    return { key };
  };
  const call = wrap(fn, { shape: 'string', capacity: shrink(10_000), isBounded: true });
  let at = 0;
  let calls = 0;
  const step = async () => {
    const key = keys[order[at]];
    at = (at + 1) % order.length;
    const value = await call(key);
    if (value.key !== key) throw new WrongAnswer(`a wrong value for ${key}`);
  };
  await fill(shrink(150_000), fillLimit, step);
  runs = 0;
  return {
    async sample(duration) {
      let wrong = 0;
      const first = calls;
      const time = await timePerCall(duration, async () => {
        for (let done = 0; done < callsPerTurn; done += 1) {
          const key = keys[order[at]];
          at = (at + 1) % order.length;
          const value = await call(key);
          if (value.key !== key) wrong += 1;
        }
        calls += callsPerTurn;
        return callsPerTurn;
      });
      expectRight(wrong, calls - first);
      return time;
    },
    details: () => ({ hitRatio: 1 - runs / calls }),
  };
};

export const M1a = misses(1_000);
export const M1b = misses(100_000);
export const Z1 = zipf;
