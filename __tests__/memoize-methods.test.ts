/* eslint-disable @typescript-eslint/unbound-method -- what becomes of methods without their object is the subject here */
import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { memoizeAsync, memoizeMethods, perInstance, UnkeyableArgumentError } from '../lib/index.js';
import { createSource, listen } from './support/call-recorder.js';

/** Of entries of any function. */
type Bucket = Map<string, never>;
const bucket = (): Bucket => new Map<string, never>();

interface User {
  readonly id: number;
  readonly name: string;
}

/** A client with everything that a class can have. */
class UsersClient {
  readonly calls: string[] = [];
  label = 'one';
  #prefix = 'user';
  #limit = 10;

  constructor(readonly tenant = 'acme') {}

  async getUser(id: number, trace?: object): Promise<User> {
    this.calls.push(`getUser ${id}${trace === undefined ? '' : ' traced'}`);
    return { id, name: `${this.#prefix} ${id} of ${this.tenant}` };
  }

  async listUsers(): Promise<readonly User[]> {
    this.calls.push('listUsers');
    return Promise.all([1, 2].map((id) => this.getUser(id)));
  }

  async find<T extends number | string>(what: T): Promise<{ what: T }> {
    this.calls.push(`find ${what}`);
    return { what };
  }

  rename(prefix: string): this {
    this.#prefix = prefix;
    return this;
  }

  get self(): this {
    return this;
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(value: number) {
    this.#limit = value;
  }

  get size(): number {
    return this.#prefix.length;
  }

  static is(value: object): boolean {
    return #prefix in value;
  }
}

describe('memoizeMethods', () => {
  describe('the named methods', () => {
    it('are memoized, one run for concurrent calls', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      const [first, second] = await Promise.all([users.getUser(7), users.getUser(7)]);
      expect(first).toBe(second);
      await expect(users.getUser(7)).resolves.toEqual({ id: 7, name: 'user 7 of acme' });
      expect(client.calls).toEqual(['getUser 7']);
    });

    it('are called on the client, so that private fields work', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {}, listUsers: {} });
      users.rename('member');
      await expect(users.getUser(1)).resolves.toEqual({ id: 1, name: 'member 1 of acme' });
      await users.listUsers();
      expect(client.calls).toEqual(['getUser 1', 'listUsers', 'getUser 1', 'getUser 2']);
    });

