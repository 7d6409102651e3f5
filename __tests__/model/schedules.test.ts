import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, jest } from '@jest/globals';
import { memoizeAsync, TimeoutError } from '../../lib/index.js';
import type { Entry, Memoized, MemoizeOptions } from '../../lib/index.js';
import { Random, seedOfRun } from './random.js';
import { Schedule, scheduledStore } from './schedule.js';
import { turn } from './world.js';

type Load = (id: number, signal?: AbortSignal) => Promise<string>;

const SCHEDULES = 10_000;
const START = 1_000_000;
const seed = seedOfRun();

jest.setTimeout(120_000);

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

/** A run or a call, and the steps in which it began and ended. */
interface Happening {
  readonly name: string;
  readonly startedAt: number;
  endedAt: number;
  outcome: unknown;
  readonly signal: AbortSignal | undefined;
}

/** One stage for one schedule: wrappers of one name on one store, whose runs settle as steps of the schedule. */
class Stage {
  readonly schedule: Schedule;
  readonly runs: Happening[] = [];
  readonly calls: Happening[] = [];
  /** When something was done, by name. */
  readonly moments = new Map<string, number>();
  readonly entries: Map<string, Entry<string>>;
  readonly wrappers: Memoized<Load>[];

  constructor(random: Random, options: MemoizeOptions<Load> = {}, failing: (run: number) => boolean = () => false) {
    jest.setSystemTime(START);
    this.schedule = new Schedule(random);
    const { store, entries } = scheduledStore(this.schedule, random.chance(0.7));
    this.entries = entries;
    const fn: Load = (_id, signal) =>
      new Promise((resolve, reject) => {
        const name = `run ${this.runs.length}`;
        const run: Happening = { name, startedAt: this.schedule.now, endedAt: Infinity, outcome: undefined, signal };
        const hasFailed = failing(this.runs.push(run) - 1);
        this.schedule.add(`end of ${name}`, () => {
          run.endedAt = this.schedule.now;
          if (hasFailed) reject(new Error(name));
          else resolve(name);
        });
      });
    this.wrappers = [0, 1].map(() => memoizeAsync<Load>(fn, { name: 'load', cache: store, ...options }));
  }

  get load(): Memoized<Load> {
    return this.wrappers[0]!;
  }

  get other(): Memoized<Load> {
    return this.wrappers[1]!;
  }

  /** The step of a caller: its answer is kept. */
  call(name: string, act: () => Promise<unknown>, signal?: AbortSignal): () => void {
    return () => {
      const call: Happening = { name, startedAt: this.schedule.now, endedAt: Infinity, outcome: 'pending', signal };
      this.calls.push(call);
      const end = (outcome: unknown): void => {
        call.endedAt = this.schedule.now;
        call.outcome =
          outcome instanceof TimeoutError ? 'timeout' : outcome instanceof Error ? outcome.message : outcome;
      };
      act().then(end, end);
    };
  }

  /** The step of something else: its moment is kept. */
  mark(name: string, act: () => Promise<unknown>): () => void {
    return () => {
      this.moments.set(name, this.schedule.now);
      act().catch(() => undefined);
    };
  }

  /** A result of `fn` by the name that is its value. */
  run(value: unknown): Happening | undefined {
    return this.runs.find(({ name }) => name === value);
  }

  outcomeOf(name: string): unknown {
    return this.calls.find((call) => call.name === name)?.outcome;
  }

  startOf(name: string): number {
    return this.calls.find((call) => call.name === name)?.startedAt ?? NaN;
  }

  async stored(): Promise<string | undefined> {
    const peeked = this.load.peek(1);
    await this.schedule.run();
    return peeked;
  }

  /** Every caller has an answer, nothing is under way, nothing is counted as such. */
  async rest(): Promise<void> {
    for (let before = -1; before < this.schedule.now;) {
      before = this.schedule.now;
      jest.advanceTimersByTime(2_000);
      await turn(Infinity);
      await this.schedule.run();
    }
    for (const call of this.calls) assert.notEqual(call.outcome, 'pending');
    for (const wrapper of this.wrappers) {
      await wrapper.settled();
      assert.equal(wrapper.stats().inFlight, 0);
    }
  }
}

interface Scene {
  readonly stage: Stage;
  readonly check: () => Promise<void> | void;
}

/** Plays a scenario under many schedules; a failure tells the schedule. */
async function permute(play: (random: Random) => Scene): Promise<void> {
  for (let index = 0; index < SCHEDULES; index += 1) {
    const { stage, check } = play(new Random(seed + index));
    try {
      await stage.schedule.run();
      await stage.rest();
      await check();
    } catch (error) {
      const trace = stage.schedule.trace.join('\n  ');
      throw new Error(`SEED=${seed}, schedule ${index}:\n  ${trace}\n${(error as Error).message}`, { cause: error });
    }
  }
}

function isOneOf(outcome: unknown, choices: readonly unknown[]): void {
  assert.ok(choices.includes(outcome), `${String(outcome)} is none of ${choices.join(', ')}`);
}

