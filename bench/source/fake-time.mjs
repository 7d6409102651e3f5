import { performance } from 'node:perf_hooks';
import { turn } from './workloads/sampling.mjs';

/** By how many milliseconds the clocks of this process are ahead. */
let ahead = 0;
let isFake = false;

/** The timers that have been set; none of them fires but in `advance`. */
const timers = new Set();

class FakeTimer {
  constructor(callback, delay, period) {
    this.callback = callback;
    this.delay = Number(delay) || 0;
    this.period = period;
    this.refresh();
  }

  refresh() {
    this.due = Date.now() + this.delay;
    timers.add(this);
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  hasRef() {
    return false;
  }

  fire() {
    if (this.period === undefined) timers.delete(this);
    else this.due += this.period;
    this.callback();
  }
}

/**
 * From now on the timers of this process fire only in `advance`, and its clocks jump there. Called before a contender is
 * loaded, which may keep what it finds. Never where something is timed: a clock that has been replaced is compiled
 * otherwise.
 */
export function fakeTime() {
  if (isFake) return;
  isFake = true;
  for (const clock of [Date, performance]) {
    const now = clock.now.bind(clock);
    clock.now = () => now() + ahead;
  }
  // A proxy, and no class: what it makes has to be a Date for everybody.
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
  });
  globalThis.setTimeout = (callback, delay, ...args) => new FakeTimer(() => callback(...args), delay);
  globalThis.setInterval = (callback, delay, ...args) =>
    new FakeTimer(() => callback(...args), delay, Math.max(1, Number(delay) || 0));
  globalThis.clearTimeout = globalThis.clearInterval = (timer) => void timers.delete(timer);
}

/** Puts the time forward, fires what is due by then, and lets what follows from it happen. */
export async function advance(milliseconds) {
  // What waits for `process.nextTick` still belongs to the time before.
  await turn();
  ahead += milliseconds;
  let due;
  do {
    const now = Date.now();
    due = [...timers].filter((timer) => timer.due <= now).sort((one, other) => one.due - other.due);
    for (const timer of due) if (timers.has(timer)) timer.fire();
    await turn();
  } while (due.length > 0);
}
