import { describe, expect, it } from '@jest/globals';
import { flow as fpFlow, pipe as fpPipe } from 'fp-ts/lib/function.js';
import lodash from 'lodash';
import * as R from 'ramda';
import * as remeda from 'remeda';
import { createMemoizer, memoizeAsync } from '../lib/index.js';

/** A function, and how often it ran. */
function createSource(): { readonly fetchLength: (word: string) => Promise<number>; readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    fetchLength: async (word) => {
      calls.push(word);
      return word.length;
    },
  };
}

/** A step after the memoized function. */
const twice =
  (fn: (word: string) => Promise<number>) =>
  async (word: string): Promise<number> =>
    2 * (await fn(word));

/** All that a `pipe` takes. */
function pipe<A, B, C>(value: A, first: (value: A) => B, second: (value: B) => C): C {
  return second(first(value));
}

/** All that a `compose` takes. */
const compose =
  <A, B, C>(second: (value: B) => C, first: (value: A) => B) =>
  (value: A): C =>
    second(first(value));

type Fetch = (word: string) => Promise<number>;

/** From a generic first step TypeScript infers nothing for the second one. */
const memoizeFetch: (fn: Fetch) => Fetch = memoizeAsync({ ttl: 1_000 });

const pipes: [string, (fetchLength: Fetch) => Fetch][] = [
  ['remeda.pipe', (fn) => remeda.pipe(fn, memoizeAsync({ ttl: 1_000 }), twice)],
  ['remeda.piped', (fn) => remeda.piped(memoizeFetch, twice)(fn)],
  ['fp-ts pipe', (fn) => fpPipe(fn, memoizeAsync({ ttl: 1_000 }), twice)],
  ['fp-ts flow', (fn) => fpFlow(memoizeFetch, twice)(fn)],
  ['lodash flow', (fn) => lodash.flow(memoizeFetch, twice)(fn)],
  ['lodash flowRight', (fn) => lodash.flowRight(twice, memoizeFetch)(fn)],
  ['Ramda pipe', (fn) => R.pipe(memoizeAsync({ ttl: 1_000 }), twice)(fn)],
  ['Ramda compose', (fn) => R.compose(twice, memoizeAsync({ ttl: 1_000 }))(fn)],
  ['a pipe written by hand', (fn) => pipe(fn, memoizeAsync({ ttl: 1_000 }), twice)],
  ['a compose written by hand', (fn) => compose(twice, memoizeFetch)(fn)],
  ['a memoizer with defaults', (fn) => pipe(fn, createMemoizer({ name: 'words' })({ ttl: 1_000 }), twice)],
];

describe.each(pipes)('memoizeAsync(options) in %s', (_name, through) => {
  it('is one step: concurrent and later calls share a run, and the next step sees its results', async () => {
    const { fetchLength, calls } = createSource();
    const measure = through(fetchLength);
    await expect(Promise.all([measure('ab'), measure('ab'), measure('abc')])).resolves.toEqual([4, 4, 6]);
    await expect(measure('ab')).resolves.toBe(4);
    expect(calls).toEqual(['ab', 'abc']);
  });

  it('hands a rejection on, and forgets it', async () => {
    let attempts = 0;
    const measure = through(async (word) => {
      attempts += 1;
      if (attempts === 1) throw new Error('not now');
      return word.length;
    });
    await expect(measure('ab')).rejects.toThrow('not now');
    await expect(measure('ab')).resolves.toBe(4);
  });
});

describe('memoizeAsync(options) at the end of a pipe', () => {
  it('gives a wrapper with its controls', async () => {
    const { fetchLength, calls } = createSource();
    const wrappers = [
      remeda.pipe(fetchLength, memoizeAsync({ ttl: 1_000 })),
      fpPipe(fetchLength, memoizeAsync({ ttl: 1_000 })),
      lodash.flow(twice, memoizeAsync({ ttl: 1_000 }))(fetchLength),
      R.pipe(twice, memoizeAsync({ ttl: 1_000 }))(fetchLength),
    ];
    for (const wrapper of wrappers) {
      await wrapper('ab');
      await expect(wrapper.delete('ab')).resolves.toBe(true);
      await wrapper('ab');
      expect(wrapper.stats()).toMatchObject({ runs: 2 });
    }
    expect(calls).toHaveLength(8);
  });

  it('makes a wrapper of its own for each function', async () => {
    const once = memoizeAsync({ ttl: 1_000 });
    const [upper, lower] = [once(async (word: string) => word.toUpperCase()), once(async (word: string) => word)];
    await expect(Promise.all([upper('ab'), lower('ab')])).resolves.toEqual(['AB', 'ab']);
  });
});
