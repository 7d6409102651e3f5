import { expectTypeOf } from 'expect-type';
import { createMemoizer, memoizeAsync, memoizeMethods } from 'aiocachetools';
import type { Controls, Memoized, MemoizeOptions } from 'aiocachetools';

interface Point {
  readonly eid: number;
}
interface User {
  readonly id: number;
  readonly name: string;
}
const memoize = createMemoizer({ name: 'functions' });

// --- parameters of inline functions are inferred from the expected type ---

const toPromise: (p: Point) => Promise<number> = memoizeAsync(async (p) => p.eid);
const toEither: (p: Point) => number | Promise<number> = memoizeAsync(async (p) => p.eid);
const toPromiseLike: (p: Point) => PromiseLike<number> = memoizeAsync(async (p) => p.eid);
const toUnknown: (p: Point) => unknown = memoizeAsync(async (p) => p.eid);
const withOptions: (p: Point) => number | Promise<number> = memoizeAsync(async (p) => p.eid, {
  ttl: 5,
  keyOf: (p) => p.eid,
});
const fromSync: (p: Point) => number | Promise<number> = memoizeAsync((p) => p.eid);
const fromSyncToPromise: (p: Point) => Promise<number> = memoizeAsync((p) => p.eid);
const byMemoizer: (p: Point) => number | Promise<number> = memoize(async (p) => p.eid);
const behindOptions: (p: Point) => Promise<number> = memoizeAsync({ ttl: 5 })(async (p) => p.eid);
const behindOptionsToEither: (p: Point) => number | Promise<number> = memoizeAsync({ ttl: 5 })(async (p) => p.eid);
const more: (p: Point, ...rest: string[]) => number | Promise<number> = memoizeAsync(
  async (p, ...rest) => p.eid + rest.length,
);
const literal: (kind: 'a' | 'b') => Promise<'a' | 'b'> = memoizeAsync(async (kind) => (kind === 'a' ? 'b' : 'a'));
const tuple: () => Promise<[number, string]> = memoizeAsync(async () => [1, 'a']);
interface Loader {
  load?: (p: Point) => number | Promise<number>;
  find?: ((p: Point) => Promise<number>) | undefined;
}
const loader: Loader = { load: memoizeAsync(async (p) => p.eid), find: memoizeAsync(async (p) => p.eid) };
declare function register(load: (p: Point) => number | Promise<number>): void;
register(memoizeAsync(async (p) => p.eid));
register(memoizeAsync(async (p) => p.eid, { name: 'p' }));
class Repository {
  readonly get: (p: Point) => PromiseLike<number> = memoizeAsync(async (p) => p.eid);
}
// @ts-expect-error -- the parameter is known, and has no such property
const misspelt: (p: Point) => number | Promise<number> = memoizeAsync(async (p) => p.eld);
// @ts-expect-error -- not what is expected
const wrong: (p: Point) => number | Promise<number> = memoizeAsync(async (p) => String(p.eid));
// @ts-expect-error -- a wrapper returns a promise
const notAPromise: (p: Point) => number = memoizeAsync((p: Point) => p.eid);
void [toPromise, toEither, toPromiseLike, toUnknown, withOptions, fromSync, fromSyncToPromise, byMemoizer];
void [behindOptions, behindOptionsToEither, more, literal, tuple, loader, Repository];
void [misspelt, wrong, notAPromise];

// --- generic functions that return no promise ---

const same = memoizeAsync(<T>(value: T): T => value);
// @ts-expect-error -- it is a promise
const one: number = same(1);
void one;
expectTypeOf(same(1)).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(memoizeAsync({ ttl: 1 })(<T>(value: T): T => value)(1)).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(memoizeAsync(<T extends Point>(value: T): T => value)({ eid: 1 })).toEqualTypeOf<Promise<Point>>();
// Constrained, it is known not to return a promise, and TypeScript infers nothing better for it.
const boxed = memoizeAsync(<T>(value: T) => [value]);
expectTypeOf(boxed(1)).toEqualTypeOf<Promise<unknown[]>>();
const property = memoizeAsync(<T, K extends keyof T>(of: T, key: K): T[K] => of[key]);
expectTypeOf(property({ a: 1 }, 'a')).toEqualTypeOf<Promise<unknown>>();
// `any` is no promise either.
declare const parseAny: (text: string) => any; // eslint-disable-line @typescript-eslint/no-explicit-any
// eslint-disable-next-line @typescript-eslint/no-explicit-any
expectTypeOf(memoizeAsync(parseAny)('1')).toEqualTypeOf<Promise<any>>();

// --- helpers that are generic in the function ---

