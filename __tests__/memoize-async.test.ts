import { describe, expect, it } from '@jest/globals';
import { memoizeAsync, UnkeyableArgumentError } from '../lib/index.js';
import { createSource, flush } from './support/call-recorder.js';

describe('memoizeAsync', () => {
  it('keeps the name and the length of the function', () => {
    async function getUser(id: number, _page = 1): Promise<number> {
      return id;
    }
    const load = memoizeAsync(getUser, { name: 'users' });
    expect(load).toHaveProperty('name', 'getUser');
    expect(load).toHaveLength(getUser.length);
    expect(memoizeAsync(async () => 1)).toHaveProperty('name', '');
  });

  it('hands on the receiver, the arguments and the value as they are', async () => {
    const args: unknown[] = [];
    const receivers: unknown[] = [];
    const value = { the: 'value' };
    const client = {
      load: memoizeAsync(async function (this: unknown, ...given: unknown[]) {
        receivers.push(this);
        args.push(...given);
        return value;
      }),
    };
    const argument = { a: [1, new Map([[1, 2]])] };
    expect(await client.load(argument, undefined)).toBe(value);
    expect(await client.load({ a: [1, new Map([[1, 2]])] }, undefined)).toBe(value);
    expect(args).toEqual([argument, undefined]);
    expect(args[0]).toBe(argument);
    expect(receivers).toEqual([client]);
  });

  it('takes a function that returns no promise, and one that returns a thenable', async () => {
    let runs = 0;
    const plain = memoizeAsync((id: number) => {
      runs += 1;
      return id * 2;
    });
    expect(plain(2)).toBeInstanceOf(Promise);
    await expect(plain(2)).resolves.toBe(4);
    expect(runs).toBe(1);
    const thenable = memoizeAsync((id: number) => ({ then: (resolve: (value: number) => void) => resolve(id * 3) }));
    await expect(thenable(2)).resolves.toBe(6);
    await expect(thenable(2)).resolves.toBe(6);
  });

  it('rejects with what the function throws at once, and stores nothing', async () => {
    let runs = 0;
    const load = memoizeAsync((_id: number): number => {
      runs += 1;
      throw new RangeError('at once');
    });
    const outcomes = [load(1), load(1)].map((call) => call.catch((error: unknown) => error));
    const [one, two] = await Promise.all(outcomes);
    expect(one).toBeInstanceOf(RangeError);
    expect(two).toBeInstanceOf(RangeError);
    expect(await load.has(1)).toBe(false);
    await load.settled();
    expect(load.stats()).toMatchObject({ runs, errors: runs, inFlight: 0 });
  });

  it('wraps with options alone, each function for itself', async () => {
    const memoize = memoizeAsync({ ttl: 60_000 });
    const one = memoize(async (id: number) => `one ${id}`);
    const two = memoize(async (id: number) => `two ${id}`);
    await expect(Promise.all([one(1), two(1)])).resolves.toEqual(['one 1', 'two 1']);
    await one.clear();
    expect([await one.has(1), await two.has(1)]).toEqual([false, true]);
  });

  it.each([
    ['nothing', undefined, 'Expected a function to memoize, got undefined'],
    ['null', null, 'Expected a function to memoize, got null'],
    ['a string', 'fn', 'Expected a function to memoize, got "fn"'],
    ['a list', [], 'Expected options to be a plain object, got []'],
  ])('refuses %s at once', (_what, given, message) => {
    expect(() => memoizeAsync(given as never)).toThrow(new TypeError(message));
  });

  it('refuses what is no function where options came first, or came twice', () => {
    const memoize = memoizeAsync({}) as unknown as (fn: unknown) => unknown;
    expect(() => memoize('fn')).toThrow(new TypeError('Expected a function to memoize, got "fn"'));
    expect(() => memoizeAsync({} as never, {})).toThrow(TypeError);
  });

  it('rejects before the function runs where no key can be built', async () => {
    const source = createSource<[unknown]>();
    const load = memoizeAsync(source.fn, { name: 'load' });
    const error: unknown = await load({ socket: () => 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnkeyableArgumentError);
    expect(error).toMatchObject({ argument: 0, path: '.socket' });
    expect(source.calls).toEqual([]);
    expect(load.stats()).toMatchObject({ misses: 0, runs: 0 });
  });

  it('lets a wrapper be wrapped', async () => {
    const source = createSource();
    const inner = memoizeAsync(source.fn, { name: 'inner' });
    const outer = memoizeAsync(inner, { name: 'outer' });
    const calls = [outer(1), outer(1), inner(1)];
    await flush();
    source.runs[0]!.resolve('value');
    await expect(Promise.all(calls)).resolves.toEqual(['value', 'value', 'value']);
    expect(source.runs).toHaveLength(1);
    await inner.delete(1);
    await expect(outer(1)).resolves.toBe('value');
  });

  it('gives wrappers of one function stores of their own', async () => {
    let runs = 0;
    const fn = async (id: number): Promise<string> => `run ${++runs} of ${id}`;
    const [one, two] = [memoizeAsync(fn), memoizeAsync(fn)];
    await expect(Promise.all([one(1), two(1), one(1)])).resolves.toEqual(['run 1 of 1', 'run 2 of 1', 'run 1 of 1']);
  });

  it('waits for many keys at a time and forgets none', async () => {
    const source = createSource();
    const load = memoizeAsync(source.fn, { name: 'load', cache: null });
    const calls = Array.from({ length: 100 }, (_, id) => load(id));
    calls.push(...Array.from({ length: 100 }, (_, id) => load(id)));
    source.runs.forEach((run, id) => run.resolve(`value of ${id}`));
    const answers = await Promise.all(calls);
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `value of ${index % 100}`));
    expect(load.stats()).toMatchObject({ misses: 100, joins: 100, runs: 100, inFlight: 0 });
  });
});
