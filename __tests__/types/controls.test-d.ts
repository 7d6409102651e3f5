import { expectTypeOf } from 'expect-type';
import { memoizeAsync } from 'aiocachetools';
import type { Memoized, MemoizeEvent, Stats } from 'aiocachetools';

interface User {
  readonly id: number;
}
declare const fetchUser: (id: number, db: { readonly url: string }, trace?: string) => Promise<User | null>;
const getUser = memoizeAsync(fetchUser, { ignore: [1] });

// --- arguments: whole for those that may run, fewer for those that only look ---

expectTypeOf(getUser.keyOf(7)).toEqualTypeOf<string>();
expectTypeOf(getUser.has(7)).toEqualTypeOf<Promise<boolean>>();
expectTypeOf(getUser.peek(7)).toEqualTypeOf<Promise<User | null | undefined>>();
expectTypeOf(getUser.delete(7)).toEqualTypeOf<Promise<boolean>>();
void getUser.delete();
void getUser.delete(7, { url: '' });
void getUser.delete(7, undefined, 'trace');
expectTypeOf(getUser.refresh(7, { url: '' })).toEqualTypeOf<Promise<User | null>>();
expectTypeOf(getUser.prime([7, { url: '' }], { id: 7 })).toEqualTypeOf<Promise<void>>();
void getUser.prime([7, { url: '' }, 'trace'], null);
void getUser.prime([7, { url: '' }], Promise.resolve({ id: 7 }));
expectTypeOf(getUser.clear()).toEqualTypeOf<Promise<void>>();
expectTypeOf(getUser.settled()).toEqualTypeOf<Promise<void>>();
expectTypeOf(getUser.stats()).toEqualTypeOf<Stats>();
expectTypeOf(getUser.original).toEqualTypeOf<typeof fetchUser>();

// @ts-expect-error -- the first argument is a number
void getUser.delete('7');
// @ts-expect-error -- no such argument
void getUser.delete(7, { url: '' }, 'trace', 5);
// @ts-expect-error -- the first argument is a number
getUser.keyOf('7');
// @ts-expect-error -- a run needs its database
void getUser.refresh(7);
// @ts-expect-error -- what is primed stands for a whole call
void getUser.prime([7], { id: 7 });
// @ts-expect-error -- the arguments come as a list
void getUser.prime(7, { id: 7 });
// @ts-expect-error -- not what the function returns
void getUser.prime([7, { url: '' }], 'Ada');
// @ts-expect-error -- a value is needed
void getUser.prime([7, { url: '' }]);
// @ts-expect-error -- all or one, but nothing in between
void getUser.clear(7);

// --- for a receiver ---

const ofReceiver = getUser.for(new Date());
expectTypeOf(ofReceiver.peek(7)).toEqualTypeOf<Promise<User | null | undefined>>();
expectTypeOf(ofReceiver.prime([7, { url: '' }], null)).toEqualTypeOf<Promise<void>>();
expectTypeOf(ofReceiver.stats()).toEqualTypeOf<Stats>();
// @ts-expect-error -- the first argument is a number
void ofReceiver.delete('7');

// --- overloads: what any of them takes; results of the last ---

declare function load(id: number): Promise<User>;
declare function load(name: string, exact: boolean): Promise<User[]>;
const loadOnce = memoizeAsync(load);
void loadOnce.delete(7);
void loadOnce.delete('Ada');
void loadOnce.delete('Ada', true);
expectTypeOf(loadOnce.keyOf('Ada', true)).toEqualTypeOf<string>();
// @ts-expect-error -- no overload
void loadOnce.delete(true);

// --- functions that are not async, generic ones, those with `this` ---

const double = memoizeAsync((value: number) => value * 2);
expectTypeOf(double.peek(1)).toEqualTypeOf<Promise<number | undefined>>();
expectTypeOf(double.refresh(1)).toEqualTypeOf<Promise<number>>();
void double.prime([1], 2);

const echo = memoizeAsync(async <T extends string>(value: T) => value);
void echo.delete('x');
// @ts-expect-error -- the constraint holds
void echo.delete(5);

const method = memoizeAsync(async function (this: Date, id: number) {
  return this.getTime() + id;
});
// Controls take no `this`: the receiver is named by `for`.
void method.delete(7);
void method.for(new Date()).refresh(7);

// --- the members cannot be replaced ---

// @ts-expect-error -- the store is chosen once
getUser.cache = null;
// @ts-expect-error -- so is the function
getUser.original = fetchUser;

// A wrapper can be passed on as what it is.
function invalidate(fetcher: Memoized<(id: number) => Promise<User>>): Promise<boolean> {
  return fetcher.delete(1);
}
void invalidate(memoizeAsync(async (id: number): Promise<User> => ({ id })));

// --- events ---

declare const event: MemoizeEvent;
expectTypeOf(event.name).toEqualTypeOf<string>();
expectTypeOf(event.key).toEqualTypeOf<string>();
expectTypeOf(event.type).toEqualTypeOf<
  'hit' | 'stale' | 'join' | 'miss' | 'run' | 'fallback' | 'discard' | 'timeout' | 'abort' | 'store-error' | 'unleased'
>();
switch (event.type) {
  case 'run':
    expectTypeOf(event.duration).toEqualTypeOf<number>();
    expectTypeOf(event.outcome).toEqualTypeOf<'fulfilled' | 'rejected' | 'timeout' | 'aborted'>();
    break;
  case 'fallback':
    expectTypeOf(event.reason).toEqualTypeOf<'error' | 'soft-timeout' | 'timeout'>();
    break;
  case 'store-error':
    expectTypeOf(event.operation).toEqualTypeOf<'get' | 'set' | 'delete' | 'clear'>();
    expectTypeOf(event.error).toEqualTypeOf<unknown>();
    break;
  case 'unleased':
    expectTypeOf(event.reason).toEqualTypeOf<string>();
    break;
  case 'hit':
  case 'stale':
  case 'join':
  case 'miss':
  case 'discard':
  case 'timeout':
  case 'abort':
    // @ts-expect-error -- these have no duration
    void event.duration;
    break;
  default:
    expectTypeOf(event).toEqualTypeOf<never>();
}
// @ts-expect-error -- an event is not to be changed
event.key = '';
declare const stats: Stats;
expectTypeOf(stats[keyOfStats]).toEqualTypeOf<number>();
declare const keyOfStats: keyof Stats;
expectTypeOf(keyOfStats).toEqualTypeOf<
  | 'hits'
  | 'stale'
  | 'joins'
  | 'misses'
  | 'runs'
  | 'errors'
  | 'fallbacks'
  | 'discards'
  | 'timeouts'
  | 'aborts'
  | 'storeErrors'
  | 'unleased'
  | 'inFlight'
>();
