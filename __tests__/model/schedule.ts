import { turn } from './world.js';
import type { Random } from './random.js';
import type { Entry } from '../../lib/index.js';

type Step = () => unknown;

/**
 * Several strands of steps in one random order, a few microtasks between any two: what a machine with real delays would do
 * some day. A step may bring new strands.
 */
export class Schedule {
  /** The steps that were taken, for a failure's trace. */
  readonly trace: string[] = [];
  readonly #random: Random;
  readonly #strands: { readonly name: string; readonly steps: Step[] }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The number of the step that is under way. */
  get now(): number {
    return this.trace.length;
  }

  add(name: string, ...steps: Step[]): void {
    if (steps.length > 0) this.#strands.push({ name, steps });
  }

  /** Takes all steps. */
  async run(): Promise<void> {
    while (this.#strands.length > 0) {
      const index = this.#random.below(this.#strands.length);
      const strand = this.#strands[index]!;
      const step = strand.steps.shift()!;
      if (strand.steps.length === 0) this.#strands.splice(index, 1);
      this.trace.push(strand.name);
      step();
      await turn(this.#random.of([0, 0, 1, 2, 3, 5, 8, 40]));
      // What is under way may bring new strands.
      if (this.#strands.length === 0) await turn(Infinity);
    }
  }
}

/** A store whose answers are steps of the schedule, or one that answers at once. */
export function scheduledStore(schedule: Schedule, isSlow: boolean) {
  const entries = new Map<string, Entry<string>>();
  const answer = <R>(operation: string, act: () => R): R => {
    if (!isSlow) return act();
    const later = new Promise<R>((resolve) => schedule.add(`answer ${operation}`, () => resolve(act())));
    return later as R;
  };
  return {
    entries,
    store: {
      get: (key: string) => answer('get', () => entries.get(key)),
      set: (key: string, entry: Entry<string>) => answer('set', () => void entries.set(key, entry)),
      delete: (key: string) => answer('delete', () => entries.delete(key)),
      keys: () => entries.keys(),
    },
  };
}
