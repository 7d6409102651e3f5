import { expectTypeOf } from 'expect-type';
import { memoizeAsync } from 'aiocachetools';
import type { Memoized, MemoizeEvent, MemoizeOptions } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

// --- what the wrapper is: the function, exactly ---

async function labelled(id: number, options?: { readonly fresh: boolean }, ...tags: string[]): Promise<User> {
  return { id, name: `${String(options?.fresh)} ${tags.join()}` };
}
expectTypeOf(memoizeAsync(labelled)).toEqualTypeOf<Memoized<typeof labelled>>();
expectTypeOf(memoizeAsync(labelled)).toExtend<typeof labelled>();
expectTypeOf(memoizeAsync(labelled, { ttl: 1 })).parameters.toEqualTypeOf<
  [id: number, options?: { readonly fresh: boolean } | undefined, ...tags: string[]]
>();

// A default makes a parameter optional.
const withDefault = memoizeAsync(async (id: number, depth = 3) => id + depth);
expectTypeOf(withDefault).parameters.toEqualTypeOf<[id: number, depth?: number | undefined]>();
expectTypeOf(withDefault(1)).toEqualTypeOf<Promise<number>>();
// @ts-expect-error -- the default is a number
void withDefault(1, '3');
// @ts-expect-error -- the first parameter is needed
void withDefault();

// Generics, also with constraints.
const echo = memoizeAsync(async <T extends string>(value: T) => ({ value }));
expectTypeOf(echo('x')).resolves.toEqualTypeOf<{ value: 'x' }>();
// @ts-expect-error -- the constraint holds
void echo(5);
const pick = memoizeAsync(async <T, K extends keyof T>(of: T, key: K): Promise<T[K]> => of[key], { ignore: [0] });
expectTypeOf(pick({ id: 1, name: 'Ada' }, 'name')).resolves.toEqualTypeOf<string>();

// Overloads.
declare function load(id: number): Promise<User>;
declare function load(name: string, exact: boolean): Promise<User[]>;
declare function load(): Promise<undefined>;
const loadOnce = memoizeAsync(load, { ttl: 5 });
expectTypeOf(loadOnce(1)).resolves.toEqualTypeOf<User>();
expectTypeOf(loadOnce('Ada', true)).resolves.toEqualTypeOf<User[]>();
expectTypeOf(loadOnce()).resolves.toEqualTypeOf<undefined>();
// @ts-expect-error -- no overload takes a name alone
void loadOnce('Ada');

