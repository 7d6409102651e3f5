import { describe, expect, it } from '@jest/globals';
import { memoizeAsync, perInstance } from 'aiocachetools';
import { collectGarbage } from './support/collect-garbage.js';
import type { Entry } from 'aiocachetools';

type Entries = Map<string, Entry<unknown>>;

const taken = (name: string) =>
  new TypeError(`Expected a \`name\`: this store already holds entries of another function called \`${name}\``);

describe('a name in the store', () => {
  it('is the function’s own, with the key after it', async () => {
    const cache: Entries = new Map();
    await memoizeAsync(async function getUser(_id: number) {}, { cache })(7);
    await memoizeAsync(async (_id: string) => {}, { cache })('x');
    expect([...cache.keys()]).toEqual(['getUser|#7', 'anonymous|x']);
  });

  it('is the given one in place of the function’s, unless that is empty', async () => {
    const cache: Entries = new Map();
    const fn = async function getUser(_id: string): Promise<void> {};
    await memoizeAsync(fn, { cache, name: 'users of today' })('x');
    await memoizeAsync(fn, { cache, name: '' })('x');
    await memoizeAsync(fn, { cache, name: undefined })('y');
    expect([...cache.keys()]).toEqual(['users of today|x', 'getUser|x', 'getUser|y']);
  });

  it('has no `|` and is not longer than a given one may be', async () => {
    const cache: Entries = new Map();
    const odd = Object.defineProperty(async (_id: string) => {}, 'name', { value: 'a|b||c' });
    await memoizeAsync(odd, { cache })('x');
    const long = Object.defineProperty(async (_id: string) => {}, 'name', { value: 'n'.repeat(5_000) });
    await memoizeAsync(long, { cache })('x');
    const [oddKey, longKey] = [...cache.keys()] as [string, string];
    expect(oddKey).toBe('a_b__c|x');
    expect(longKey.split('|')[0]!.length).toBeLessThanOrEqual(200);
  });

  it('holds no lone surrogate, also where it was cut', async () => {
    const cache: Entries = new Map();
    const named = (value: string) => Object.defineProperty(async (_id: string) => {}, 'name', { value });
    await memoizeAsync(named('a\ud800b💥'), { cache })('x');
    await memoizeAsync(named(`${'n'.repeat(99)}💥`), { cache })('x');
    expect([...cache.keys()]).toEqual(['a_b💥|x', `${'n'.repeat(99)}_|x`]);
  });

  it.each([
    ['a symbol', Symbol('name')],
    ['a number', 5],
    ['a method', () => 'name'],
    ['empty', ''],
    ['undefined', undefined],
  ])('is `anonymous` where the function’s is %s', async (_, value) => {
    const cache: Entries = new Map();
    await memoizeAsync(
      Object.defineProperty(async (_id: string) => {}, 'name', { value }),
      { cache },
    )('x');
    expect([...cache.keys()]).toEqual(['anonymous|x']);
  });

  it('does not change the name of the wrapper', () => {
    const fn = async function getUser(_id: number, _db: object): Promise<void> {};
    const wrapper = memoizeAsync(fn, { name: 'users' });
    expect([wrapper.name, wrapper.length]).toEqual(['getUser', 2]);
  });
});

