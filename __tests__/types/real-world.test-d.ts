import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { expectTypeOf } from 'expect-type';
import { flow, pipe } from 'fp-ts/lib/function.js';
import * as R from 'ramda';
import * as remeda from 'remeda';
import { createMemoizer, memoizeAsync, memoizeMethods } from 'aiocachetools';
import type { Memoized } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

// --- functions of the host ---

const read = memoizeAsync(readFile);
expectTypeOf(read('a', 'utf8')).resolves.toEqualTypeOf<string>();
void read.delete('a');
void read.delete('a', 'utf8');
expectTypeOf(read.peek('a')).resolves.toExtend<string | Uint8Array | undefined>();
const execute = memoizeAsync(promisify(execFile));
expectTypeOf(execute('ls')).resolves.toExtend<{ stdout: string }>();
void execute.delete('ls', ['-l']);
const fetchOnce = memoizeAsync(fetch, {
  keyOf: (input) => (input instanceof Request ? input.url : input),
  ttl: (response) => (response.ok ? 5 : 0),
});
void fetchOnce.delete('/');
const get: typeof fetch = memoizeAsync(fetch);
void get('/', { method: 'GET' });

// --- mocks ---

const mock = jest.fn(async (id: number): Promise<User> => ({ id, name: 'Ada' }));
const mocked = memoizeAsync(mock);
expectTypeOf(mocked(1)).toEqualTypeOf<Promise<User>>();
expectTypeOf(mocked.original.mock.calls).toEqualTypeOf<[id: number][]>();
expectTypeOf(mocked.mock).toEqualTypeOf<never>();
const typedMock = memoizeAsync(jest.fn<(id: number) => Promise<User>>());
expectTypeOf(typedMock.peek(1)).resolves.toEqualTypeOf<User | undefined>();
const syncMock = memoizeAsync(jest.fn((id: number) => id));
expectTypeOf(syncMock(1)).toEqualTypeOf<Promise<number>>();

// --- results that a schema infers ---

interface Schema<Output> {
  readonly _output: Output;
  parse(data: unknown): Output;
  parseAsync(data: unknown): Promise<Output>;
  catch(value: Output): Schema<Output>;
}
type Infer<S extends Schema<unknown>> = S['_output'];
declare const userSchema: Schema<User>;
const parsed = memoizeAsync(async (id: number): Promise<Infer<typeof userSchema>> => userSchema.parse({ id }));
expectTypeOf(parsed.peek(1)).resolves.toEqualTypeOf<User | undefined>();
const checked = memoizeAsync(
  async <S extends Schema<unknown>>(schema: S, data: unknown): Promise<Infer<S>> => schema.parse(data),
  { ignore: [0] },
);
expectTypeOf(checked(userSchema, 5)).resolves.toEqualTypeOf<User>();
// A function that returns a schema is not taken for one that returns a promise, though it has a `catch`.
expectTypeOf(memoizeAsync((_name: string) => userSchema)('user')).toEqualTypeOf<Promise<Schema<User>>>();
const validate = memoizeMethods(userSchema, { parseAsync: {} });
expectTypeOf(validate.parseAsync({})).toEqualTypeOf<Promise<User>>();

// --- a client with hooks, as ky and undici have them ---

interface KyResponse<T> {
  json(): Promise<T>;
}
interface KyPromise<T> extends Promise<KyResponse<T>> {
  json<J = T>(): Promise<J>;
}
interface Ky {
  <T>(url: string, options?: { readonly retry?: number }): KyPromise<T>;
  get<T>(url: string): KyPromise<T>;
  create(): Ky;
}
declare const ky: Ky;
expectTypeOf(memoizeAsync(async (url: string) => ky.get<User>(url).json())('/')).toEqualTypeOf<Promise<User>>();
const kyOnce = memoizeAsync(ky);
// eslint-disable-next-line @typescript-eslint/unbound-method -- only its type is looked at
expectTypeOf(kyOnce.create).toEqualTypeOf<never>();
void kyOnce.delete('/');
expectTypeOf(memoizeMethods(ky, { get: {} }).get<User>('/')).resolves.toEqualTypeOf<KyResponse<User>>();

// --- methods, fields and `this` ---

