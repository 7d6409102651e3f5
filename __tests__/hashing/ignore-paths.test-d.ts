import { expectTypeOf } from 'expect-type';
import type { ArgumentIndex, Ignore, PropertyPath } from '../../lib/hashing/ignore-paths.js';

interface Database {
  readonly url: string;
  query(text: string): Promise<unknown>;
}

interface Context {
  readonly db: Database;
  readonly user?: { readonly id: number; readonly tags: string[] } | undefined;
}

interface Tree {
  readonly left: Tree;
  readonly right?: Tree;
  readonly value: number;
}

expectTypeOf<ArgumentIndex<[id: number, db?: Database]>>().toEqualTypeOf<0 | 1>();
expectTypeOf<ArgumentIndex<[]>>().toEqualTypeOf<never>();
expectTypeOf<ArgumentIndex<[string, ...number[]]>>().toEqualTypeOf<number>();

expectTypeOf<PropertyPath<{ a: number; b?: { c: string } }>>().toEqualTypeOf<'a' | 'b' | 'b.c'>();
expectTypeOf<PropertyPath<{ ctx: Context }>>().toEqualTypeOf<
  'ctx' | 'ctx.db' | `ctx.db.${string}` | 'ctx.user' | 'ctx.user.id' | 'ctx.user.tags'
>();
expectTypeOf<PropertyPath<{ db: Database }>>().toEqualTypeOf<'db' | 'db.url' | 'db.query'>();
// Neither arrays nor built-ins nor functions have paths, and primitives have no names.
expectTypeOf<PropertyPath<{ a: { b: number }[]; d: Date; f: () => void }>>().toEqualTypeOf<'a' | 'd' | 'f'>();
expectTypeOf<PropertyPath<string | number | null | undefined | Date | string[]>>().toEqualTypeOf<never>();
expectTypeOf<PropertyPath<unknown>>().toEqualTypeOf<string>();
expectTypeOf<PropertyPath<Record<string, number>>>().toEqualTypeOf<string>();
// An object without known properties may have any.
expectTypeOf<PropertyPath<object>>().toEqualTypeOf<string>();
expectTypeOf<PropertyPath<{ ctx: object }>>().toEqualTypeOf<'ctx' | `ctx.${string}`>();
// Names that are numbers.
expectTypeOf<PropertyPath<{ 0: { a: number } }>>().toEqualTypeOf<'0' | '0.a'>();
// Checked three names deep; any path is accepted below.
expectTypeOf<'left.right.value'>().toExtend<PropertyPath<Tree>>();
expectTypeOf<'left.right.valve'>().not.toExtend<PropertyPath<Tree>>();
expectTypeOf<'left.right.left.right.value'>().toExtend<PropertyPath<Tree>>();
// A type with methods counts for two steps, so that what it holds is the last that is checked.
interface Request {
  readonly id: string;
  readonly session: { readonly user: { readonly id: number } };
}
interface WithMethod {
  readonly req: Request;
  log(text: string): void;
}
expectTypeOf<'ctx.req' | 'ctx.req.id' | 'ctx.req.session.user.id'>().toExtend<PropertyPath<{ ctx: WithMethod }>>();
expectTypeOf<'ctx.reg'>().not.toExtend<PropertyPath<{ ctx: { req: Request } }>>();
expectTypeOf<'req.id' | 'req.session.user.id'>().toExtend<PropertyPath<WithMethod>>();
expectTypeOf<'reg'>().not.toExtend<PropertyPath<WithMethod>>();
expectTypeOf<'reg.id'>().not.toExtend<PropertyPath<WithMethod>>();

declare function ignoring<T extends readonly unknown[]>(fn: (...args: T) => unknown, rules: readonly Ignore<T>[]): void;
declare const call: (id: number, context: Context, options?: { signal?: object; retries: number }) => void;

ignoring(call, [0, 2, 'db', 'db.url', 'user.id', 'signal', 'retries']);
// @ts-expect-error there is no fourth argument
ignoring(call, [3]);
// @ts-expect-error no argument has such a property
ignoring(call, ['dbb']);
// @ts-expect-error nor is there such a path
ignoring(call, ['db.urls']);
// @ts-expect-error a path starts at the argument, not at its name
ignoring(call, ['options.retries']);
