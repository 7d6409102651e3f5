import { Batch } from './batch/batch.js';
import { abortedSignal, findSignals } from './in-flight/signals.js';
import { isPlainObject } from './platform/plain-object.js';
import { show } from './platform/show.js';
import { LONGEST_DELAY } from './platform/timer.js';
import type { BatchFunction, BatchLimits } from './batch/batch.js';

/** Options of `batched`. */
export interface BatchOptions {
  /**
   * The most items of one batch, a whole number > 0. A full batch does not wait any longer, and the next call opens
   * another one.
   *
   * @default Infinity
   */
  readonly maxSize?: number | undefined;
  /**
   * How long a batch collects items after its first one, in milliseconds. `0`: until the end of this turn of the event
   * loop, after all promise jobs. Misses of a store that answers each read on its own, or grants leases one by one as
   * `redisStore` does, can arrive in several turns; some milliseconds collect over them.
   *
   * @default 0
   */
  readonly wait?: number | undefined;
}

/**
 * A function of one item that collects the items of concurrent calls and asks `fn` once for all of them. Around it,
 * `memoizeAsync` asks only for what is missing, and only once for each key.
 *
 * `fn` returns an array with the value of each item at its position, or a Map from the items to their values. An `Error`
 * in it rejects the call of that item alone; an item that is not in the Map has the value `undefined`. Where `fn` fails,
 * each call of the batch rejects with that error, and with a `TypeError` where the array has another length.
 *
 * Calls with other arguments after the item, compared by `Object.is`, or with another `this` are another batch. Signals
 * are not compared, and an object with a `signal` property is compared by its other properties. A call whose signal
 * aborts rejects at once and leaves its batch: it is not in what `fn` is asked for, if that has not been called yet. The
 * signal that `fn` gets aborts when the last call has left; a call without a signal never leaves. Behind an
 * asynchronous store plain objects are copied for each call, so there each of them makes a batch of its own; instances and
 * primitives do not.
 *
 * `fn` runs in the asynchronous context (`AsyncLocalStorage`) of the first call in the batch. So where the calls come
 * from several contexts, only the first one's counts. Items are passed on as they are, so the same item twice is
 * in the batch twice, and an object that is changed before `fn` is called is seen changed.
 *
 * @throws {TypeError} at once, for a non-function, an unknown option or one of the wrong kind.
 * @example
 * const loadUsers = async (ids: readonly number[]) => {
 *   const users = await db.query('SELECT * FROM users WHERE id = ANY($1)', [ids]);
 *   return new Map(users.map((user) => [user.id, user]));
 * };
 * const getUser = memoizeAsync(batched(loadUsers), { name: 'getUser', ttl: 60_000 });
 * await Promise.all([getUser(1), getUser(2), getUser(1)]); // one query, for 1 and 2
 */
export function batched<Item, Value, Rest extends unknown[]>(
  fn: (items: Item[], ...rest: Rest) => Promise<readonly (Value | Error)[] | ReadonlyMap<Item, Value | Error>>,
  options: BatchOptions = {},
): (item: Item, ...rest: Rest) => Promise<Value> {
  if (typeof fn !== 'function') throw new TypeError(`Expected a function that takes items, got ${show(fn)}`);
  const limits = resolveLimits(options);
  const open = new Set<Batch<Item, Value>>();
  const single = function (this: unknown, item: Item, ...rest: Rest): Promise<Value> {
    // What is thrown in here rejects the promise.
    return new Promise<Value>((resolve, reject) => {
      const signals = findSignals([item, ...rest]);
      const aborted = signals && abortedSignal(signals);
      if (aborted !== undefined) return reject(aborted.reason);
      let batch = [...open].find((candidate) => candidate.accepts(this, rest));
      if (batch === undefined)
        open.add((batch = new Batch(fn as BatchFunction<Item>, limits, (closed) => open.delete(closed))));
      batch.add({ receiver: this, item, rest, resolve, reject }, signals);
    });
  };
  return Object.defineProperties(single, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
}

function resolveLimits(options: unknown): BatchLimits {
  if (!isPlainObject(options)) throw new TypeError(`Expected options to be a plain object, got ${show(options)}`);
  const limits = { maxSize: Infinity, wait: 0 };
  for (const option of Reflect.ownKeys(options)) {
    const value = options[option];
    if (option !== 'maxSize' && option !== 'wait') {
      throw new TypeError(`Unknown option \`${String(option)}\`, got ${show(value)}`);
    }
    if (value === undefined) continue;
    const expected = checks[option](value);
    if (expected !== undefined) throw new TypeError(`Expected \`${option}\` to be ${expected}, got ${show(value)}`);
    limits[option] = value as number;
  }
  return limits;
}

/** What is wrong with a value, as the end of "Expected `option` to be …"; `undefined` where it is right. */
const checks: { readonly [Option in keyof BatchLimits]: (value: unknown) => string | undefined } = {
  maxSize: (value) =>
    value === Infinity || (Number.isSafeInteger(value) && (value as number) > 0) ? undefined : 'a whole number > 0',
  wait: (value) =>
    typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY
      ? undefined
      : `a number of milliseconds from 0 to ${LONGEST_DELAY}`,
};
