import { memoizeAsync } from 'aiocachetools';

interface Logger {
  info(text: string): void;
}
interface Context {
  readonly db: {
    readonly url: string;
    readonly pool: { readonly size: number; readonly idle?: { readonly ms: number } };
  };
  readonly logger?: Logger | undefined;
  readonly tags: string[];
  readonly at: Date;
}
declare const getUser: (id: number, context: Context, options?: { readonly trace?: string }) => Promise<string>;

// Literals are checked without `as const`.
memoizeAsync(getUser, { ignore: [] });
memoizeAsync(getUser, { ignore: [0, 1, 2] });
memoizeAsync(getUser, { ignore: ['db', 'logger', 'tags', 'at', 'trace'] });
memoizeAsync(getUser, { ignore: ['db.url', 'db.pool', 'db.pool.size', 'db.pool.idle', 'logger.info'] });
memoizeAsync(getUser, { ignore: [1, 'trace', (value, index) => index === 0 && value === undefined] });
memoizeAsync(getUser, { ignore: [1] as const });
memoizeAsync((id: number, context: Context) => id + context.tags.length, { ignore: [1, 'db.url'] });

// @ts-expect-error -- there is no fourth argument
memoizeAsync(getUser, { ignore: [3] });
// @ts-expect-error -- positions count from 0
memoizeAsync(getUser, { ignore: [-1] });
// @ts-expect-error -- positions are whole
memoizeAsync(getUser, { ignore: [0.5] });
// @ts-expect-error -- a position is a number
memoizeAsync(getUser, { ignore: ['1'] });
// @ts-expect-error -- no argument has such a property
memoizeAsync(getUser, { ignore: ['database'] });
// @ts-expect-error -- a path starts at the argument, not at its name
memoizeAsync(getUser, { ignore: ['context.db'] });
// @ts-expect-error -- there is no such path
memoizeAsync(getUser, { ignore: ['db.uri'] });
// @ts-expect-error -- there is no such path deeper down
memoizeAsync(getUser, { ignore: ['db.pool.length'] });
// @ts-expect-error -- paths do not go through arrays
memoizeAsync(getUser, { ignore: ['tags.length'] });
// @ts-expect-error -- paths do not go through instances
memoizeAsync(getUser, { ignore: ['at.getTime'] });
// @ts-expect-error -- a predicate says yes or no
memoizeAsync(getUser, { ignore: [() => 'yes'] });
// @ts-expect-error -- a list, also of one
memoizeAsync(getUser, { ignore: 1 });
// @ts-expect-error -- also where the function is not async
memoizeAsync((id: number, context: Context) => id + context.tags.length, { ignore: [2] });
// @ts-expect-error -- also where the function is not async
memoizeAsync((id: number, context: Context) => id + context.tags.length, { ignore: ['database'] });

// No arguments, no position.
// @ts-expect-error -- there is nothing to leave out
memoizeAsync(async () => 1, { ignore: [0] });

// Rest parameters have any position; `unknown` and records have any name.
declare const join: (first: string, ...rest: { readonly weight: number }[]) => Promise<string>;
memoizeAsync(join, { ignore: [0, 1, 99, 'weight'] });
// @ts-expect-error -- the rest has no such property
memoizeAsync(join, { ignore: ['height'] });
declare const fetchJson: (url: string, headers: Record<string, string>, extra: unknown) => Promise<unknown>;
memoizeAsync(fetchJson, { ignore: ['x-request-id', 'anything'] });

// Overloads: what any of them takes.
declare function load(id: number): Promise<string>;
declare function load(name: string, how: { readonly exact: boolean }): Promise<string>;
memoizeAsync(load, { ignore: [0, 1, 'exact'] });
// @ts-expect-error -- no overload takes three
memoizeAsync(load, { ignore: [2] });
// @ts-expect-error -- no overload takes such a property
memoizeAsync(load, { ignore: ['loose'] });

// Options alone cannot know the function.
memoizeAsync({ ignore: [0, 5, 'anything', 'any.path', () => true] });
// @ts-expect-error -- but a rule is a number, text or a predicate
memoizeAsync({ ignore: [null] });
