import { callsPerTurn, expectRuns, reachableBytes, timePerCall, WrongAnswer } from './sampling.mjs';

const options = { shape: 'string', capacity: 1_000, isBounded: false };

/** A function that counts its runs, and what a call of it with `key` has to bring. */
function countedFunction() {
  const fn = async (key) => {
    fn.runs += 1;
    return { key };
  };
  fn.runs = 0;
  return fn;
}

async function expectAnswer(call, key) {
  if ((await call(key)).key !== key) throw new WrongAnswer(`a wrong value for ${key}`);
}

/** Microseconds until a function has been wrapped. */
async function time({ wrap, shrink }) {
  const count = shrink(callsPerTurn);
  const fn = countedFunction();
  const made = new Array(count).fill(undefined);
  let asked = 0;
  return {
    async sample(duration) {
      const each = await timePerCall(duration, () => {
        for (let at = 0; at < count; at += 1) made[at] = wrap(fn, options);
        return count;
      });
      for (let round = 0; round < 2; round += 1) await expectAnswer(made.at(-1), `user:${asked}`);
      asked += 1;
      expectRuns(fn.runs, asked, `for ${asked} wrappers that were called twice`);
      return each / 1_000;
    },
  };
}

/** Bytes that a wrapper keeps alive before it is called. */
async function bytes({ wrap, shrink }) {
  const count = shrink(1_000);
  const fn = countedFunction();
  const measure = async () => {
    const made = new Array(count).fill(undefined);
    const before = await reachableBytes();
    for (let at = 0; at < count; at += 1) made[at] = wrap(fn, options);
    const after = await reachableBytes();
    const runsBefore = fn.runs;
    for (const [at, call] of made.entries()) await expectAnswer(call, `user:${at}`);
    expectRuns(fn.runs - runsBefore, count, `for ${count} wrappers`);
    return Math.max(0, after - before) / count;
  };
  // What the first wrappers leave behind is code and what the engine has learnt.
  await measure();
  return { sample: measure };
}

export const N1 = time;
export const N1b = bytes;
