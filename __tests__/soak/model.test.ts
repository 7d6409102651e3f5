import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { playRandom } from '../model/episode.js';
import { seedOfRun } from '../model/random.js';

const MINUTES = 10;

/** Only `npm run test:soak` has the time. */
const describeSoak = process.env.SOAK === undefined ? describe.skip : describe;

const seed = seedOfRun();
const realNow = performance.now.bind(performance);

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

describeSoak(`memoizeAsync in random worlds for ${MINUTES} minutes (SEED=${seed})`, () => {
  it(
    'keeps its promises',
    async () => {
      const end = realNow() + MINUTES * 60_000;
      let played = 0;
      for (let batch = seed; realNow() < end; batch += 1) {
        played += await playRandom(batch, 50_000, { hasTime: batch % 4 !== 0 });
      }
      process.stdout.write(`${played} operations from SEED=${seed}\n`);
      expect(played).toBeGreaterThan(0);
    },
    (MINUTES + 2) * 60_000,
  );
});
