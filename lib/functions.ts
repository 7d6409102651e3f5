/* eslint-disable @typescript-eslint/no-explicit-any -- the types of "any function" cannot be written without it */

/** Any function at all. */
export type AnyFunction = (...args: any[]) => unknown;

/** Any function, or what the type of an optional property adds, which is where a wrapper is often expected. */
export type OptionalFunction = AnyFunction | null | undefined;

/**
 * The constraint of an inferred function. `null` and `undefined` are in it for an expected type that is optional
 * (`{ load?: (id: number) => Promise<User> }`): TypeScript drops an inference that does not meet the constraint, and the
 * parameters of an inline function with it.
 */
export type Inferable = Callable | null | undefined;

/**
 * Any function. Two signatures with different type parameters give a lambda no contextual type, so that its parameters
 * never become a silent `any`.
 */
export interface Callable {
  (...args: any[]): unknown;
  <_T>(...args: any[]): unknown;
}

/**
 * A function that returns a promise, to intersect with an inferred one: `F & ReturnsPromise`.
 *
 * It is no constraint of `F`, so that an expected type which returns `T | Promise<T>` still gives the parameters of an inline
 * function their types. It knows a promise by the names of its members, for their types would be mixed into what an inline
 * function is expected to return.
 */
export type ReturnsPromise = (...args: never) => Record<keyof Promise<unknown>, unknown>;

/** The parameters of the last four overloads of a function, as a union. */
export type OverloadParameters<F> = F extends {
  (this: any, ...args: infer A): any;
  (this: any, ...args: infer B): any;
  (this: any, ...args: infer C): any;
  (this: any, ...args: infer D): any;
}
  ? WidenedList<A> | WidenedList<B> | WidenedList<C> | WidenedList<D>
  : never;

/**
 * The parameters of a function that is given the arguments of any call, as one list. Over several overloads it has eight
 * positions with what any of them takes there: a function with fewer parameters does not fit a union of lists.
 */
export type CallParameters<F, All extends readonly unknown[] = OverloadParameters<F>> = [All] extends [
  LastParameters<F>,
]
  ? LastParameters<F>
  : [At<All, 0>, At<All, 1>, At<All, 2>, At<All, 3>, At<All, 4>, At<All, 5>, At<All, 6>, At<All, 7>];

type LastParameters<F> = F extends (this: any, ...args: infer A) => any ? WidenedList<A> : never;

type At<Args extends readonly unknown[], Index extends number> = Args extends readonly unknown[]
  ? `${Index}` extends keyof Args
    ? Args[Index]
    : number extends Args['length']
      ? Args[number] | undefined
      : undefined
  : never;

/** What a type parameter that depends on another one leaves behind (`K extends keyof T` is `never`) takes anything. */
type WidenedList<Args extends readonly unknown[]> = { [Index in keyof Args]: Widened<Args[Index]> };

type Widened<Arg> = [Exclude<Arg, null | undefined>] extends [never]
  ? unknown
  : Arg extends readonly (infer Item)[]
    ? number extends Arg['length']
      ? [Item] extends [never]
        ? readonly unknown[]
        : Arg
      : Arg
    : Arg;

/**
 * What a function resolves with: over its last four overloads, without those that return no promise where others do (a
 * callback comes last there). `unknown` where the result depends on a type parameter: it has no one type then.
 */
export type Resolved<F> = Awaited<Returned<F>>;

/** Not by way of `ReturnType`, which sees the last overload alone and is `any` for some generic functions. */
type Returned<F> = F extends {
  (...args: any): infer A;
  (...args: any): infer B;
  (...args: any): infer C;
  (...args: any): infer D;
}
  ? [OnlyPromise<A> | OnlyPromise<B> | OnlyPromise<C> | OnlyPromise<D>] extends [never]
    ? A | B | C | D
    : OnlyPromise<A> | OnlyPromise<B> | OnlyPromise<C> | OnlyPromise<D>
  : unknown;

type OnlyPromise<R> = [R] extends [PromiseLike<unknown>] ? R : never;

/** `F` as far as one signature can tell: what it takes, and a plain promise of what it resolves with. */
export type Promised<F> = (this: ThisParameterType<F>, ...args: OverloadParameters<F>) => Promise<Resolved<F>>;

/**
 * The signature that stands before those of `F` in its wrapper, where those of `F` are not right:
 *
 * - a function that returns a bare type parameter or `any`: TypeScript takes it for one that returns a promise;
 * - a function without type parameters or overloads whose promise has members of its own: they would be gone on a hit.
 *
 * Elsewhere `unknown`, which leaves `F` as it is. One signature cannot be generic where `F` is, for TypeScript has no type
 * for "`F` with another result": a generic function whose promise has members of its own keeps claiming them.
 */
export type Correction<F> = F extends (...args: any) => Anything
  ? Promised<F>
  : Promised<F> extends F
    ? unknown
    : ((this: ThisParameterType<F>, ...args: OverloadParameters<F>) => Returned<F>) extends F
      ? Promised<F>
      : unknown;

/** What no function returns, unless its result is assignable to everything. */
interface Anything {
  readonly ' any result': never;
}

/** Whether some overload of a function returns a promise; not so where it returns a bare type parameter. */
export type IsAsync<F> = F extends (...args: any) => Anything
  ? Returned<F> extends Promise<unknown>
    ? true
    : false
  : F extends (...args: any) => Promise<unknown>
    ? true
    : false;