describe('a derived name', () => {
  const make = () =>
    async function getUser(id: number) {
      return `user ${id}`;
    };

  it('collides with the same name of another function', () => {
    const cache: Entries = new Map();
    memoizeAsync(make(), { cache });
    expect(() => memoizeAsync(make(), { cache })).toThrow(taken('getUser'));
    expect(() => memoizeAsync({ cache })(make())).toThrow(taken('getUser'));
    expect(() => memoizeAsync(make(), { cache: new Map() as Entries })).not.toThrow();
    expect(() => memoizeAsync(make(), { cache, name: 'other' })).not.toThrow();
  });

  it('collides where there is none', () => {
    const cache: Entries = new Map();
    memoizeAsync(async () => 1, { cache });
    expect(() => memoizeAsync(async () => 2, { cache })).toThrow(taken('anonymous'));
    expect(() => memoizeAsync(async () => 2, { cache, name: '' })).toThrow(taken('anonymous'));
  });

  it('collides with a given one', () => {
    const cache: Entries = new Map();
    memoizeAsync(async () => 1, { cache, name: 'getUser' });
    expect(() => memoizeAsync(make(), { cache })).toThrow(taken('getUser'));
  });

  it('collides with what it becomes without its `|`', () => {
    const cache: Entries = new Map();
    memoizeAsync(async function a_b() {}, { cache });
    const odd = Object.defineProperty(async () => {}, 'name', { value: 'a|b' });
    expect(() => memoizeAsync(odd, { cache })).toThrow(taken('a_b'));
  });

  it('does not collide with the same function under the same rules, which shares its entries', async () => {
    const cache: Entries = new Map();
    const fn = make();
    const keyOf = (id: number): number => id;
    const ignore = [1 as const, () => false];
    await memoizeAsync(fn, { cache })(7);
    const again = memoizeAsync(fn, { cache, ttl: 5 });
    expect(await again(7)).toBe('user 7');
    expect(again.stats()).toMatchObject({ hits: 1, runs: 0 });

    const keyed: Entries = new Map();
    memoizeAsync(fn, { cache: keyed, keyOf });
    expect(() => memoizeAsync(fn, { cache: keyed, keyOf })).not.toThrow();
    const ignoring: Entries = new Map();
    memoizeAsync(fn, { cache: ignoring, ignore: ignore as never });
    expect(() => memoizeAsync(fn, { cache: ignoring, ignore: [...ignore] as never })).not.toThrow();
  });

  it.each([
    ['a `keyOf`', {}, { keyOf: (id: number) => id }],
    ['no `keyOf`', { keyOf: (id: number) => id }, {}],
    ['another `keyOf`', { keyOf: (id: number) => id }, { keyOf: (id: number) => id }],
    ['an `ignore`', {}, { ignore: [0 as const] }],
    ['a shorter `ignore`', { ignore: [0 as const, () => true] }, { ignore: [0 as const] }],
    ['a longer `ignore`', { ignore: [0 as const] }, { ignore: [0 as const, () => true] }],
    ['another predicate', { ignore: [() => true] }, { ignore: [() => true] }],
  ])('collides with the same function under %s', (_, first, second) => {
    const cache: Entries = new Map();
    const fn = make();
    memoizeAsync(fn, { cache, ...first });
    expect(() => memoizeAsync(fn, { cache, ...second })).toThrow(taken('getUser'));
    // What was refused has changed nothing.
    expect(() => memoizeAsync(fn, { cache, ...first })).not.toThrow();
  });

  it('rejects the call where a selector picks the store', async () => {
    const cache: Entries = new Map();
    memoizeAsync(make(), { cache });
    const getUser = memoizeAsync(make(), { cache: () => cache });
    await expect(getUser(7)).rejects.toThrow(taken('getUser'));
    await expect(getUser.delete(7)).rejects.toThrow(taken('getUser'));
    await expect(getUser.clear()).rejects.toThrow(taken('getUser'));
    expect(getUser.stats()).toMatchObject({ hits: 0, misses: 0, runs: 0 });
  });

  it('is remembered for each store that a selector picks', async () => {
    const stores: Entries[] = [];
    const cache = perInstance((): Entries => {
      const store: Entries = new Map();
      stores.push(store);
      return store;
    });
    const getUser = memoizeAsync(make(), { cache });
    const [one, two] = [{}, {}];
    await Promise.all([getUser.call(one, 7), getUser.call(two, 7)]);
    expect(stores).toHaveLength(2);
    for (const store of stores) expect(() => memoizeAsync(make(), { cache: store })).toThrow(taken('getUser'));
  });

  it('holds the function of a wrapper that is gone weakly, and still refuses another', async () => {
    const cache: Entries = new Map();
    const fn = make();
    const held = (() => {
      const keyOf = (id: number): string => `always ${id}`;
      memoizeAsync(fn, { cache, keyOf });
      return new WeakRef(keyOf);
    })();
    await collectGarbage();
    expect(held.deref()).toBeUndefined();
    expect(() => memoizeAsync(fn, { cache })).toThrow(taken('getUser'));
    expect(() => memoizeAsync(fn, { cache, keyOf: (id) => id })).toThrow(taken('getUser'));
  });

  it('holds neither the function nor what it closes over', async () => {
    const cache: Entries = new Map();
    const held = await (async () => {
      const big = { id: 7 };
      const getUser = memoizeAsync(
        async function getUser() {
          return big.id;
        },
        { cache, onEvent: () => big },
      );
      await getUser();
      await getUser.settled();
      return new WeakRef(big);
    })();
    await collectGarbage();
    expect(held.deref()).toBeUndefined();
    expect([...cache.keys()]).toEqual(['getUser|()']);
  });
});

