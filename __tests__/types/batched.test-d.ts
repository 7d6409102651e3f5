import { expectTypeOf } from 'expect-type';
import { batched, memoizeAsync } from 'aiocachetools';
import type { Memoized } from 'aiocachetools';

interface User {
  readonly id: number;
  readonly name: string;
}

/** Without the types of any host. */
interface Signal {
  readonly aborted: boolean;
}

declare function loadArray(ids: readonly number[]): Promise<User[]>;
declare function loadMixed(ids: readonly number[]): Promise<(User | Error)[]>;
declare function loadMap(ids: readonly number[]): Promise<Map<number, User>>;
declare function loadMixedMap(ids: readonly number[]): Promise<ReadonlyMap<number, User | Error>>;
declare function loadMutable(ids: number[]): Promise<readonly User[]>;
declare function loadWith(
  ids: readonly number[],
  tenant: string,
  options?: { readonly signal?: Signal },
): Promise<User[]>;

// --- what the function of one item is ---

expectTypeOf(batched(loadArray)).toEqualTypeOf<(item: number) => Promise<User>>();
expectTypeOf(batched(loadMap)).toEqualTypeOf<(item: number) => Promise<User>>();
expectTypeOf(batched(loadMutable)).toEqualTypeOf<(item: number) => Promise<User>>();
// An error is delivered as a rejection, so it is no value.
expectTypeOf(batched(loadMixed)).toEqualTypeOf<(item: number) => Promise<User>>();
expectTypeOf(batched(loadMixedMap)).toEqualTypeOf<(item: number) => Promise<User>>();
expectTypeOf(batched(loadWith)).toEqualTypeOf<
  (item: number, tenant: string, options?: { readonly signal?: Signal }) => Promise<User>
>();
expectTypeOf(batched(async (ids: readonly string[], _scale: number) => ids.map((id) => id.length))).toEqualTypeOf<
  (item: string, scale: number) => Promise<number>
>();
expectTypeOf(batched(async (ids: number[]) => new Map(ids.map((id) => [id, String(id)])))).toEqualTypeOf<
  (item: number) => Promise<string>
>();

// `undefined` and `null` are values.
declare function loadSome(ids: readonly number[]): Promise<(User | undefined)[]>;
expectTypeOf(batched(loadSome)(1)).resolves.toEqualTypeOf<User | undefined>();

// --- with memoizeAsync ---

const getUser = memoizeAsync(batched(loadWith), { name: 'getUser', ignore: [1], ttl: (user, id) => user.id + id });
expectTypeOf(getUser).toEqualTypeOf<
  Memoized<(item: number, tenant: string, options?: { readonly signal?: Signal }) => Promise<User>>
>();
expectTypeOf(getUser.peek(1)).resolves.toEqualTypeOf<User | undefined>();

// --- what is refused ---

// @ts-expect-error -- the item is a number
void batched(loadArray)('1');
// @ts-expect-error -- the tenant is needed
void batched(loadWith)(1);
// @ts-expect-error -- a batch function takes a list
batched(async (id: number) => [id]);
// @ts-expect-error -- one value is no list of values
batched(async (ids: number[]) => ids.length);
// @ts-expect-error -- a batch function returns a promise
batched((ids: number[]) => ids);
// @ts-expect-error -- the keys of the Map are the items
batched(async (ids: number[]) => new Map(ids.map((id) => [String(id), id])));
// @ts-expect-error -- no such option
batched(loadArray, { max: 5 });
// @ts-expect-error -- a number
batched(loadArray, { maxSize: '5' });
batched(loadArray, { maxSize: undefined, wait: 5 });
