import { expectRuns, turn } from './sampling.mjs';

/** Turns after which something that is still not delivered is not waiting for microtasks. */
const mostTurns = 100;

/** How many microtask turns pass until the caller's own handler runs; exact. `Infinity`: it waits for something else. */
function turnsUntil(settled) {
  return new Promise((resolve) => {
    let isDelivered = false;
    let turns = 1;
    settled.then(() => (isDelivered = true));
    const next = () => {
      if (isDelivered) return resolve(turns);
      turns += 1;
      if (turns > mostTurns) return settled.then(() => resolve(Infinity));
      Promise.resolve().then(next);
    };
    Promise.resolve().then(next);
  });
}

function turns(kind) {
  return async ({ wrap }) => {
    let runs = 0;
    // A result that is there at once, from a function that is not async.
    const fn = (key) => {
      runs += 1;
      return Promise.resolve({ key });
    };
    const call = wrap(fn, { shape: 'string', capacity: 1_000, isBounded: false });
    let round = 0;
    return {
      async sample() {
        const key = `user:${round++}`;
        if (kind === 'hit') {
          await call(key);
          await turn();
        }
        const count = await turnsUntil(call(key));
        await turn();
        expectRuns(runs, round, `for ${round} keys`);
        return count;
      },
    };
  };
}

export const Th = turns('hit');
export const Tm = turns('miss');