/** No run that began before the fence answers a call after it, or is stored. */
async function expectFenced(stage: Stage, fence: string): Promise<void> {
  const fencedAt = stage.moments.get(fence)!;
  for (const { startedAt, outcome } of stage.calls) {
    const run = stage.run(outcome);
    if (startedAt > fencedAt && run !== undefined)
      assert.ok(run.startedAt >= fencedAt, `${run.name} began before the ${fence}`);
  }
  const stored = stage.run(await stage.stored());
  if (stored !== undefined)
    assert.ok(stored.startedAt >= fencedAt, `${stored.name} is stored and began before the ${fence}`);
}

/** What ran at the same time was kept apart by a fence. */
function expectOneAtATime(stage: Stage, fences: readonly string[]): void {
  for (const [index, run] of stage.runs.entries()) {
    for (const earlier of stage.runs.slice(0, index)) {
      if (earlier.endedAt <= run.startedAt || earlier.signal?.aborted) continue;
      const isApart = fences.some((fence) => {
        const fencedAt = stage.moments.get(fence) ?? NaN;
        return earlier.startedAt <= fencedAt && fencedAt <= run.startedAt;
      });
      assert.ok(isApart, `${run.name} began while ${earlier.name} was under way`);
    }
  }
}

describe(`memoizeAsync under ${SCHEDULES} schedules (SEED=${seed})`, () => {
  it.each(['delete', 'clear'] as const)('keeps its promises with two runs and a %s', async (control) => {
    await permute((random) => {
      const stage = new Stage(random);
      const { schedule, load } = stage;
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('again', () => load(1)),
      );
      schedule.add(
        'second',
        stage.call('second', () => load(1)),
      );
      schedule.add(
        control,
        stage.mark(control, () => (control === 'delete' ? load.delete(1) : load.clear())),
        stage.call('after', () => load(1)),
      );
      return {
        stage,
        check: async () => {
          assert.ok(stage.runs.length > 0);
          expectOneAtATime(stage, [control]);
          await expectFenced(stage, control);
        },
      };
    });
  });

  it('keeps its promises with a refresh and a plain run', async () => {
    await permute((random) => {
      const stage = new Stage(random);
      const { schedule, load } = stage;
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('again', () => load(1)),
      );
      schedule.add(
        'refresh',
        stage.mark('refresh', async () => undefined),
        stage.call('refresh', () => load.refresh(1)),
        stage.call('after', () => load(1)),
      );
      schedule.add(
        'second',
        stage.call('second', () => load(1)),
      );
      return {
        stage,
        check: async () => {
          const refreshed = stage.run(stage.outcomeOf('refresh'))!;
          assert.equal(refreshed.startedAt, stage.startOf('refresh'));
          assert.equal(await stage.stored(), refreshed.name);
          for (const { startedAt, outcome } of stage.calls) {
            if (startedAt > refreshed.endedAt + 1) assert.equal(outcome, refreshed.name);
          }
          stage.moments.set('refresh', refreshed.startedAt);
          expectOneAtATime(stage, ['refresh']);
        },
      };
    });
  });

  it('keeps its promises with an abort and the end of the run', async () => {
    await permute((random) => {
      const stage = new Stage(random);
      const { schedule, load } = stage;
      const controllers = ['one', 'two'].map((name) => {
        const controller = new AbortController();
        schedule.add(
          name,
          stage.call(name, () => load(1, controller.signal), controller.signal),
          () => {
            stage.moments.set(`${name} leaves`, schedule.now);
            controller.abort(`${name} left`);
          },
        );
        return controller;
      });
      schedule.add(
        'newcomer',
        stage.call('newcomer', () => load(1)),
      );
      return {
        stage,
        check: () => {
          assert.ok(controllers.every(({ signal }) => signal.aborted));
          for (const name of ['one', 'two'])
            isOneOf(stage.outcomeOf(name), [`${name} left`, ...stage.runs.map((run) => run.name)]);
          const newcomer = stage.run(stage.outcomeOf('newcomer'))!;
          assert.ok(newcomer.signal?.aborted !== true);
          for (const run of stage.runs) {
            const answered = stage.calls.filter(({ outcome }) => outcome === run.name);
            if (run.signal?.aborted) assert.deepEqual(answered, []);
          }
          expectOneAtATime(stage, []);
          const { aborts } = load.stats();
          assert.equal(aborts, stage.calls.filter(({ outcome }) => String(outcome).endsWith('left')).length);
        },
      };
    });
  });

  it('keeps its promises with a timeout and the end of the run', async () => {
    await permute((random) => {
      const stage = new Stage(random, { timeout: 100 });
      const { schedule, load } = stage;
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('second', () => load(1)),
      );
      schedule.add('time', ...[50, 50, 50].map((by) => () => void jest.advanceTimersByTime(by)));
      schedule.add(
        'third',
        stage.call('third', () => load(1)),
      );
      return {
        stage,
        check: async () => {
          const { timeouts, runs } = load.stats();
          const names = stage.runs.map(({ name }) => name);
          for (const { outcome } of stage.calls) isOneOf(outcome, [...names, 'timeout']);
          assert.equal(runs, stage.runs.length);
          assert.ok(timeouts <= runs);
          if (!stage.calls.some(({ outcome }) => outcome === 'timeout')) assert.equal(timeouts, 0);
          const stored = await stage.stored();
          const answers = stage.calls.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'timeout');
          isOneOf(stored, answers.length > 0 ? answers : [undefined]);
        },
      };
    });
  });

  it('keeps its promises with a prime and a slow write', async () => {
    await permute((random) => {
      const stage = new Stage(random);
      const { schedule, load } = stage;
      const isPromised = random.chance(0.5);
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('again', () => load(1)),
      );
      schedule.add(
        'prime',
        stage.mark('prime', () => load.prime([1], isPromised ? later(schedule, 'primed') : 'primed')),
        stage.call('after', () => load(1)),
      );
      schedule.add(
        'second',
        stage.call('second', () => load(1)),
      );
      return {
        stage,
        check: async () => {
          const primedAt = stage.moments.get('prime')!;
          for (const { startedAt, outcome } of stage.calls) if (startedAt > primedAt) assert.equal(outcome, 'primed');
          assert.equal(await stage.stored(), 'primed');
          assert.deepEqual(
            [...stage.entries.values()].map(({ value }) => value),
            ['primed'],
          );
        },
      };
    });
  });

  it('keeps its promises with a prime that fails', async () => {
    await permute((random) => {
      const stage = new Stage(random);
      const { schedule, load } = stage;
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('again', () => load(1)),
      );
      schedule.add(
        'prime',
        stage.mark('prime', () => load.prime([1], later(schedule, new Error('no value')))),
      );
      schedule.add(
        'second',
        stage.call('second', () => load(1)),
      );
      return {
        stage,
        check: async () => {
          const primedAt = stage.moments.get('prime')!;
          for (const { startedAt, outcome } of stage.calls) {
            if (startedAt < primedAt || outcome !== 'no value') assert.ok(stage.run(outcome));
          }
          expectOneAtATime(stage, ['prime']);
          const stored = stage.run(await stage.stored());
          // Written before the prime, or begun after it.
          if (stored !== undefined) assert.ok(stored.endedAt <= primedAt || stored.startedAt >= primedAt);
        },
      };
    });
  });

  it.each(['delete', 'clear'] as const)(
    'keeps its promises with two wrappers on one store and a %s',
    async (control) => {
      await permute((random) => {
        const stage = new Stage(random);
        const { schedule, load, other } = stage;
        schedule.add(
          'one',
          stage.call('one', () => load(1)),
          stage.call('one again', () => load(1)),
        );
        schedule.add(
          'other',
          stage.call('other', () => other(1)),
          stage.call('other again', () => other(1)),
        );
        schedule.add(
          control,
          stage.mark(control, () => (control === 'delete' ? other.delete(1) : other.clear())),
        );
        return {
          stage,
          check: async () => {
            expectOneAtATime(stage, [control]);
            await expectFenced(stage, control);
          },
        };
      });
    },
  );

  it('keeps its promises with an old value, a soft timeout, a failing run and a refresh', async () => {
    await permute((random) => {
      const stage = new Stage(
        random,
        { ttl: 100, staleIfError: 1_000, softTimeout: 50, timeout: 300 },
        (run) => run === 0,
      );
      const { schedule, load } = stage;
      stage.entries.set('load|#1', { v: 1, value: 'old', storedAt: START - 200, freshUntil: START - 100 });
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
        stage.call('again', () => load(1)),
      );
      schedule.add('time', () => void jest.advanceTimersByTime(50));
      schedule.add(
        'refresh',
        stage.call('refresh', () => load.refresh(1)),
        stage.call('after', () => load(1)),
      );
      return {
        stage,
        check: () => {
          for (const { name, outcome } of stage.calls) {
            if (name === 'refresh') isOneOf(outcome, ['run 0', 'run 1', 'run 2']);
            else isOneOf(outcome, ['old', 'run 1', 'run 2']);
          }
          const { errors, runs } = load.stats();
          assert.equal(errors, 1);
          assert.equal(runs, stage.runs.length);
        },
      };
    });
  });

  it('keeps its promises with a write that hangs past its deadline and a delete', async () => {
    await permute((random) => {
      const stage = new Stage(random, { storeTimeout: 100 });
      const { schedule, load } = stage;
      schedule.add(
        'first',
        stage.call('first', () => load(1)),
      );
      schedule.add(
        'time',
        () => void jest.advanceTimersByTime(101),
        () => void jest.advanceTimersByTime(101),
      );
      schedule.add(
        'delete',
        stage.mark('delete', () => load.delete(1)),
      );
      return {
        stage,
        check: () => {
          const deletedAt = stage.moments.get('delete')!;
          for (const { value } of stage.entries.values()) {
            const isSlowDelete = load.stats().storeErrors > 0;
            if (!isSlowDelete) assert.ok(stage.run(value)!.startedAt >= deletedAt);
          }
        },
      };
    });
  });
});

/** A promise that a step of the schedule settles. */
function later(schedule: Schedule, outcome: string | Error): Promise<string> {
  return new Promise((resolve, reject) => {
    schedule.add('end of the primed promise', () => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
  });
}
