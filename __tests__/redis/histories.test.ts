import { expect, it } from '@jest/globals';
import { Histories } from '../support/redis-histories.js';
import { describeRedis } from '../support/redis-server.js';

/** How many histories, each with a seed of its own, the first of which is SEED. */
const count = Number(process.env['HISTORIES'] ?? 200);
const firstSeed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How many go on side by side, and how long each is. */
const LANES = 10;
const LENGTH = 12;

describeRedis('the law: no value from before an acknowledged invalidation is readable after it', () => {
  it.each([
    ['redisStore', false],
    ['tiered over redisStore', true],
  ])(
    `holds in random histories of %s (${count}, SEED=${firstSeed})`,
    async (_name, isTiered) => {
      const histories = await Histories.start(isTiered);
      try {
        let made = 0;
        let invalidated = 0;
        let answers = 0;
        for (let done = 0; done < count / 2; done += LANES) {
          const seeds = Array.from({ length: LANES }, (_, lane) => firstSeed + (isTiered ? count : 0) + done + lane);
          await histories.run(seeds, LENGTH);
          made += histories.size.made;
          invalidated += histories.size.invalidated;
          answers += histories.size.answers;
        }
        // A checker that saw nothing would find nothing.
        expect(made).toBeGreaterThan(count);
        expect(invalidated).toBeGreaterThan(count / 2);
        expect(answers).toBeGreaterThan(count);
      } finally {
        await histories.close();
      }
    },
    60_000 + count * 1_000,
  );
});