/* eslint-disable @typescript-eslint/no-explicit-any -- any function */
function remember<F extends (...args: any[]) => Promise<unknown>>(fn: F): Memoized<F> {
  return memoizeAsync(fn);
}
function rememberAs<F extends (...args: any[]) => Promise<unknown>>(fn: F): F {
  return memoizeAsync(fn, { ttl: 5 });
}
function rememberWith<F extends (...args: any[]) => Promise<any>>(fn: F, options?: MemoizeOptions<F>): Memoized<F> {
  const memoized = memoizeAsync(fn, options);
  void memoized(1);
  void memoized.clear();
  return memoized;
}
function rememberArguments<A extends unknown[], R>(fn: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return memoizeAsync(fn);
}
function rememberWithControls<A extends unknown[], R>(
  fn: (...args: A) => Promise<R>,
): Memoized<(...args: A) => Promise<R>> {
  return memoizeAsync(fn);
}
/* eslint-enable @typescript-eslint/no-explicit-any */
declare const getUser: (id: number) => Promise<User>;
expectTypeOf(remember(getUser)).toEqualTypeOf<Memoized<typeof getUser>>();
expectTypeOf(rememberAs(getUser)).toEqualTypeOf<typeof getUser>();
expectTypeOf(rememberWith(getUser, { ttl: (user) => user.id })).toEqualTypeOf<Memoized<typeof getUser>>();
expectTypeOf(rememberArguments(getUser)).toEqualTypeOf<typeof getUser>();
expectTypeOf(rememberWithControls(getUser)(1)).toEqualTypeOf<Promise<User>>();

// Wrappers of different functions in one list.
/* eslint-disable @typescript-eslint/no-explicit-any -- any function */
const wrappers: Memoized<(...args: any[]) => Promise<unknown>>[] = [memoizeAsync(getUser), memoizeAsync(async () => 1)];
const controls: Pick<Controls<(...args: any[]) => unknown>, 'clear' | 'stats'>[] = [memoizeAsync(getUser), same];
void [wrappers, controls];
/* eslint-enable @typescript-eslint/no-explicit-any */

// --- promises with members of their own ---

interface ResponsePromise extends Promise<string> {
  json<T>(): Promise<T>;
}
declare const request: (url: string, options?: { readonly retry: number }) => ResponsePromise;
const requestOnce = memoizeAsync(request);
expectTypeOf(requestOnce('/')).toEqualTypeOf<Promise<string>>();
expectTypeOf(requestOnce.peek('/')).toEqualTypeOf<Promise<string | undefined>>();
// @ts-expect-error -- a hit has nothing but a promise
void requestOnce('/').json();
// @ts-expect-error -- the arguments are still checked
void requestOnce(5);
expectTypeOf(memoizeAsync({ ttl: 1 })(request)('/')).toEqualTypeOf<Promise<string>>();
expectTypeOf(memoize(request)('/')).toEqualTypeOf<Promise<string>>();
interface Cancelable<T> extends Promise<T> {
  cancel(): void;
}
const cancelable = memoizeAsync(function (this: Date, id: number): Cancelable<User> {
  return Object.assign(Promise.resolve({ id, name: this.toISOString() }), { cancel: () => undefined });
});
expectTypeOf(cancelable.call(new Date(), 1)).toExtend<Promise<User>>();
// @ts-expect-error -- it still needs its receiver
void cancelable(1);
// What is only tagged stays as it is, and so do members that may be missing.
type Tagged = Promise<User> & { readonly tag?: string };
declare const tagged: (id: number) => Tagged;
expectTypeOf(memoizeAsync(tagged)(1)).toEqualTypeOf<Tagged>();
// A method, too.
expectTypeOf(memoizeMethods({ request }, { request: {} }).request('/')).toEqualTypeOf<Promise<string>>();

// --- overloads with a callback last ---

