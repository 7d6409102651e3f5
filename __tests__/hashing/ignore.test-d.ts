import { expectTypeOf } from 'expect-type';
import type { ArgIndex, Ignore, PropName } from '../../lib/hashing/ignore.js';

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

expectTypeOf<ArgIndex<[id: number, db?: Database]>>().toEqualTypeOf<0 | 1>();
expectTypeOf<ArgIndex<[]>>().toEqualTypeOf<never>();
expectTypeOf<ArgIndex<[string, ...number[]]>>().toEqualTypeOf<number>();

expectTypeOf<PropName<{ a: number; b?: { c: string } }>>().toEqualTypeOf<'a' | 'b' | 'b.c'>();
expectTypeOf<PropName<{ ctx: Context }>>().toEqualTypeOf<
  'ctx' | 'ctx.db' | 'ctx.user' | 'ctx.user.id' | 'ctx.user.tags'
>();
expectTypeOf<PropName<{ db: Database }>>().toEqualTypeOf<'db' | 'db.url' | 'db.query'>();
// Neither arrays nor built-ins nor functions have paths, and primitives have no names.
expectTypeOf<PropName<{ a: { b: number }[]; d: Date; f: () => void }>>().toEqualTypeOf<'a' | 'd' | 'f'>();
expectTypeOf<PropName<string | number | null | undefined | Date | string[]>>().toEqualTypeOf<never>();
expectTypeOf<PropName<unknown>>().toEqualTypeOf<string>();
expectTypeOf<PropName<Record<string, number>>>().toEqualTypeOf<string>();
// Three names deep, and no deeper.
expectTypeOf<'left.right.value'>().toExtend<PropName<Tree>>();
expectTypeOf<'left.right.left.value'>().not.toExtend<PropName<Tree>>();

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
