import { TimeoutError } from '../../lib/index.js';
import { Reference } from './reference.js';
import { KEYS } from './world.js';
import type { MemoizeEvent } from '../../lib/index.js';
import type { Step } from './commands.js';
import type { Caller, World } from './world.js';

/** Holds a world beside the reference, command by command: every caller, run, event and stored value must be the same. */
export class Comparison {
  readonly #world: World;
  readonly #reference: Reference;
  #eventCount = 0;
  #peekCount = 0;
  readonly #peeked: (string | undefined)[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#reference = new Reference(world.settings);
  }

  /** To be called ahead of each step: what the step will settle can still be seen. */
  expect(step: Step): void {
    const { now, time } = this.#world;
    const reference = this.#reference;
    switch (step.do) {
      case 'call':
        return reference.call(step.wrapper, step.key, step.signal);
      case 'refresh':
        return reference.refresh(step.wrapper, step.key, step.signal === 'own');
      case 'delete':
        return void reference.delete(step.key);
      case 'expire':
        return void reference.expire(step.key);
      case 'invalidate':
        return reference.invalidate(step.tags, step.isSoft);
      case 'clear':
        return reference.clear(KEYS);
      case 'prime':
        return reference.prime(step.wrapper, step.key, step.how);
      case 'peek':
        return void this.#peeked.push(reference.peek(step.key));
      case 'advance':
        return reference.advance(time + step.by);
      case 'fulfil':
      case 'reject':
        return this.#settle('run', step.pick, step.do === 'reject');
      case 'bring':
      case 'withhold':
        return this.#settle('prime', step.pick, step.do === 'withhold');
      case 'abort': {
        const leavers = this.#world.leavers();
        const leaver = leavers[step.pick % leavers.length];
        return leaver && reference.abort(this.#world.callers.indexOf(leaver));
      }
      default:
        throw new Error(`A store that answers at once cannot ${step.do} (${now})`);
    }
  }

  #settle(kind: 'run' | 'prime', pick: number, hasFailed: boolean): void {
    const unsettled = this.#world.unsettled(kind);
    const origin = unsettled[pick % unsettled.length];
    if (origin !== undefined) this.#reference.settle(origin.value, hasFailed);
  }

  /** To be called when all that can happen has happened. */
  async check(): Promise<void> {
    const { callers, origins, events, peeks } = this.#world;
    const runs = origins.filter(({ kind }) => kind === 'run');
    this.#same(
      'runs',
      runs.map(({ value, key }) => `${value} of ${key}`),
      [...this.#reference.runs].map(([name, key]) => `${name} of ${key}`),
    );
    this.#same(
      'callers',
      callers.map(describeCaller),
      this.#reference.callers.map(({ state, outcome }) => (outcome === undefined ? state : `${state} ${outcome}`)),
    );
    this.#same(
      'aborted runs',
      runs
        .filter(({ signal }) => signal?.aborted)
        .map(({ value }) => value)
        .sort(),
      [...this.#reference.aborted].sort(),
    );
    this.#same(
      'events',
      byKey(events.slice(this.#eventCount).map(describeEvent)),
      byKey(this.#reference.events.slice(this.#eventCount)),
    );
    this.#eventCount = events.length;
    for (; this.#peekCount < peeks.length; this.#peekCount += 1) {
      this.#same('peeks', [await peeks[this.#peekCount]?.answer], [this.#peeked[this.#peekCount]]);
    }
  }

  #same(what: string, actual: readonly unknown[], expected: readonly unknown[]): void {
    const isSame = actual.length === expected.length && actual.every((one, index) => one === expected[index]);
    if (!isSame) this.#world.violations.push(`${what} are [${actual.join(', ')}], not [${expected.join(', ')}]`);
  }
}

function describeCaller(caller: Caller): string {
  const { state, outcome } = caller;
  if (outcome === caller) return 'left';
  if (outcome === undefined) return state;
  if (outcome instanceof TimeoutError) return `${state} timeout`;
  return `${state} ${outcome instanceof Error ? outcome.message : (outcome as string)}`;
}

function describeEvent({ wrapper, event }: { readonly wrapper: number; readonly event: MemoizeEvent }): string {
  const parts: unknown[] = [wrapper, event.type, Number(event.key.slice(1))];
  if (event.type === 'run') parts.push(event.outcome);
  if (event.type === 'fallback') parts.push(event.reason);
  return parts.join(' ');
}

/** Nothing is promised about the order of what happens to different keys at one moment. */
function byKey(events: readonly string[]): string[] {
  const keyOf = (event: string): number => Number(event.split(' ')[2]);
  return [...events].sort((one, other) => keyOf(one) - keyOf(other));
}