class Repository {
  readonly table = 'users';
  readonly byId = memoizeAsync(async (id: number): Promise<User> => ({ id, name: this.table }));
  readonly all = memoizeAsync((): readonly User[] => []);
  find = memoizeAsync(this.findNow.bind(this));
  async findNow(name: string): Promise<User | null> {
    return name === '' ? null : { id: 1, name };
  }
  async self(): Promise<this> {
    return this;
  }
  identity<T>(value: T): T {
    return value;
  }
}
declare const repository: Repository;
expectTypeOf(repository.byId(1)).resolves.toEqualTypeOf<User>();
expectTypeOf(repository.all()).resolves.toEqualTypeOf<readonly User[]>();
expectTypeOf(repository.find('Ada')).resolves.toEqualTypeOf<User | null>();
const memoizedRepository = memoizeMethods(repository, { findNow: {}, self: {} });
expectTypeOf(memoizedRepository.findNow('Ada')).resolves.toEqualTypeOf<User | null>();
expectTypeOf(memoizedRepository.self()).resolves.toExtend<Repository>();
// @ts-expect-error -- a method that returns its argument returns no promise
memoizeMethods(repository, { identity: {} });

// --- loaders in a record, and in generic containers ---

const loaders = { user: memoizeAsync(async (id: number) => ({ id })), count: memoizeAsync(() => 1) };
void loaders.count();
expectTypeOf<Awaited<ReturnType<typeof loaders.user>>>().toEqualTypeOf<{ id: number }>();
expectTypeOf<Parameters<typeof loaders.user>>().toEqualTypeOf<[id: number]>();
const byName: Record<string, (id: number) => Promise<User>> = { a: memoizeAsync(async (id) => ({ id, name: 'a' })) };
const listed: ((id: number) => User | Promise<User>)[] = [memoizeAsync(async (id) => ({ id, name: 'a' }))];
const mapped = ['a', 'b'].map((name) => memoizeAsync(async (id: number) => ({ id, name })));
expectTypeOf(mapped).toExtend<Memoized<(id: number) => Promise<User>>[]>();
function create(load: (id: number) => Promise<User>): (id: number) => Promise<User> {
  return memoizeAsync(async (id) => load(id));
}
const conditional: (id: number) => Promise<User> =
  Math.random() > 0.5 ? memoizeAsync(create(async (id) => ({ id, name: '' }))) : async (id) => ({ id, name: '' });
void [byName, listed, conditional];
// The generic function of a data source.
function source<T extends { readonly id: number }>(rows: readonly T[]) {
  return memoizeAsync(async (id: T['id']): Promise<T | undefined> => rows.find((row) => row.id === id), {
    ttl: (row) => row?.id ?? 0,
  });
}
expectTypeOf(source([{ id: 1, name: 'Ada' }])(1)).resolves.toEqualTypeOf<{ id: number; name: string } | undefined>();

// --- leaving out what has methods ---

interface Context {
  readonly req: { readonly id: string; readonly headers: { readonly host: string } };
  log(text: string): void;
}
const withContext = async (id: number, input: { readonly ctx: Context }) => id + input.ctx.req.id.length;
memoizeAsync(withContext, { ignore: ['ctx.req.id', 'ctx.req.headers.host'] });
// @ts-expect-error -- what the budget reaches is checked
memoizeAsync(withContext, { ignore: ['cxt.req.id'] });
const generic = async <T extends object>(value: T) => value;
memoizeAsync(generic, { ignore: ['db.url'] });

// --- pipes ---

const wrapped = createMemoizer({ name: 'real' });
expectTypeOf(pipe(mock, memoizeAsync({ ttl: 1 }))(1)).toEqualTypeOf<Promise<User>>();
expectTypeOf(remeda.pipe((url: string) => ky<User>(url), memoizeAsync({ ttl: 1 }))('/')).toEqualTypeOf<
  Promise<KyResponse<User>>
>();
expectTypeOf(pipe(<T>(value: T) => value, wrapped({ ttl: 1 }))(1)).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(flow((n: number) => async (m: number) => n + m, memoizeAsync({ ttl: 1 }))(1)(2)).toEqualTypeOf<
  Promise<number>
>();
expectTypeOf(R.pipe((n: number) => async (m: number) => n + m, wrapped({ ttl: 1 }))(1)(2)).toEqualTypeOf<
  Promise<number>
>();