describe('a given name', () => {
  it('shares entries between functions, as the user says so', async () => {
    const cache: Entries = new Map();
    const one = memoizeAsync(async (id: number) => `one ${id}`, { cache, name: 'user' });
    const two = memoizeAsync(async (id: number) => `two ${id}`, { cache, name: 'user', keyOf: (id) => id });
    await one(7);
    expect(await two(7)).toBe('one 7');
  });

  it('cannot be one that a derived name bears already', async () => {
    const cache: Entries = new Map();
    const fn = async function getUser(id: number): Promise<string> {
      return `user ${id}`;
    };
    await memoizeAsync(fn, { cache })(7);
    expect(() => memoizeAsync(async (id: number) => `other ${id}`, { cache, name: 'getUser' })).toThrow(
      'Expected another `name`: this store already holds entries of another function called `getUser`',
    );
    expect(() => memoizeAsync(fn, { cache })).not.toThrow();
  });

  it.each(['__proto__', 'constructor', 'toString', ' ', '💥', 'a:b', 'x'.repeat(200)])('may be %p', async (name) => {
    const cache: Entries = new Map();
    const one = memoizeAsync(async (id: number) => `user ${id}`, { cache, name });
    const two = memoizeAsync(async (id: number) => `order ${id}`, { cache, name: `${[...name].slice(1).join('')}_` });
    await Promise.all([one(7), two(7)]);
    await one.clear();
    expect(await Promise.all([one.has(7), two.has(7)])).toEqual([false, true]);
  });
});

describe('the store of a wrapper that was given none', () => {
  it('is nobody else’s', () => {
    const getUser = memoizeAsync(async (id: number) => `user ${id}`);
    expect(() => memoizeAsync(async (id: number) => id, { cache: getUser.cache as never, name: 'other' })).toThrow(
      new TypeError(
        'Expected `cache` to be a store that can be shared, got the default store of another wrapper: make one and give it to both',
      ),
    );
  });

  it('needs no name, so that functions of one name do not meet', async () => {
    const one = memoizeAsync(async (id: number) => `one ${id}`);
    const two = memoizeAsync(async (id: number) => `two ${id}`);
    expect(await Promise.all([one(7), two(7)])).toEqual(['one 7', 'two 7']);
  });
});

describe('a store that processes share', () => {
  const shared = () =>
    Object.assign(new Map<string, Entry<unknown>>(), { acquire: () => undefined, begin: () => undefined }) as Entries;

  it('wants a given name', async () => {
    const message =
      'Expected a `name` beside a store that processes share: `getUser` comes from the function, and bundlers rename functions';
    const fn = async function getUser(): Promise<void> {};
    expect(() => memoizeAsync(fn, { cache: shared() })).toThrow(new TypeError(message));
    await expect(memoizeAsync(fn, { cache: () => shared() })()).rejects.toThrow(new TypeError(message));
    expect(() => memoizeAsync(fn, { cache: shared(), name: 'getUser' })).not.toThrow();
  });
});
