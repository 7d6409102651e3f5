import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { playRandom } from './episode.js';
import { seedOfRun } from './random.js';

const seed = seedOfRun();

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

describe(`memoizeAsync in random worlds (SEED=${seed})`, () => {
  it('keeps its promises through 20,000 operations without time', async () => {
    expect(await playRandom(seed, 20_000, { hasTime: false })).toBeGreaterThanOrEqual(20_000);
  }, 60_000);

  it('keeps its promises through 100,000 operations while time passes', async () => {
    expect(await playRandom(seed, 100_000, { hasTime: true })).toBeGreaterThanOrEqual(100_000);
  }, 120_000);
});
