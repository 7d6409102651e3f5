import type { Random } from './random.js';

/** What can be done to a world. `pick` names one of those that are there at the time, whatever their number. */
export type Command =
  | { readonly do: 'call'; readonly wrapper: number; readonly key: number; readonly signal: 'none' | 'own' | 'aborted' }
  | { readonly do: 'refresh'; readonly wrapper: number; readonly key: number; readonly signal: 'none' | 'own' }
  | { readonly do: 'delete' | 'expire' | 'peek'; readonly wrapper: number; readonly key: number }
  | { readonly do: 'invalidate'; readonly wrapper: number; readonly tags: readonly string[]; readonly isSoft: boolean }
  | { readonly do: 'clear'; readonly wrapper: number }
  | { readonly do: 'prime'; readonly wrapper: number; readonly key: number; readonly how: 'plain' | 'promised' }
  /** Settle a run, a promise that was primed with, or an operation of the store. */
  | { readonly do: 'fulfil' | 'reject' | 'bring' | 'withhold' | 'answer' | 'fail' | 'fail late'; readonly pick: number }
  | { readonly do: 'answer all' }
  /** A caller with a signal leaves. */
  | { readonly do: 'abort'; readonly pick: number }
  | { readonly do: 'advance'; readonly by: number };

/** A command, and how many microtasks pass before the next one: `Infinity` where all that can happen shall. */
export type Step = Command & { readonly turns: number };

/** What a world is made of. */
export interface Settings {
  /** `at once`: a `Map`. `by hand`: operations wait until they are answered. */
  readonly store: 'at once' | 'by hand';
  /** Operations fail and hang. */
  readonly isFaulty: boolean;
  /** Results have the tags of `tagsOf`. */
  readonly isTagged: boolean;
  readonly ttl: number | 'by value';
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly softTimeout: number | undefined;
  readonly timeout: number | undefined;
  readonly errorTtl: number;
}

export const STORE_TIMEOUT = 100;

/** The tags of a result: one of its key, and one that results of all keys may have. */
export function tagsOf(key: number, value: string): string[] {
  return [`key ${key}`, `third ${Number(value.split(' ')[1]) % 3}`];
}

function possibleTags(key: number): string[] {
  return [`key ${key}`, 'third 0', 'third 1', 'third 2'];
}

export function randomSettings(random: Random, hasTime: boolean): Settings {
  const store = random.of(['at once', 'by hand'] as const);
  const isFaulty = store === 'by hand' && random.chance(0.4);
  const ttl = hasTime ? random.of([60, 60, 60, 'by value', 'by value', Infinity, 0] as const) : Infinity;
  // Windows after an endless `ttl` are refused, and so is a soft timeout without a window.
  const staleWhileRevalidate = ttl === Infinity ? 0 : random.of([0, 0, 50]);
  const staleIfError = ttl === Infinity ? 0 : random.of([0, 60, 150]);
  return {
    store,
    isFaulty,
    // A store that answers later takes no tags.
    isTagged: store === 'at once' && random.chance(0.6),
    ttl,
    staleWhileRevalidate,
    staleIfError,
    softTimeout: staleWhileRevalidate + staleIfError > 0 ? random.of([undefined, 20]) : undefined,
    timeout: hasTime ? random.of([undefined, 90]) : undefined,
    errorTtl: hasTime ? random.of([0, 0, 70]) : 0,
  };
}

export function randomSteps(random: Random, settings: Settings, count: number): Step[] {
  const isByHand = settings.store === 'by hand';
  const hasTime = settings.ttl !== Infinity || settings.timeout !== undefined || settings.errorTtl > 0;
  const weights = {
    call: 30,
    fulfil: 14,
    reject: 6,
    delete: 5,
    expire: 4,
    invalidate: settings.isTagged ? 8 : 0,
    clear: 2,
    refresh: 5,
    prime: 5,
    bring: 4,
    withhold: 2,
    abort: 6,
    peek: 3,
    advance: hasTime || settings.isFaulty ? 14 : 0,
    answer: isByHand ? 25 : 0,
    'answer all': isByHand ? 6 : 0,
    fail: settings.isFaulty ? 4 : 0,
    'fail late': settings.isFaulty ? 2 : 0,
  };
  return Array.from({ length: count }, () => randomStep(random, random.weighted(weights)));
}

function randomStep(random: Random, name: Command['do']): Step {
  const wrapper = random.below(2);
  const key = random.of([0, 0, 0, 1, 2]);
  const turns = random.chance(0.7) ? Infinity : random.below(4);
  const pick = random.below(1_000);
  switch (name) {
    case 'call':
      return { do: name, wrapper, key, signal: random.of(['none', 'none', 'own', 'own', 'aborted']), turns };
    case 'refresh':
      return { do: name, wrapper, key, signal: random.of(['none', 'own']), turns };
    case 'prime':
      return { do: name, wrapper, key, how: random.of(['plain', 'promised']), turns };
    case 'invalidate': {
      const tags = [random.of(possibleTags(key)), random.of(possibleTags(key))].slice(random.below(2));
      return { do: name, wrapper, tags, isSoft: random.chance(0.4), turns };
    }
    case 'delete':
    case 'expire':
    case 'peek':
      return { do: name, wrapper, key, turns };
    case 'clear':
      return { do: name, wrapper, turns };
    case 'advance':
      return { do: name, by: random.of([1, 10, 20, 30, 40, 60, 90, 99, 101, 200]), turns: Infinity };
    case 'answer all':
      return { do: name, turns: Infinity };
    default:
      return { do: name, pick, turns };
  }
}

export function describeStep(step: Step): string {
  const { do: name, turns, ...rest } = step;
  const details = Object.entries(rest).map(([detail, value]) => `${detail} ${value}`);
  return `${name}${details.length > 0 ? ` (${details.join(', ')})` : ''}${turns === Infinity ? '' : `, ${turns} turns`}`;
}
