import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { batched } from 'aiocachetools';
import { deferred, flush } from '../support/call-recorder.js';
import type { Deferred } from '../support/call-recorder.js';

type Answer = (string | Error)[];
type Ending = 'array' | 'one error' | 'all fail' | 'wrong length';

/** What one caller does. It aborts, if it does, at any moment after its call, or before. */
interface Plan {
  readonly rest: number;
  readonly abort: 'never' | 'before' | 'later';
}

interface Limits {
  readonly maxSize: number;
  readonly wait: number;
}

/** What is to be seen of a batch: what `fn` was asked for, and whether its signal has aborted. */
interface Asked {
  readonly items: readonly number[];
  readonly rest: number;
  reason: string | undefined;
}

interface ModelBatch {
  readonly rest: number;
  readonly until: number;
  items: number[];
  asked: Asked | undefined;
}

/** `batched` in the simplest words: lists, and one step after the other. */
class Model {
  readonly asked: Asked[] = [];
  readonly outcomes: string[];
  #open: ModelBatch[] = [];
  readonly #asked: ModelBatch[] = [];
  readonly #limits: Limits;
  #now = 0;

  constructor(limits: Limits, callers: number) {
    this.#limits = limits;
    this.outcomes = Array.from({ length: callers }, () => 'not called');
  }

  call(item: number, { rest, abort }: Plan): void {
    if (abort === 'before') {
      this.outcomes[item] = `left: ${item}`;
      return;
    }
    this.outcomes[item] = 'pending';
    let batch = this.#open.find((open) => open.rest === rest);
    if (batch === undefined) {
      batch = { rest, until: this.#now + this.#limits.wait, items: [], asked: undefined };
      this.#open.push(batch);
    }
    batch.items.push(item);
    if (batch.items.length === this.#limits.maxSize) this.#ask(batch);
  }

  leave(item: number): void {
    if (this.outcomes[item] !== 'pending') return;
    this.outcomes[item] = `left: ${item}`;
    for (const batch of [...this.#open, ...this.#asked]) {
      if (!batch.items.includes(item)) continue;
      batch.items = batch.items.filter((other) => other !== item);
      if (batch.items.length > 0) continue;
      this.#open = this.#open.filter((open) => open !== batch);
      if (batch.asked !== undefined) batch.asked.reason = `left: ${item}`;
    }
  }

  pass(time: number): void {
    this.#now += time;
    for (const batch of this.#open.filter(({ until }) => until <= this.#now)) this.#ask(batch);
  }

  end(index: number, ending: Ending): void {
    const batch = this.#asked[index]!;
    for (const item of batch.items) {
      const isFirst = batch.asked!.items[0] === item;
      this.outcomes[item] =
        ending === 'all fail'
          ? 'failed'
          : ending === 'wrong length'
            ? 'TypeError'
            : ending === 'one error' && isFirst
              ? `no ${item}`
              : `value ${item}`;
    }
    batch.items = [];
  }

  #ask(batch: ModelBatch): void {
    this.#open = this.#open.filter((open) => open !== batch);
    batch.asked = { items: [...batch.items], rest: batch.rest, reason: undefined };
    this.asked.push(batch.asked);
    this.#asked.push(batch);
  }
}

/** The real thing, seen as the model is. */
class Real {
  readonly outcomes: string[];
  readonly #runs: (Omit<Asked, 'reason'> & { readonly signal: AbortSignal; readonly result: Deferred<Answer> })[] = [];
  readonly #controllers: AbortController[];
  readonly #get: (item: number, rest: number, signal: AbortSignal) => Promise<string>;

  constructor(limits: Limits, callers: number) {
    this.outcomes = Array.from({ length: callers }, () => 'not called');
    this.#controllers = this.outcomes.map(() => new AbortController());
    this.#get = batched((items: number[], rest: number, signal: AbortSignal): Promise<Answer> => {
      const result = deferred<Answer>();
      this.#runs.push({ items: [...items], rest, signal, result });
      return result.promise;
    }, limits);
  }

  get asked(): Asked[] {
    return this.#runs.map(({ items, rest, signal }) => ({ items, rest, reason: signal.reason as string | undefined }));
  }

  call(item: number, { rest, abort }: Plan): void {
    if (abort === 'before') this.leave(item);
    this.outcomes[item] = 'pending';
    this.#get(item, rest, this.#controllers[item]!.signal).then(
      (value) => (this.outcomes[item] = value),
      (error: unknown) =>
        (this.outcomes[item] =
          error instanceof TypeError ? 'TypeError' : error instanceof Error ? error.message : String(error)),
    );
  }

