import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Deadlines } from '../../lib/store/deadline.js';
import { canDeleteByPrefix, deleteByPrefix } from '../../lib/store/delete-by-prefix.js';
import { FaultyStore } from '../support/faulty-store.js';
import type { StoreLike } from '../../lib/store/store-like.js';

const never = new Promise<never>(() => {});

describe('deleteByPrefix', () => {
  let deleted: string[];
  const deadlines = new Deadlines(250);

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    deleted = [];
  });

  afterEach(() => void jest.useRealTimers());

  const store = (methods: object): StoreLike<never> => ({
    get: () => undefined,
    set: () => undefined,
    delete: (key: string) => deleted.push(key) > 0,
    ...methods,
  });

  it.each<[string, () => unknown]>([
    ['a list', () => ['a|1', 'b|1', 'a|2', 7]],
    ['a promise of a list', async () => ['a|1', 'b|1', 'a|2', null]],
    [
      'an iterator',
      () =>
        new Map([
          ['a|1', 1],
          ['b|1', 1],
          ['a|2', 1],
        ]).keys(),
    ],
    [
      'an asynchronous iterator',
      async function* () {
        yield* ['a|1', 'b|1', 'a|2', {}];
      },
    ],
    [
      'a promise of one',
      async () =>
        (async function* () {
          yield* ['a|1', 'b|1', 'a|2'];
        })(),
    ],
  ])('deletes the keys of the prefix where `keys` gives %s', async (_, keys) => {
    await deleteByPrefix(store({ keys }), 'a|', deadlines);
    expect(deleted).toEqual(['a|1', 'a|2']);
  });

  it('uses the pairs of `iterator`, and `del`', async () => {
    const iterator = async function* () {
      yield* [
        ['a|1', 1],
        ['b|1', 1],
      ];
    };
    await deleteByPrefix(
      store({ iterator, delete: undefined, del: (key: string) => deleted.push(key) }),
      'a|',
      deadlines,
    );
    expect(deleted).toEqual(['a|1']);
  });

  it('leaves it to a store that can do better', async () => {
    const asked: string[] = [];
    await deleteByPrefix(
      store({ deleteByPrefix: (prefix: string) => asked.push(prefix), keys: () => ['a|1'] }),
      'a|',
      deadlines,
    );
    expect([asked, deleted]).toEqual([['a|'], []]);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['a count', 3, '3'],
    ['a text', 'a|1', '"a|1"'],
    ['a promise of an object', Promise.resolve({ keys: [] }), '[object Object]'],
  ])('rejects where `keys` gives %s', async (_, listed, shown) => {
    await expect(deleteByPrefix(store({ keys: () => listed }), 'a|', deadlines)).rejects.toThrow(
      `Expected \`keys\` of the store to list its keys, got ${shown}`,
    );
  });

  it('rejects with the error of `keys`', async () => {
    const keys = async () => Promise.reject(new Error('no list'));
    await expect(deleteByPrefix(store({ keys }), 'a|', deadlines)).rejects.toThrow('no list');
  });

  it.each<[string, object]>([
    ['deleteByPrefix', { deleteByPrefix: () => never }],
    ['keys', { keys: () => never }],
    ['an iterator', { keys: () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }) }],
    ['a delete', { keys: () => ['a|1', 'a|2'], delete: (key: string) => (deleted.push(key), never) }],
  ])('ends at the limit where %s hangs', async (_, methods) => {
    const failed = expect(deleteByPrefix(store(methods), 'a|', deadlines)).rejects.toThrow(
      'The store did not answer `clear` within 250 ms',
    );
    await jest.advanceTimersByTimeAsync(250);
    await failed;
    expect(deleted.length).toBeLessThanOrEqual(1);
  });

  it('tries every key where one fails, and rejects with the first error', async () => {
    const faulty = new FaultyStore();
    faulty.entries.set('a|1', { v: 1, storedAt: 0 }).set('a|2', { v: 1, storedAt: 0 });
    faulty.faults.delete = 'rejects';
    await expect(deleteByPrefix(faulty as StoreLike<never>, 'a|', deadlines)).rejects.toThrow();
    expect(faulty.calls.filter(({ method }) => method === 'delete').map(({ args }) => args)).toEqual([
      ['a|1'],
      ['a|2'],
    ]);
  });

  it.each([
    [{}, false],
    [{ keys: 1 }, false],
    [new Map(), true],
    [{ iterator: () => [] }, true],
    [{ deleteByPrefix: () => 0 }, true],
  ])('is possible for %j: %p', (methods, isPossible) => {
    expect(canDeleteByPrefix(methods)).toBe(isPossible);
  });
});