    it('have options of their own over the defaults', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: { ignore: [1] }, find: { ttl: 0 } }, { ttl: 60_000 });
      await users.getUser(7, { trace: 1 });
      await users.getUser(7, { trace: 2 });
      await users.find('x');
      await users.find('x');
      expect(client.calls).toEqual(['getUser 7 traced', 'find x', 'find x']);
    });

    it('carry the controls, which leave the client alone', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      await users.getUser(7);
      await expect(users.getUser.delete(7)).resolves.toBe(true);
      await users.getUser(7);
      expect(users.getUser.stats()).toMatchObject({ misses: 2, runs: 2 });
      expect(client.calls).toEqual(['getUser 7', 'getUser 7']);
      expect(client.getUser).toBe(UsersClient.prototype.getUser);
    });

    it('work when taken off the object', async () => {
      const client = new UsersClient();
      const { getUser, rename } = memoizeMethods(client, { getUser: {} });
      rename('member');
      await expect(getUser(7)).resolves.toEqual({ id: 7, name: 'member 7 of acme' });
    });

    it('keep name and length', () => {
      const users = memoizeMethods(new UsersClient(), { getUser: {} });
      expect(users.getUser.name).toBe('getUser');
      expect(users.getUser).toHaveLength(2);
    });

    it('give `original` and `refresh` a function that calls the client', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      await users.getUser.original(7);
      await users.getUser.refresh(7);
      expect(client.calls).toEqual(['getUser 7', 'getUser 7']);
    });

    it('are taken as they are now, so that a client may be patched with them', async () => {
      const client = new UsersClient();
      client.getUser = memoizeMethods(client, { getUser: {} }).getUser;
      await Promise.all([client.getUser(7), client.getUser(7)]);
      expect(client.calls).toEqual(['getUser 7']);
    });

    it('may be named by a symbol, or come from a plain object without prototype', async () => {
      const read = Symbol('read');
      const { fn, calls, runs } = createSource();
      const client = Object.assign(Object.create(null) as object, { [read]: fn, plain: async () => 'plain' });
      const memoized = memoizeMethods(client, { [read]: {}, plain: {} });
      const pending = [memoized[read](1), memoized[read](1)];
      runs[0]!.resolve('once');
      await expect(Promise.all(pending)).resolves.toEqual(['once', 'once']);
      expect(calls).toEqual([[1]]);
      await expect(memoized.plain()).resolves.toBe('plain');
    });

    it('count as not named where their options are undefined', () => {
      const users = memoizeMethods(new UsersClient(), { getUser: undefined, find: {} });
      expect(users.getUser).not.toHaveProperty('stats');
      expect(users.find).toHaveProperty('stats');
    });

    it('call `keyOf` and the selector of `cache` with the client, wherever they are called from', async () => {
      const client = new UsersClient('acme');
      const receivers: unknown[] = [];
      const stores = perInstance(bucket);
      const select = (receiver: unknown): Bucket => {
        receivers.push(receiver);
        return stores(receiver);
      };
      const users = memoizeMethods(client, {
        getUser: {
          cache: select,
          keyOf(id) {
            receivers.push(this);
            return ['acme', id];
          },
        },
      });
      const { getUser } = users;
      await getUser(7);
      await users.getUser(7);
      await users.getUser.delete(7);
      expect(new Set(receivers)).toEqual(new Set([client]));
      expect(stores(client).size).toBe(0);
      expect(users.getUser.cache).toBe(select);
      expect(users.getUser.stats()).toMatchObject({ hits: 1, misses: 1 });
    });

    it("drop the defaults' `ignore` beside a `keyOf` of their own", async () => {
      const users = memoizeMethods(new UsersClient(), { getUser: { keyOf: (id) => id } }, { ignore: [0] });
      await expect(Promise.all([users.getUser(1), users.getUser(2)])).resolves.toMatchObject([{ id: 1 }, { id: 2 }]);
    });

    it('reject for arguments that make no key', async () => {
      const users = memoizeMethods(new UsersClient(), { getUser: {} }, { name: 'users' });
      const refused = users.getUser(7, new UsersClient());
      await expect(refused).rejects.toBeInstanceOf(UnkeyableArgumentError);
      await expect(refused).rejects.toThrow(/^users\.getUser: cannot build a key from argument 1/u);
    });
  });

  describe('the rest', () => {
    it('passes through: fields, getters, setters, methods, statics', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      expect([users.tenant, users.label, users.limit, users.size]).toEqual(['acme', 'one', 10, 4]);
      users.label = 'two';
      users.limit = 20;
      expect([client.label, client.limit, users.limit]).toEqual(['two', 20, 20]);
      client.label = 'three';
      expect(users.label).toBe('three');
      await expect(users.find('x')).resolves.toEqual({ what: 'x' });
      expect(users.constructor).toBe(UsersClient);
    });

    it('calls methods on the client, the same function each time', () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      const { rename } = users;
      rename('member');
      expect(users.size).toBe(6);
      expect(users.rename).toBe(rename);
      expect(rename.name).toBe('rename');
    });

    it('gives the memoized object where the client gives itself', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      expect(users.rename('member')).toBe(users);
      expect(users.self).toBe(users);
      await users.rename('x').getUser(7);
      expect(users.self.getUser.stats()).toMatchObject({ runs: 1 });
    });

    it('includes what comes later, but never changes the memoized methods of the object', async () => {
      const client: UsersClient & { extra?: string } = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      client.extra = 'late';
      expect(users.extra).toBe('late');
      expect('extra' in users).toBe(true);
      expect('getUser' in users && 'limit' in users && !('nothing' in users)).toBe(true);
      client.getUser = async (id) => ({ id, name: 'patched' });
      await expect(users.getUser(7)).resolves.toMatchObject({ name: 'user 7 of acme' });
    });

    it('is an instance of the class, of which it is no brand', () => {
      const users = memoizeMethods(new UsersClient(), { getUser: {} });
      expect(users).toBeInstanceOf(UsersClient);
      expect(UsersClient.is(users)).toBe(false);
      expect(UsersClient.is(users.self)).toBe(false);
    });

    it('can be listed and spread', async () => {
      const api = { base: 'here', getUser: async (id: number) => id, count: 0 };
      const memoized = memoizeMethods(api, { getUser: {} });
      expect(Object.keys(memoized).sort()).toEqual(['base', 'count', 'getUser']);
      const copy = { ...memoized, more: 1 };
      await copy.getUser(7);
      expect(copy).toMatchObject({ base: 'here', count: 0, more: 1 });
      expect(copy.getUser.stats()).toMatchObject({ runs: 1 });
      expect(JSON.parse(JSON.stringify(memoized))).toEqual({ base: 'here', count: 0 });
      memoized.count += 1;
      expect(api.count).toBe(1);
    });

    it('lets a test replace a memoized method on the object alone', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(client, { getUser: {} });
      const spy = jest.spyOn(users, 'getUser').mockImplementation(async () => ({ id: 0, name: 'mock' }));
      await expect(users.getUser(7)).resolves.toEqual({ id: 0, name: 'mock' });
      spy.mockRestore();
      await expect(users.getUser(7)).resolves.toMatchObject({ id: 7 });
      expect(client.calls).toEqual(['getUser 7']);
    });

    it('works for a frozen client, which stays frozen', async () => {
      const client = Object.freeze({ base: 'here', getUser: async (id: number) => id, plain: () => 'plain' });
      const memoized: { base: string } & typeof client = memoizeMethods(client, { getUser: {} });
      await expect(memoized.getUser(7)).resolves.toBe(7);
      expect(memoized.plain()).toBe('plain');
      expect(() => {
        (memoized as { base: string }).base = 'there';
      }).toThrow(TypeError);
      expect(() => {
        (memoized as { other?: string }).other = 'there';
      }).toThrow(TypeError);
      expect(client).toEqual({ base: 'here', getUser: client.getUser, plain: client.plain });
    });

    it('works for a client that can be called itself', async () => {
      const calls: string[] = [];
      const request = Object.assign((path: string) => `direct ${path}`, {
        get: async (path: string) => {
          calls.push(path);
          return `got ${path}`;
        },
      });
      const memoized = memoizeMethods(request, { get: {} });
      await Promise.all([memoized.get('/a'), memoized.get('/a')]);
      expect(calls).toEqual(['/a']);
      expect(memoized('/b')).toBe('direct /b');
      expect(memoized.name).toBe(request.name);
      expect(memoized).toHaveLength(1);
    });

    it('works for a class as the client, whose methods are static', async () => {
      class Repository {
        static #rows = new Map([[1, 'one']]);
        static async find(id: number): Promise<string | undefined> {
          return this.#rows.get(id);
        }
        constructor(readonly id: number) {}
      }
      const memoized = memoizeMethods(Repository, { find: {} });
      await expect(memoized.find(1)).resolves.toBe('one');
      expect(new memoized(3)).toBeInstanceOf(Repository);
      expect(new memoized(3).id).toBe(3);
    });

    it('works for an event emitter', () => {
      class Feed extends EventEmitter {
        async load(id: number): Promise<number> {
          this.emit('load', id);
          return id;
        }
      }
      const feed = memoizeMethods(new Feed(), { load: {} });
      const seen: number[] = [];
      expect(feed.on('load', (id: number) => seen.push(id))).toBe(feed);
      void feed.load(1);
      void feed.load(1);
      expect(seen).toEqual([1]);
    });

    it('is no thenable, and can be memoized again', async () => {
      const client = new UsersClient();
      const users = memoizeMethods(memoizeMethods(client, { getUser: {} }), { listUsers: {} });
      await expect(Promise.resolve(users)).resolves.toBe(users);
      await Promise.all([users.getUser(7), users.getUser(7), users.listUsers(), users.listUsers()]);
      expect(client.calls).toEqual(['getUser 7', 'listUsers', 'getUser 1', 'getUser 2']);
    });
  });

  describe('names on a shared store', () => {
    it('are those of the methods, with the prefix of the defaults', async () => {
      const store = bucket();
      const { events, onEvent } = listen();
      const defaults = { name: 'users', cache: store, onEvent };
      const users = memoizeMethods(new UsersClient(), { getUser: {}, listUsers: { name: 'list' } }, defaults);
      await users.getUser(7);
      await users.listUsers();
      expect([...store.keys()]).toEqual([`users.getUser|${users.getUser.keyOf(7)}`, 'users.list|()']);
      expect(events.filter(({ type }) => type === 'miss').map(({ name }) => name)).toEqual([
        'users.getUser',
        'users.list',
      ]);
    });

    it('collide where they are derived, for two objects of one client as of two', () => {
      const store = bucket();
      const client = new UsersClient('acme');
      memoizeMethods(client, { getUser: { cache: store } });
      for (const another of [client, new UsersClient('other')]) {
        expect(() => memoizeMethods(another, { getUser: { cache: store } })).toThrow(
          new TypeError('Expected a `name`: this store already holds entries of another function called `getUser`'),
        );
      }
    });

    it('share entries where they are given, which is the word of who gave them', async () => {
      const cache = bucket();
      const [one, two] = [new UsersClient('one'), new UsersClient('two')].map((client) =>
        memoizeMethods(client, { getUser: {} }, { cache, name: 'users' }),
      );
      await one!.getUser(7);
      await expect(two!.getUser(7)).resolves.toMatchObject({ name: 'user 7 of one' });
      await two!.getUser.clear();
      expect(cache.size).toBe(0);
    });

    it('keep two clients apart under prefixes, each with a `clear` of its own', async () => {
      const cache = bucket();
      const [one, two] = ['one', 'two'].map((tenant) =>
        memoizeMethods(new UsersClient(tenant), { getUser: {} }, { cache, name: tenant }),
      );
      await one!.getUser(7);
      await two!.getUser(7);
      await one!.getUser.clear();
      expect([...cache.keys()]).toEqual([`two.getUser|${two!.getUser.keyOf(7)}`]);
    });

    it('do not matter without a shared store', async () => {
      const [one, two] = [new UsersClient('one'), new UsersClient('two')].map((client) =>
        memoizeMethods(client, { getUser: {} }),
      );
      await expect(Promise.all([one!.getUser(7), two!.getUser(7)])).resolves.toMatchObject([
        { name: 'user 7 of one' },
        { name: 'user 7 of two' },
      ]);
    });
  });

  describe('misuse', () => {
    it('throws for a name that is no method', () => {
      const client = new UsersClient();
      expect(() => memoizeMethods(client, { getUsr: {} } as never)).toThrow(
        new TypeError('Expected `getUsr` to be a method, got undefined'),
      );
      expect(() => memoizeMethods(client, { tenant: {} } as never)).toThrow(
        new TypeError('Expected `tenant` to be a method, got "acme"'),
      );
    });

    it('throws for bad options, of a method and of all', () => {
      const client = new UsersClient();
      expect(() => memoizeMethods(client, { getUser: { ttl: -1 } })).toThrow(
        new TypeError('Expected `ttl` to be a number of milliseconds >= 0 or a function, got -1'),
      );
      expect(() => memoizeMethods(client, { getUser: {} }, { tll: 1 } as never)).toThrow(
        new TypeError('Unknown option `tll`, got 1'),
      );
      expect(() => memoizeMethods(client, { getUser: null } as never)).toThrow(
        new TypeError('Expected options to be a plain object, got null'),
      );
    });

    it('throws for what is no client, and for methods that are no plain object', () => {
      expect(() => memoizeMethods('client' as never, {})).toThrow(
        new TypeError('Expected a client with methods, got "client"'),
      );
      expect(() => memoizeMethods(null as never, {})).toThrow(
        new TypeError('Expected a client with methods, got null'),
      );
      expect(() => memoizeMethods(new UsersClient(), ['getUser'] as never)).toThrow(
        new TypeError('Expected options by method name, got ["getUser"]'),
      );
    });

    it('leaves a client whose methods are memoized already alone', () => {
      const memoized = memoizeAsync(async (id: number) => id);
      const client = { get: memoized };
      expect(memoizeMethods(client, {}).get.stats()).toEqual(memoized.stats());
    });
  });
});
