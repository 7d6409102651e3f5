import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** A contender gave a wrong value or ran the function too often or too seldom: it is reported, not timed. */
export class WrongAnswer extends Error {}

/** A contender cannot be brought to the state that a workload starts from in reasonable time. */
export class TooSlow extends Error {}

/** Calls between two turns of the event loop: what waits for `process.nextTick` would starve in a loop of promises. */
export const callsPerTurn = 1_024;

export const turn = () => new Promise((resolve) => setImmediate(resolve));

const clocks = {
  wall: () => performance.now(),
  // Time of all threads of the process: also on a machine that is busy with other things, a process pays for itself only.
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

let clock = clocks.wall;

/** Milliseconds by the clock that was chosen. */
export const now = () => clock();

export function chooseClock(name) {
  clock = clocks[name];
}

/**
 * Nanoseconds per call: `batch` resolves with the number of calls it made and is repeated until `duration` milliseconds
 * have passed.
 */
export async function timePerCall(duration, batch) {
  let calls = 0;
  const start = now();
  for (;;) {
    calls += await batch();
    await turn();
    const elapsed = now() - start;
    if (elapsed >= duration) return (elapsed * 1e6) / calls;
  }
}

/** Does `step(index)` for all indices below `count`, unless that takes longer than `limit` milliseconds. */
export async function fill(count, limit, step) {
  const start = now();
  for (let index = 0; index < count; index += 1) {
    await step(index);
    if (index % 64 !== 0) continue;
    if (index % callsPerTurn === 0) await turn();
    const elapsed = now() - start;
    if (elapsed > limit) {
      const each = Math.round((elapsed * 1e3) / (index + 1));
      throw new TooSlow(
        `could not be filled: ${index} of ${count} entries after ${Math.round(elapsed)} ms, ${each} µs each`,
      );
    }
  }
}

export function collectGarbage() {
  if (typeof globalThis.gc !== 'function') throw new Error('Run with --expose-gc');
  globalThis.gc();
}

/** Bytes that are reachable now, in the heap and outside. */
export async function reachableBytes() {
  // Promises that have settled keep their reactions until their turn has come.
  for (let round = 0; round < 3; round += 1) {
    await turn();
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export function expectRuns(actual, expected, when) {
  if (actual !== expected) throw new WrongAnswer(`expected ${expected} runs of the function ${when}, saw ${actual}`);
}

export function expectRight(wrong, calls) {
  if (wrong > 0) throw new WrongAnswer(`${wrong} of ${calls} calls resolved with a wrong value`);
}
