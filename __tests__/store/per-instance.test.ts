import { describe, expect, it } from '@jest/globals';
import { memoizeAsync, perInstance } from 'aiocachetools';
import { collectGarbage } from '../support/collect-garbage.js';
import type { Entry } from 'aiocachetools';

type Entries = Map<string, Entry<unknown>>;

describe('perInstance', () => {
  it('makes one store for each receiver, when it first calls', () => {
    const made: unknown[] = [];
    const select = perInstance((receiver): Entries => {
      made.push(receiver);
      return new Map();
    });
    const [one, two] = [{}, () => undefined];
    expect(made).toEqual([]);
    expect(select(one)).toBe(select(one));
    expect(select(two)).toBe(select(two));
    expect(select(one)).not.toBe(select(two));
    expect(made).toEqual([one, two]);
  });

  it('makes one store for all primitive receivers', () => {
    const select = perInstance((): Entries => new Map());
    const stores = [undefined, null, 0, 'a', true, 1n, Symbol('receiver')].map(select);
    expect(new Set(stores).size).toBe(1);
    expect(select({})).not.toBe(stores[0]);
  });

  it('holds neither the receiver nor its store', async () => {
    const select = perInstance((receiver): Entries => new Map([['receiver', receiver as Entry<unknown>]]));
    const [receiver, store] = (() => {
      const instance = { big: true };
      return [new WeakRef(instance), new WeakRef(select(instance))];
    })();
    await collectGarbage();
    expect([receiver.deref(), store.deref()]).toEqual([undefined, undefined]);
  });

  it.each([undefined, null, 5, 'store', new Map()])('refuses %p in place of a function', (given) => {
    expect(() => perInstance(given as never)).toThrow(
      new TypeError(`Expected \`perInstance\` to be given a function that makes a store, got ${typeof given}`),
    );
  });
});

describe('memoizeAsync with perInstance', () => {
  class Client {
    readonly calls: number[] = [];

    constructor(readonly base: string) {}

    getUser = shared;
  }
  const shared = memoizeAsync(
    async function getUser(this: Client, id: number) {
      this.calls.push(id);
      return `${this.base}/${id}`;
    },
    { cache: perInstance((): Entries => new Map()) },
  );

  it('shares neither results nor runs between instances', async () => {
    const [one, two] = [new Client('one'), new Client('two')];
    expect(await Promise.all([one.getUser(7), two.getUser(7), one.getUser(7)])).toEqual(['one/7', 'two/7', 'one/7']);
    expect(await Promise.all([one.getUser(7), two.getUser(7)])).toEqual(['one/7', 'two/7']);
    expect([one.calls, two.calls]).toEqual([[7], [7]]);
  });

  it('forgets for the receiver that `for` names, and for no other', async () => {
    const [one, two] = [new Client('one'), new Client('two')];
    await Promise.all([one.getUser(7), two.getUser(7)]);
    expect(await shared.has(7)).toBe(false);
    expect(await shared.for(one).has(7)).toBe(true);
    expect(await shared.for(one).delete(7)).toBe(true);
    expect(await Promise.all([shared.for(one).has(7), shared.for(two).has(7)])).toEqual([false, true]);
    await shared.for(two).clear();
    expect(await shared.for(two).has(7)).toBe(false);
    await shared.for(two).prime([7], 'primed');
    expect(await two.getUser(7)).toBe('primed');
    expect(await shared.for(two).refresh(7)).toBe('two/7');
    expect(await shared.for(two).peek(7)).toBe('two/7');
    expect(shared.for(two).keyOf(7)).toBe(shared.keyOf(7));
  });

  it('holds no instance that is gone', async () => {
    const held = await (async () => {
      const client = new Client('gone');
      await client.getUser(7);
      await shared.settled();
      return new WeakRef(client);
    })();
    await collectGarbage();
    expect(held.deref()).toBeUndefined();
  });

  it('rejects a call whose store cannot be made, and makes it anew for the next', async () => {
    let fails = true;
    const getUser = memoizeAsync(async (id: number) => `user ${id}`, {
      name: 'getUser',
      cache: perInstance((): Entries => {
        if (fails) throw new Error('no store today');
        return new Map();
      }),
    });
    const receiver = {};
    await expect(getUser.call(receiver, 7)).rejects.toThrow('no store today');
    await expect(getUser.for(receiver).delete(7)).rejects.toThrow('no store today');
    fails = false;
    expect(await getUser.call(receiver, 7)).toBe('user 7');
  });
});
