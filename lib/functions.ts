/* eslint-disable @typescript-eslint/no-explicit-any -- the types of "any function" cannot be written without it */

/**
 * Any function that returns a promise. Two signatures with different type parameters give a lambda no contextual type,
 * so that its parameters never become a silent `any`.
 */
export interface AsyncFunction {
  (...args: any[]): Promise<unknown>;
  <_T>(...args: any[]): Promise<unknown>;
}

/** Any function at all. */
export type AnyFunction = (...args: any[]) => unknown;

/** The parameters of the last four overloads of a function, as a union. */
export type OverloadParameters<F> = F extends {
  (this: any, ...a: infer A): any;
  (this: any, ...a: infer B): any;
  (this: any, ...a: infer C): any;
  (this: any, ...a: infer D): any;
}
  ? A | B | C | D
  : F extends (this: any, ...a: infer A) => any
    ? A
    : never;

/** What a function resolves with. */
export type Resolved<F> = F extends (...args: any[]) => infer R ? Awaited<R> : never;
