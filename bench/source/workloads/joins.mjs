import { expectRight, expectRuns, reachableBytes, timePerCall, turn } from './sampling.mjs';

/** Many callers on few flights: every key of a round is new, and no run ends before all have called. */
function joins({ flights: wantedFlights, callers: wantedCallers }) {
  return async ({ wrap, shrink }) => {
    const flights = shrink(wantedFlights);
    const callers = shrink(wantedCallers);
    let runs = 0;
    let gate;
    const fn = (key) => {
      runs += 1;
      return gate.promise.then(() => ({ key }));
    };
    const call = wrap(fn, { shape: 'string', capacity: Math.max(1_000, 2 * flights), isBounded: true });
    let round = 0;
    const batch = async () => {
      gate = createGate();
      round += 1;
      const keys = Array.from({ length: flights }, (_, flight) => flatten(`user:${round}-${flight}`));
      let answered = 0;
      let wrong = 0;
      const total = flights * callers;
      await new Promise((resolve, reject) => {
        for (let caller = 0; caller < callers; caller += 1) {
          for (const key of keys) {
            // One function for all callers: a closure each would hide what a caller costs.
            call(key).then(count, reject);
          }
        }
        function count(value) {
          answered += 1;
          if (typeof value.key !== 'string') wrong += 1;
          if (answered === total) resolve();
        }
        gate.open();
      });
      expectRight(wrong, total);
      return total;
    };
    return {
      async sample(duration) {
        const before = runs;
        const first = round;
        const time = await timePerCall(duration, batch);
        expectRuns(runs - before, (round - first) * flights, `for ${(round - first) * flights} flights`);
        return time;
      },
    };
  };
}

/** Bytes that each caller beyond the first keeps alive while the run goes on; more of them than in C1, for the sake of noise. */
function bytesPerJoiner(wantedCallers) {
  return async ({ wrap, shrink }) => {
    const callers = shrink(wantedCallers);
    let runs = 0;
    let gate;
    const fn = (key) => {
      runs += 1;
      return gate.promise.then(() => ({ key }));
    };
    const call = wrap(fn, { shape: 'string', capacity: 1_000, isBounded: false });
    let round = 0;
    const measure = async (count) => {
      gate = createGate();
      const key = `user:${round++}`;
      const answers = new Array(count + 1).fill(undefined);
      answers[count] = call(key);
      const before = await reachableBytes();
      for (let caller = 0; caller < count; caller += 1) answers[caller] = call(key);
      const after = await reachableBytes();
      gate.open();
      let wrong = 0;
      for (const answer of answers) if ((await answer).key !== key) wrong += 1;
      expectRight(wrong, count + 1);
      expectRuns(runs, round, `for ${round} flights`);
      await turn();
      return Math.max(0, after - before) / count;
    };
    // What the first calls leave behind is code and what the engine has learnt, not callers.
    await measure(callers);
    return { sample: () => measure(callers) };
  };
}

function createGate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}

/** A string put together from parts is only a note of the parts until somebody reads it. */
function flatten(text) {
  text.charCodeAt(0);
  return text;
}

export const C1 = joins({ flights: 1, callers: 10_000 });
export const C2 = joins({ flights: 1_000, callers: 100 });
export const C1b = bytesPerJoiner(20_000);

/** Callers on one flight as their number grows. */
export const joinsOf = ({ callers }) => joins({ flights: 1, callers });
