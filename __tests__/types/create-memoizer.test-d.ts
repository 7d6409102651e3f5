import { expectTypeOf } from 'expect-type';
import { createMemoizer, memoizeMethods } from 'aiocachetools';
import type { Memoized, Stats, memoizeAsync } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

declare const fetchUser: (id: number, options?: { readonly trace: string; readonly db: object }) => Promise<User>;

// --- createMemoizer ---

const memoize = createMemoizer({ ttl: 60_000, name: 'users', ignore: [1, 'db'] });

// A wrapper has the type that memoizeAsync gives it.
const getUser = memoize(fetchUser, { ignore: [1, 'trace'] });
expectTypeOf(getUser).toEqualTypeOf<Memoized<typeof fetchUser>>();
expectTypeOf(memoize((id: number) => id)(1)).toEqualTypeOf<Promise<number>>();

// Generics and overloads come through.
async function echo<T extends string>(value: T): Promise<{ value: T }> {
  return { value };
}
expectTypeOf(memoize(echo)('x')).resolves.toEqualTypeOf<{ value: 'x' }>();

declare function load(id: number): Promise<User>;
declare function load(name: string, exact: boolean): Promise<User[]>;
const loadOnce = memoize(load);
expectTypeOf(loadOnce(1)).resolves.toEqualTypeOf<User>();
expectTypeOf(loadOnce('x', true)).resolves.toEqualTypeOf<User[]>();

// Options are inferred from the function.
memoize(fetchUser, {
  keyOf: (id, options) => {
    expectTypeOf(id).toEqualTypeOf<number>();
    return [id, options?.trace];
  },
  ttl: (user, id) => user.name.length + id,
});

// @ts-expect-error -- fetchUser has two arguments
memoize(fetchUser, { ignore: [2] });
// @ts-expect-error -- no argument has such a property
memoize(fetchUser, { ignore: ['nope'] });
// @ts-expect-error -- there is no such option
createMemoizer({ tll: 1 });
// @ts-expect-error -- a parameter without a type is no silent any
memoize(async (id) => String(id));
// @ts-expect-error -- a parameter without a type is no silent any, behind options either
memoize({ ttl: 1 })(async (id) => String(id));

// With options alone: what wraps a function, of any kind.
expectTypeOf(memoize({ ttl: 1 })(fetchUser)).toEqualTypeOf<Memoized<typeof fetchUser>>();
expectTypeOf(memoize({ ttl: 1 })(echo)('x')).resolves.toEqualTypeOf<{ value: 'x' }>();
expectTypeOf(memoize({ ttl: 1 })(load)('x', true)).resolves.toEqualTypeOf<User[]>();
expectTypeOf(memoize({ ttl: 1 })((id: number) => [id])(1)).toEqualTypeOf<Promise<number[]>>();

// It may stand wherever memoizeAsync does.
expectTypeOf(memoize).toExtend<typeof memoizeAsync>();
expectTypeOf(memoize.clear()).toEqualTypeOf<Promise<void>>();
expectTypeOf(memoize.settled()).toEqualTypeOf<Promise<void>>();
expectTypeOf(memoize.stats()).toEqualTypeOf<Stats>();

// --- memoizeMethods ---

class UsersClient {
  #token = 'secret';
  readonly tenant: string = 'acme';
  label = 'one';
  onChange?: (id: number) => Promise<void>;

  async getUser(id: number, options?: { readonly db: object }): Promise<User> {
    return { id, name: this.#token + String(options === undefined) };
  }

  async find<T extends keyof User>(by: T, value: User[T]): Promise<Pick<User, T>> {
    return { [by]: value } as Pick<User, T>;
  }

  load(id: number): Promise<User>;
  load(name: string, exact: boolean): Promise<User[]>;
  async load(): Promise<User | User[]> {
    return [];
  }

  count(): number {
    return 0;
  }

  rename(label: string): this {
    this.label = label;
    return this;
  }
}

const client = new UsersClient();
const users = memoizeMethods(client, { getUser: { ignore: [1, 'db'] }, find: {}, load: {} }, { ttl: 1 });

// The client's type is kept, private fields included, and the named methods carry controls.
expectTypeOf(users).toExtend<UsersClient>();
expectTypeOf(users.tenant).toEqualTypeOf<string>();
expectTypeOf(users.count()).toEqualTypeOf<number>();
expectTypeOf(users.getUser(7)).resolves.toEqualTypeOf<User>();
expectTypeOf(users.getUser.delete(7)).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(users.getUser.peek(7)).resolves.toEqualTypeOf<User | undefined>();
users.label = 'two';

// Generics and overloads are kept.
expectTypeOf(users.find('name', 'Ada')).resolves.toEqualTypeOf<Pick<User, 'name'>>();
expectTypeOf(users.load(1)).resolves.toEqualTypeOf<User>();
expectTypeOf(users.load('x', true)).resolves.toEqualTypeOf<User[]>();

// What returns its client returns the memoized object.
expectTypeOf(users.rename('x').getUser.delete(7)).toEqualTypeOf<Promise<boolean>>();

// @ts-expect-error -- no such argument
void users.getUser('7');
// @ts-expect-error -- the constraint of the type parameter holds
void users.find('age', 1);
// @ts-expect-error -- a method that was not named has no controls
users.count.stats();
// @ts-expect-error -- readonly stays readonly
users.tenant = 'other';

// Options are checked for each method.
memoizeMethods(client, {
  getUser: {
    ttl: (user, id) => user.name.length + id,
    keyOf: (id) => {
      expectTypeOf(id).toEqualTypeOf<number>();
      return id;
    },
  },
});
// @ts-expect-error -- getUser has two arguments
memoizeMethods(client, { getUser: { ignore: [2] } });
// @ts-expect-error -- no argument of getUser has such a property
memoizeMethods(client, { getUser: { ignore: ['nope'] } });
// @ts-expect-error -- there is no such option
memoizeMethods(client, { getUser: { tll: 1 } });
// @ts-expect-error -- no such method
memoizeMethods(client, { getUser: {}, getUsr: {} });
// @ts-expect-error -- a field is no method
memoizeMethods(client, { tenant: {} });
// @ts-expect-error -- a method that returns no promise would change its type
memoizeMethods(client, { count: {} });

// An optional method may be named, and is a TypeError where it is missing.
expectTypeOf(memoizeMethods(client, { onChange: {} }).onChange(1)).toEqualTypeOf<Promise<void>>();

// Options may depend on a condition, and a client may be a plain object, an interface, or callable.
declare const isProduction: boolean;
memoizeMethods(client, { getUser: isProduction ? { ttl: 1 } : undefined });

const api = memoizeMethods({ base: '/', get: async (path: string) => path.length }, { get: {} });
expectTypeOf(api.get('/')).toEqualTypeOf<Promise<number>>();
expectTypeOf(api.base).toEqualTypeOf<string>();

interface Http {
  (path: string): Promise<string>;
  get<T>(path: string): Promise<T>;
}
declare const http: Http;
const memoizedHttp = memoizeMethods(http, { get: {} });
expectTypeOf(memoizedHttp('/')).toEqualTypeOf<Promise<string>>();
expectTypeOf(memoizedHttp.get<User>('/')).toEqualTypeOf<Promise<User>>();