// `this`.
class Client {
  readonly base = '/users';
  getUser = memoizeAsync(async function (this: Client, id: number) {
    return `${this.base}/${id}`;
  });
  getName = memoizeAsync(async (id: number) => `${this.base}/${id}`);
}
const client = new Client();
expectTypeOf(client.getUser(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(client.getName(1)).toEqualTypeOf<Promise<string>>();
const { getUser: torn } = client;
// @ts-expect-error -- it needs a client
void torn(1);
expectTypeOf(torn.call(client, 1)).toEqualTypeOf<Promise<string>>();

// A union of results, nothing at all, and a type that must not widen.
expectTypeOf(memoizeAsync(async () => {})()).toEqualTypeOf<Promise<void>>();
declare const maybe: (id: number) => Promise<User | undefined>;
expectTypeOf(memoizeAsync(maybe)(1)).resolves.toEqualTypeOf<User | undefined>();
expectTypeOf(memoizeAsync(async () => 'x' as const)()).resolves.toEqualTypeOf<'x'>();
declare const tuple: (...args: [a: number] | [a: string, b: boolean]) => Promise<User>;
expectTypeOf(memoizeAsync(tuple)).parameters.toEqualTypeOf<[a: number] | [a: string, b: boolean]>();

// --- functions that return no promise ---

const parse = memoizeAsync((text: string, radix?: number) => parseInt(text, radix));
expectTypeOf(parse('7')).toEqualTypeOf<Promise<number>>();
expectTypeOf(parse).parameters.toEqualTypeOf<[text: string, radix?: number | undefined]>();
declare const sometimes: (id: number) => User | Promise<User>;
expectTypeOf(memoizeAsync(sometimes)(1)).toEqualTypeOf<Promise<User>>();
declare const thenable: (id: number) => PromiseLike<User>;
expectTypeOf(memoizeAsync(thenable)(1)).toEqualTypeOf<Promise<User>>();
expectTypeOf(memoizeAsync(() => undefined)()).toEqualTypeOf<Promise<undefined>>();
class Reader {
  depth = 1;
}
const syncMethod = memoizeAsync(function (this: Reader, id: number) {
  return this.depth + id;
});
expectTypeOf(syncMethod.call(new Reader(), 1)).toEqualTypeOf<Promise<number>>();
// @ts-expect-error -- it needs a reader
void syncMethod(1);

// --- the wrapper of a wrapper ---

const twice = memoizeAsync(memoizeAsync(labelled, { ttl: 1 }), { ttl: 5 });
expectTypeOf(twice(1, { fresh: true }, 'a')).toEqualTypeOf<Promise<User>>();
expectTypeOf(twice.peek(1)).resolves.toEqualTypeOf<User | undefined>();
expectTypeOf(twice.original.original).toEqualTypeOf<typeof labelled>();

// --- no silent any ---

// @ts-expect-error -- a parameter without a type
memoizeAsync(async (id) => String(id));
// @ts-expect-error -- a parameter without a type, beside options
memoizeAsync(async (id) => String(id), { ttl: 1 });
// @ts-expect-error -- a parameter without a type, of a function that is not async
memoizeAsync((id) => String(id));
// @ts-expect-error -- a parameter without a type, of a method
memoizeAsync(async function (id) {
  return String(id);
});
// @ts-expect-error -- a parameter without a type, behind options
memoizeAsync({ ttl: 1 })(async (id) => String(id));

// --- options are typed by the function ---

memoizeAsync(labelled, {
  keyOf: (id, options, ...tags) => {
    expectTypeOf(id).toEqualTypeOf<number>();
    expectTypeOf(options).toEqualTypeOf<{ readonly fresh: boolean } | undefined>();
    expectTypeOf(tags).toEqualTypeOf<string[]>();
    return [id, options, tags];
  },
  ttl: (user, id, options, ...tags) => {
    expectTypeOf(user).toEqualTypeOf<User>();
    expectTypeOf(id).toEqualTypeOf<number>();
    expectTypeOf(options).toEqualTypeOf<{ readonly fresh: boolean } | undefined>();
    expectTypeOf(tags).toEqualTypeOf<string[]>();
    return user.name.length;
  },
  errorTtl: (error, id) => {
    expectTypeOf(error).toEqualTypeOf<unknown>();
    expectTypeOf(id).toEqualTypeOf<number>();
    return 0;
  },
  onEvent: (event) => {
    expectTypeOf(event).toEqualTypeOf<MemoizeEvent>();
  },
});
memoizeAsync(
  async function (this: Client, id: number) {
    return id;
  },
  {
    keyOf(id) {
      expectTypeOf(this).toEqualTypeOf<Client>();
      expectTypeOf(id).toEqualTypeOf<number>();
      return [this.base, id];
    },
  },
);
memoizeAsync((id: number) => ({ id }), {
  keyOf: (id) => {
    expectTypeOf(id).toEqualTypeOf<number>();
    return id;
  },
  ttl: (value, id) => {
    expectTypeOf(value).toEqualTypeOf<{ id: number }>();
    expectTypeOf(id).toEqualTypeOf<number>();
    return 1;
  },
});
// Where there are overloads, options see what any of them takes and returns.
memoizeAsync(loadByEither, {
  ttl: (value, by) => {
    expectTypeOf(value).toEqualTypeOf<User | User[]>();
    expectTypeOf(by).toEqualTypeOf<number | string>();
    return 1;
  },
});
declare function loadByEither(id: number): Promise<User>;
declare function loadByEither(name: string): Promise<User[]>;

// An option may be undefined, all of them at once.
const nothing: Record<keyof MemoizeOptions, undefined> = {
  cache: undefined,
  maxSize: undefined,
  keyOf: undefined,
  ignore: undefined,
  encode: undefined,
  name: undefined,
  ttl: undefined,
  tags: undefined,
  validate: undefined,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
  earlyRefresh: undefined,
  jitter: undefined,
  errorTtl: undefined,
  softTimeout: undefined,
  timeout: undefined,
  storeTimeout: undefined,
  detectRecursion: undefined,
  onEvent: undefined,
};
expectTypeOf(memoizeAsync(labelled, nothing)).toEqualTypeOf<Memoized<typeof labelled>>();
memoizeAsync(labelled, undefined);

// Options may be made apart from the function, and are read only.
const apart: MemoizeOptions<typeof labelled> = { ttl: (user) => user.id, ignore: [1] };
expectTypeOf(memoizeAsync(labelled, apart)).toEqualTypeOf<Memoized<typeof labelled>>();
// @ts-expect-error -- options are not to be changed
apart.ttl = 5;
const forAny: MemoizeOptions = { ttl: 1, name: 'any' };
expectTypeOf(memoizeAsync({ ...forAny, ttl: 5 })(labelled)).toEqualTypeOf<Memoized<typeof labelled>>();

// @ts-expect-error -- there is no such option
memoizeAsync(labelled, { tll: 5 });
// @ts-expect-error -- a ttl is a number or a function
memoizeAsync(labelled, { ttl: '5' });
// @ts-expect-error -- a ttl function gives a number
memoizeAsync(labelled, { ttl: () => '5' });
// @ts-expect-error -- a ttl function gives it at once
memoizeAsync(labelled, { ttl: async () => 5 });
// @ts-expect-error -- a ttl function is given a user
memoizeAsync(labelled, { ttl: (user: string) => user.length });
// @ts-expect-error -- keyOf is given a number first
memoizeAsync(labelled, { keyOf: (id: string) => id });
// @ts-expect-error -- a name is text
memoizeAsync(labelled, { name: 5 });
// @ts-expect-error -- a listener is a function
memoizeAsync(labelled, { onEvent: {} });
// @ts-expect-error -- there is no such option for a function that is not async either
memoizeAsync((id: number) => id, { tll: 5 });
// @ts-expect-error -- there is no such option behind options alone either
memoizeAsync({ tll: 5 });
// @ts-expect-error -- only functions can be memoized
memoizeAsync(5);
// @ts-expect-error -- only functions can be memoized
memoizeAsync(Promise.resolve(5));
// @ts-expect-error -- nothing to memoize
memoizeAsync();

// --- with options alone ---

const memoize = memoizeAsync({ ttl: 5, ignore: [1, 'db', (value) => value instanceof Client], keyOf: undefined });
expectTypeOf(memoize(labelled)).toEqualTypeOf<Memoized<typeof labelled>>();
expectTypeOf(memoize(load)('Ada', true)).resolves.toEqualTypeOf<User[]>();
expectTypeOf(memoize(<T>(value: T) => Promise.resolve([value]))('x')).resolves.toEqualTypeOf<string[]>();
expectTypeOf(memoize((id: number) => id)(1)).toEqualTypeOf<Promise<number>>();
memoizeAsync({ keyOf: (...args) => args[0], ttl: (_value, ..._args) => 5, errorTtl: (_error, ..._args) => 5 });
// @ts-expect-error -- only functions can be memoized
memoize({ ttl: 5 });
