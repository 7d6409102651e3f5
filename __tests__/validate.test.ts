import { describe, expect, it } from '@jest/globals';
import { Keyv } from 'keyv';
import { memoizeAsync, tiered } from 'aiocachetools';
import { listen } from './support/call-recorder.js';
import type { Entry, MemoizeOptions } from 'aiocachetools';

interface User {
  readonly name: string;
}

const old: Entry<User> = { v: 1, value: { fullName: 'Ada' } as unknown as User, storedAt: Date.now() };
const isUser = (value: unknown): boolean => typeof (value as Partial<User>).name === 'string';

function open(cache: MemoizeOptions['cache'], validate: (value: unknown) => unknown = isUser) {
  const { onEvent, of } = listen();
  const asked: unknown[] = [];
  const f = memoizeAsync(async (id: number): Promise<User> => ({ name: `user ${id}` }), {
    name: 'f',
    cache: cache as never,
    onEvent,
    validate: (value) => {
      asked.push(value);
      return validate(value) as boolean;
    },
  });
  return { f, asked, errors: () => of('store-error') };
}

describe('validate', () => {
  it.each([
    ['a Map', () => new Map<string, unknown>()],
    ['Keyv', () => new Keyv()],
    ['tiered over Keyv', () => tiered(new Map(), new Keyv())],
  ])('makes a value of another shape a miss, which is reported and replaced: %s', async (_, cache) => {
    const store = cache();
    const { f, errors } = open(store as never);
    await store.set('f|#7', old as never);
    expect([await f.has(7), await f.peek(7)]).toEqual([false, undefined]);
    const before = errors().length;
    expect(await f(7)).toEqual({ name: 'user 7' });
    await f.settled();
    expect(errors()).toHaveLength(before + 1);
    expect(errors()[0]).toMatchObject({ operation: 'get', key: '#7' });
    expect(errors()[0]!.error).toBeInstanceOf(TypeError);
    expect(await f(7)).toEqual({ name: 'user 7' });
    expect(f.stats()).toMatchObject({ runs: 1, hits: 1 });
  });

  it('is asked once for each object that the store gives, and not about own results', async () => {
    const store = new Map<string, unknown>();
    const { f, asked } = open(store);
    await f(1);
    await f(1);
    expect(asked).toEqual([]);
    store.set('f|#2', { v: 1, value: { name: 'Grace' }, storedAt: Date.now() });
    for (let call = 0; call < 3; call += 1) expect(await f(2)).toEqual({ name: 'Grace' });
    expect(asked).toEqual([{ name: 'Grace' }]);
  });

  it('is asked once about what is near', async () => {
    const far = new Keyv();
    await far.set('f|#2', { v: 1, value: { name: 'Grace' }, storedAt: Date.now() });
    const { f, asked } = open(tiered(new Map(), far));
    for (let call = 0; call < 3; call += 1) expect(await f(2)).toEqual({ name: 'Grace' });
    // From far, and near as the object that is kept there.
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  it('is never asked beside the private store', async () => {
    const { f, asked } = open(undefined, () => false);
    await f(1);
    await f(1);
    expect([asked, f.stats().hits]).toEqual([[], 1]);
  });

  it.each([
    ['gives what is not true', () => 1],
    [
      'throws',
      () => {
        throw new RangeError('no schema');
      },
    ],
    ['is asynchronous', async () => Promise.reject(new Error('late'))],
  ])('takes the value for a miss where it %s', async (_, validate) => {
    const store = new Map<string, unknown>([['f|#7', old]]);
    const { f, errors } = open(store, validate);
    expect(await f(7)).toEqual({ name: 'user 7' });
    expect(errors()).toHaveLength(1);
    expect(await f(7)).toEqual({ name: 'user 7' });
    expect(f.stats().runs).toBe(1);
  });

  it('must be a function', () => {
    expect(() => memoizeAsync(async () => 1, { validate: true as never })).toThrow(
      'Expected `validate` to be a function, got true',
    );
  });
});
