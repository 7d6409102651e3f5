const { env } = require('node:process');
const { TestEnvironment } = require('jest-environment-node');

// Stryker finds tests by their names, and those of random tests carry the seed.
env.SEED ??= '1';
env.LISTS ??= '300';

/** One failure kills a mutant, so the tests after it are skipped: Jest cannot be told so by Stryker. */
module.exports = class extends TestEnvironment {
  #hasFailed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_start' && this.#hasFailed) test.mode = 'skip';
    if (name === 'test_done' && test.errors.length > 0) this.#hasFailed = true;
  }
};