interface Output {
  readonly body: string;
}
interface GetObject {
  (input: { readonly key: string }, options?: { readonly signal?: object }): Promise<Output>;
  (input: { readonly key: string }, callback: (error: unknown, data?: Output) => void): void;
  (input: { readonly key: string }, options: object, callback: (error: unknown, data?: Output) => void): void;
}
declare const getObject: GetObject;
const getObjectOnce = memoizeAsync(getObject, {
  ttl: (output) => {
    expectTypeOf(output).toEqualTypeOf<Output>();
    return 5;
  },
});
expectTypeOf(getObjectOnce({ key: 'a' })).toEqualTypeOf<Promise<Output>>();
expectTypeOf(getObjectOnce.peek({ key: 'a' })).toEqualTypeOf<Promise<Output | undefined>>();
expectTypeOf(getObjectOnce.refresh({ key: 'a' })).toEqualTypeOf<Promise<Output>>();
void getObjectOnce.delete({ key: 'a' });
void getObjectOnce.prime([{ key: 'a' }], { body: '' });
// @ts-expect-error -- not what it resolves with
void getObjectOnce.prime([{ key: 'a' }], undefined);
expectTypeOf(memoizeMethods({ getObject }, { getObject: {} }).getObject({ key: '' })).toEqualTypeOf<Promise<Output>>();
expectTypeOf(memoizeAsync({ ttl: 1 })(getObject)({ key: 'a' })).toEqualTypeOf<Promise<Output>>();
// The callback is optional, or comes first.
declare function either(id: number, callback?: (user: User) => void): void;
declare function either(id: number): Promise<User>;
expectTypeOf(memoizeAsync(either).peek(1)).toEqualTypeOf<Promise<User | undefined>>();

// --- type parameters that depend on each other ---

const pick = memoizeAsync(async <T, K extends keyof T>(of: T, key: K): Promise<T[K]> => of[key]);
expectTypeOf(pick({ id: 1 }, 'id')).toEqualTypeOf<Promise<number>>();
void pick.delete({ id: 1 }, 'id');
void pick.prime([{ id: 1 }, 'id'], 1);
expectTypeOf(pick.peek({ id: 1 }, 'id')).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(
  memoizeAsync({ ttl: 1 })(async <T, K extends keyof T>(of: T, key: K): Promise<T[K]> => of[key])({ id: 1 }, 'id'),
).toEqualTypeOf<Promise<number>>();
const pickAll = memoizeAsync(async <T, K extends keyof T>(of: T, keys: K[], or?: K | null) => [of, keys, or]);
void pickAll.delete({ id: 1 }, ['id']);
void pickAll.delete({ id: 1 }, ['id'], 'id');
const ofSync = memoizeAsync({ ttl: 1 })(<T, K extends keyof T>(of: T, key: K): T[K] => of[key]);
expectTypeOf(ofSync({ id: 1 }, 'id')).toEqualTypeOf<Promise<unknown>>();

// --- conditional results ---

interface FindArgs {
  readonly where: { readonly id: number };
  readonly select?: { readonly name?: boolean };
}
type Found<T extends FindArgs> = T extends { readonly select: { readonly name: true } }
  ? { readonly name: string }
  : T extends { readonly select: object }
    ? never
    : User;
declare const findUser: <T extends FindArgs>(args: T) => Promise<Found<T>>;
const findOnce = memoizeAsync(findUser, { ttl: (_found, args) => args.where.id });
expectTypeOf(findOnce({ where: { id: 1 } })).toEqualTypeOf<Promise<User>>();
expectTypeOf(findOnce({ where: { id: 1 }, select: { name: true } })).toEqualTypeOf<
  Promise<{ readonly name: string }>
>();
expectTypeOf(findOnce.peek({ where: { id: 1 } })).toEqualTypeOf<Promise<unknown>>();
void findOnce.prime([{ where: { id: 1 } }], { id: 1, name: 'Ada' });
// @ts-expect-error -- the constraint holds
void findOnce({ where: { id: '1' } });
interface Fluent<T> extends Promise<T> {
  posts(): Promise<string[]>;
}
declare const findFluent: <T extends FindArgs>(args: T) => Fluent<Found<T>>;
// One signature cannot be generic where the function is: such a promise keeps claiming its members.
expectTypeOf(memoizeAsync(findFluent)({ where: { id: 1 } })).resolves.toEqualTypeOf<User>();
// A function that always throws has no result, though.
expectTypeOf(memoizeAsync(async (): Promise<never> => Promise.reject(new Error('never'))).peek()).toEqualTypeOf<
  Promise<undefined>
>();

// --- properties of the function ---

const withProperties = Object.assign(async (id: number) => id, { displayName: 'user', kind: 'a' as const, cache: 5 });
const memoizedWith = memoizeAsync(withProperties);
expectTypeOf(memoizedWith(1)).toEqualTypeOf<Promise<number>>();
expectTypeOf(memoizedWith.displayName).toEqualTypeOf<never>();
expectTypeOf(memoizedWith.kind).toEqualTypeOf<never>();
expectTypeOf(memoizedWith.original.displayName).toEqualTypeOf<string>();
expectTypeOf(memoizedWith.delete(1)).toEqualTypeOf<Promise<boolean>>();
// @ts-expect-error -- it is not copied
void memoizedWith.displayName.length;
expectTypeOf(memoizedWith.name).toEqualTypeOf<string>();
expectTypeOf(memoizedWith.length).toEqualTypeOf<number>();