  leave(item: number): void {
    this.#controllers[item]!.abort(`left: ${item}`);
  }

  end(index: number, ending: Ending): void {
    const { items, result } = this.#runs[index]!;
    if (ending === 'all fail') return result.reject(new Error('failed'));
    const values: Answer = items.map((item) => `value ${item}`);
    if (ending === 'one error') values[0] = new Error(`no ${items[0]}`);
    result.resolve(ending === 'wrong length' ? [...values, 'more'] : values);
  }
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'], now: 0 }));
afterEach(() => void jest.useRealTimers());

describe('batched', () => {
  it('does as its model does, however calls, aborts, time and answers interleave', async () => {
    let abortedBatches = 0;
    let fullBatches = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.record({ maxSize: fc.constantFrom(1, 2, 3, Infinity), wait: fc.constantFrom(0, 0, 2) }),
        fc.array(
          fc.record({
            rest: fc.constantFrom(0, 0, 1),
            abort: fc.constantFrom<Plan['abort']>('never', 'never', 'before', 'later', 'later'),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        fc.array(fc.constantFrom<Ending>('array', 'one error', 'all fail', 'wrong length'), {
          minLength: 8,
          maxLength: 8,
        }),
        async (scheduler, limits, plans, endings) => {
          const model = new Model(limits, plans.length);
          const real = new Real(limits, plans.length);
          let ended = 0;
          const step = async (act: () => unknown): Promise<void> => {
            await act();
            await flush();
            expect(real.outcomes).toEqual(model.outcomes);
            expect(real.asked).toEqual(model.asked);
          };
          const both = (act: (side: Model | Real) => void) => () => step(() => [model, real].forEach(act));
          const pass = () =>
            step(() => {
              model.pass(1);
              return jest.advanceTimersByTimeAsync(1);
            });
          const end = () => {
            // Ended as early as there is something to end.
            if (ended >= model.asked.length) return Promise.resolve();
            const index = ended++;
            return step(() => [model, real].forEach((side) => side.end(index, endings[index]!)));
          };
          plans.forEach((plan, item) => {
            const steps = [{ label: `call ${item}`, builder: both((side) => side.call(item, plan)) }];
            if (plan.abort === 'later')
              steps.push({ label: `abort ${item}`, builder: both((side) => side.leave(item)) });
            scheduler.scheduleSequence(steps);
          });
          scheduler.scheduleSequence(plans.map((_, time) => ({ label: `time ${time}`, builder: pass })));
          scheduler.scheduleSequence(plans.map((_, index) => ({ label: `end ${index}`, builder: end })));
          await scheduler.waitAll();
          for (let time = 0; time < 3; time += 1) await pass();
          while (ended < model.asked.length) await end();
          expect(real.outcomes).not.toContain('pending');
          expect(jest.getTimerCount()).toBe(0);
          abortedBatches += model.asked.filter(({ reason }) => reason !== undefined).length;
          fullBatches += model.asked.filter(({ items }) => items.length === limits.maxSize).length;
        },
      ),
      { numRuns: 500 },
    );
    // What is to be shown has happened.
    expect(Math.min(abortedBatches, fullBatches)).toBeGreaterThan(20);
  }, 60_000);
});
