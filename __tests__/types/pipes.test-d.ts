import { expectTypeOf } from 'expect-type';
import { flow as fpFlow, pipe as fpPipe } from 'fp-ts/lib/function.js';
import lodash from 'lodash';
import * as R from 'ramda';
import * as remeda from 'remeda';
import { createMemoizer, memoizeAsync } from 'aiocachetools';
import type { Memoized } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

declare const fetchUser: (id: number, options?: { readonly fresh: boolean }) => Promise<User>;
declare const readUser: (id: number) => User;
declare function load(id: number): Promise<User>;
declare function load(name: string, exact: boolean): Promise<User[]>;
async function echo<T extends string>(value: T): Promise<{ value: T }> {
  return { value };
}

type Fetched = Memoized<typeof fetchUser>;

/** A step after the memoized function that wants its type. */
const nameOf =
  (get: (id: number) => Promise<User>) =>
  async (id: number): Promise<string> =>
    (await get(id)).name;

/** A step after the memoized function that wants its controls. */
const forget = (get: Fetched) => (id: number) => get.delete(id);

/**
 * A first step for compositions that do not begin with a function: from a generic first step TypeScript infers nothing
 * for a second one that is not.
 */
const memoizeFetch = (fn: typeof fetchUser) => memoizeAsync(fn, { ttl: 1 });

// --- remeda ---

expectTypeOf(remeda.pipe(fetchUser, memoizeAsync({ ttl: 1 }))).toEqualTypeOf<Fetched>();
expectTypeOf(remeda.pipe(fetchUser, memoizeAsync({ ttl: 1 }), nameOf)(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(remeda.pipe(fetchUser, memoizeAsync({ ttl: 1 }), forget)(1)).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(remeda.pipe(readUser, memoizeAsync({ ttl: 1 }))(1)).toEqualTypeOf<Promise<User>>();
expectTypeOf(remeda.pipe(load, memoizeAsync({ ttl: 1 }))('x', true)).toEqualTypeOf<Promise<User[]>>();
expectTypeOf(remeda.pipe(echo, memoizeAsync({ ttl: 1 }))('x')).toEqualTypeOf<Promise<{ value: 'x' }>>();
expectTypeOf(remeda.piped(memoizeFetch, nameOf)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- the argument of the function is still checked
void remeda.pipe(fetchUser, memoizeAsync({ ttl: 1 }))('1');
// @ts-expect-error -- a step that wants another function
remeda.pipe(load, memoizeAsync({ ttl: 1 }), forget);
// @ts-expect-error -- no function goes in
remeda.pipe(1, memoizeAsync({ ttl: 1 }));

// --- fp-ts ---

expectTypeOf(fpPipe(fetchUser, memoizeAsync({ ttl: 1 }))).toEqualTypeOf<Fetched>();
expectTypeOf(fpPipe(fetchUser, memoizeAsync({ ttl: 1 }), nameOf)(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(fpPipe(readUser, memoizeAsync({ ttl: 1 }))(1)).toEqualTypeOf<Promise<User>>();
expectTypeOf(fpPipe(load, memoizeAsync({ ttl: 1 }))('x', true)).toEqualTypeOf<Promise<User[]>>();
expectTypeOf(fpFlow(memoizeFetch, nameOf)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- the argument of the function is still checked
void fpPipe(fetchUser, memoizeAsync({ ttl: 1 }))('1');

// --- lodash ---

const lodashOnce = lodash.flow(nameOf, memoizeAsync({ ttl: 1 }));
expectTypeOf(lodashOnce(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(lodashOnce(fetchUser).delete(1)).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(lodash.flow(memoizeFetch, nameOf)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- the argument of the function is still checked
void lodashOnce(fetchUser)('1');

// --- Ramda ---

const ramdaOnce = R.pipe(nameOf, memoizeAsync({ ttl: 1 }));
expectTypeOf(ramdaOnce(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(ramdaOnce(fetchUser).stats().runs).toEqualTypeOf<number>();
expectTypeOf(R.compose(memoizeAsync({ ttl: 1 }), nameOf)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
expectTypeOf(R.pipe(memoizeAsync({ ttl: 1 }), nameOf)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();
// @ts-expect-error -- the argument of the function is still checked
void ramdaOnce(fetchUser)('1');

// --- written by hand ---

declare function pipe<A, B>(value: A, first: (value: A) => B): B;
declare function pipe<A, B, C>(value: A, first: (value: A) => B, second: (value: B) => C): C;
declare function compose<A, B, C>(second: (value: B) => C, first: (value: A) => B): (value: A) => C;

expectTypeOf(pipe(fetchUser, memoizeAsync({ ttl: 1 }))).toEqualTypeOf<Fetched>();
expectTypeOf(pipe(fetchUser, memoizeAsync({ ttl: 1 }), forget)(1)).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(pipe(echo, memoizeAsync({ ttl: 1 }))('x')).toEqualTypeOf<Promise<{ value: 'x' }>>();
expectTypeOf(compose(nameOf, memoizeFetch)(fetchUser)(1)).toEqualTypeOf<Promise<string>>();

// With the defaults of a memoizer, the same.
const memoize = createMemoizer({ name: 'users' });
expectTypeOf(pipe(fetchUser, memoize({ ttl: 1 }))).toEqualTypeOf<Fetched>();
expectTypeOf(remeda.pipe(fetchUser, memoize({ ttl: 1 }), forget)(1)).toEqualTypeOf<Promise<boolean>>();
