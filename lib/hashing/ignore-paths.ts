/** Types of which no path leads further: not plain objects, or never left out in part. */
type Opaque =
  | readonly unknown[]
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type of any function
  | ((...args: any[]) => unknown)
  | Date
  | RegExp
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | PromiseLike<unknown>
  | ArrayBuffer
  | ArrayBufferView;

/** Positions and property paths that `ignore` may name for argument lists `T`. */
export type Ignore<T extends readonly unknown[]> = T extends readonly unknown[]
  ? ArgumentIndex<T> | PropertyPath<T[number]>
  : never;

/** Positions of an argument list; any number where it ends in a rest parameter. */
export type ArgumentIndex<T extends readonly unknown[]> = number extends T['length']
  ? number
  : ToNumber<keyof Required<T>>;

type ToNumber<S> = S extends `${infer N extends number}` ? N : never;

/**
 * Property names of `P`, and paths such as `'ctx.db'` into what they hold.
 *
 * `Budget` bounds the depth, so that neither recursive types nor those of the DOM explode: each step costs one, out of a
 * type with methods two. Where it ends any path is accepted: a wrong path may pass there, a right one always does.
 */
export type PropertyPath<P, Budget extends readonly unknown[] = [1, 1, 1]> = unknown extends P
  ? string
  : P extends object
    ? P extends Opaque
      ? never
      : PathsIn<P, Spend<Budget, HasMethods<P>>>
    : never;

/** An object without known properties, such as `object`, may have any. */
type PathsIn<P, Left extends readonly unknown[]> = [Left] extends [never]
  ? string
  : [keyof P] extends [never]
    ? string
    : { [K in Name<P>]-?: `${K}` | `${K}.${PropertyPath<NonNullable<P[K]>, Left>}` }[Name<P>];

type Name<P> = keyof P & (string | number);

type Spend<Budget extends readonly unknown[], IsDear extends boolean> = IsDear extends true
  ? Budget extends readonly [unknown, unknown, ...infer Left]
    ? Left
    : never
  : Budget extends readonly [unknown, ...infer Left]
    ? Left
    : never;

/** Whether a type looks like a class and not like data. */
type HasMethods<P> = true extends {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the type of any function
  [K in keyof P]-?: NonNullable<P[K]> extends (...args: any[]) => unknown ? true : never;
}[keyof P]
  ? true
  : false;
