import { isThenable } from '../platform/promise.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { timeoutOf } from './deadline.js';
import { canDeleteByPrefix, deleteByPrefix } from './delete-by-prefix.js';
import { endEntry, isEntry } from './entry.js';
import { CLOCK_TOLERANCE, freshnessOf, remainingOf } from './freshness.js';
import { NameCache } from './name-cache.js';
import { isSharedStore, removeFrom, sizeOf, takesTtl } from './store-like.js';
import type { Deadlines } from './deadline.js';
import type { StaleWindows } from './freshness.js';
import type { Entry, Grant, SharedStore, Store } from './store.js';
import type { StoreLike } from './store-like.js';
import type { TagMarks } from './tag-marks.js';

type Kind = 'set' | 'delete' | 'expire';

/** A write, delete or expiry that the store has not answered yet. */
class Operation<V> {
  /** Timed out: the stored value is unknown. */
  isLate = false;
  /** A later operation on the key has begun. */
  isOvertaken = false;
  isSent = false;
  isSkipped = false;
  /** For an expiry: it has sent an entry to the store. */
  hasWritten = false;
  /** For a delete: entries up to this time are hidden if it fails. */
  calledAt = -Infinity;
  /** It is sent after this. */
  turn: Promise<unknown> | undefined;
  /** The store's answer, while the operation waits for its turn. */
  answer: Promise<unknown> | undefined;
  /** Resolves, never rejects, when the next operation on the key may be sent. */
  over: Promise<unknown> = Promise.resolve();

  constructor(
    readonly key: string,
    readonly kind: Kind,
    /** What calls see meanwhile; `null`: nothing, `undefined`: what the store holds. */
    public entry: Entry<V> | null | undefined,
    public send: () => unknown,
    readonly deadlines: Deadlines,
    /** Called if the operation is never sent. */
    readonly onSkipped: () => void = noop,
  ) {}

  /**
   * A write that still waits for its turn is not sent: writes to a slow store would queue up without end. An expiry is done
   * when what comes instead is.
   * @param by Left out for a clear, which waits for this one.
   */
  overtake(by?: Operation<V>): void {
    if (!this.isOvertaken && !this.isSent && (this.kind === 'set' || (this.kind === 'expire' && by !== undefined))) {
      this.isSkipped = true;
      this.entry = null;
      this.send = this.kind === 'set' ? noop : () => by?.answer;
      this.onSkipped();
    }
    this.isOvertaken = true;
  }
}

/** The times at which a key was expired. A later one must not lengthen the life of what an earlier one has ended. */
interface Expiries {
  readonly first: number;
  /** The last but one. */
  readonly before: number;
  readonly last: number;
}

/** How many deletes that failed, and how many expiries, are remembered one by one. */
const MOST_TOMBSTONES = 1_000;

/**
 * The entries of one name in one store, for all wrappers of that name.
 *
 * A store may be slow, may answer out of order and may fail, and still no call may see an entry from before a `delete`. So
 * this is a write-behind queue with one place for each key (as in the paper on Facebook's memcache, NSDI 2013, section 3.2,
 * deletes are ordered after the writes they invalidate):
 *
 * - An operation on a key is sent when the one before it has settled or timed out. A `clear` waits for all of them.
 * - Until then it is visible here: a read sees the entry of a pending write, and nothing where a delete or clear is pending.
 * - At most two operations wait for each key. A newer one replaces a write that has not been sent.
 * - A write that lands after its deadline, on top of a newer operation, is deleted again.
 * - A delete or clear that fails leaves a **tombstone**: what was stored before it stays invisible to this process.
 * - An expiry leaves a mark: what was stored before it counts as expired, also in a read that the store answers late.
 */
export class OrderedStore<V> {
  readonly #store: StoreLike<V>;
  readonly #prefix: string;
  readonly #takesTtl: boolean;
  readonly #isShared: boolean;
  /** Keeps the deadline of a read itself. */
  readonly #isTimed: boolean;
  /** False once the store has answered at once: it is in memory and compares keys as they are. */
  #carriesKeys: boolean;
  #hasAnsweredLater = false;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #marks: TagMarks;
  readonly #pending = new Map<string, Operation<V>>();
  /** When a delete failed, by key. */
  readonly #tombstones = new Map<string, number>();
  #lastTombstone = -Infinity;
  /** The time that the latest entry was stamped with. */
  #stampedAt = -Infinity;
  /** When an entry was expired, by key, in a store that answers later. */
  readonly #expiries = new Map<string, Expiries>();
  #allExpiredAt = -Infinity;
  readonly #names: NameCache;
  #clearing: Promise<unknown> | undefined;
  #isClearLate = false;
  #clearedAt = -Infinity;

  /** @param prefix Stands before every key. */
  constructor(store: StoreLike<V>, prefix: string, marks: TagMarks) {
    this.#store = store;
    this.#prefix = prefix;
    this.#names = new NameCache(prefix, () => sizeOf(store));
    this.#marks = marks;
    this.#takesTtl = takesTtl(store);
    this.#isShared = isSharedStore(store);
    this.#isTimed = this.#isShared || (store as { readonly keepsDeadlines?: unknown }).keepsDeadlines === true;
    this.#carriesKeys = !this.#isShared;
    this.#breaker = this.#isTimed ? undefined : breakerOf(store);
  }

  /** What calls see without a read: the entry of a pending write, or `null` where a delete or clear is pending. */
  pendingEntry(key: string): Entry<V> | null | undefined {
    if (this.#pending.size !== 0) {
      const operation = this.#pending.get(key);
      if (operation !== undefined && !operation.isLate)
        return operation.entry && (this.#marks.judge(operation.entry) ?? null);
    }
    return this.#clearing === undefined ? undefined : null;
  }

  /** Resolves, never rejects, when the operations on `key` have reached the store; `undefined`: they have. */
  whenFlushed(key: string): Promise<unknown> | undefined {
    const operation = this.#pending.size === 0 ? undefined : this.#pending.get(key);
    if (operation === undefined || operation.isLate) return this.#clearing;
    return Promise.all([operation.over, this.#clearing]);
  }

  /** A clear is under way for longer than the limit of one operation: calls no longer wait for it. */
  get isClearLate(): boolean {
    return this.#clearing !== undefined && this.#isClearLate;
  }

  /** @param timeout For a store that keeps deadlines itself. */
  get(key: string, timeout: number): unknown {
    if (this.#breaker?.admits() === false) {
      if (this.#breaker.isProbeDue()) void this.#probe(key, timeout);
      throw new Error('The store has not answered for a while. It is asked again within a second');
    }
    return this.#fetch(key, timeout);
  }

  /** No caller waits for it. */
  async #probe(key: string, timeout: number): Promise<void> {
    try {
      await this.#fetch(key, timeout);
    } catch {
      // An error is an answer too.
    }
    this.answered();
  }

  #fetch(key: string, timeout: number): unknown {
    const name = this.#names.of(key);
    const found = this.#isTimed ? (this.#store as SharedStore<V>).get(name, timeout) : this.#store.get(name);
    if (this.#carriesKeys) {
      if (isThenable(found)) this.#hasAnsweredLater = true;
      else this.#carriesKeys = false;
    }
    return found;
  }

  /** True where the store is known to answer later, and no process but this one can know what was invalidated in it. */
  get cannotTag(): boolean {
    return this.#carriesKeys && this.#hasAnsweredLater;
  }

  /** Reads without making the entry the most recently used one, where the store can, as lru-cache and quick-lru. */
  peek(key: string, timeout: number): unknown {
    const { peek } = this.#store as { peek?: unknown };
    if (typeof peek !== 'function') return this.get(key, timeout);
    return (peek as (name: string) => unknown).call(this.#store, this.#names.of(key));
  }

  /** The store has answered a read, be it with an error. */
  answered(): void {
    this.#breaker?.succeeded();
  }

  /** The store has not answered a read in time, and this process was not busy. */
  hung(): void {
    this.#breaker?.failed();
  }

  /**
   * The entry as calls may see it: `undefined` from before a `delete` or `clear` that the store may not have carried out,
   * or where one of its tags was invalidated; expired from before an `expire`.
   * @throws {TypeError} for the entry of another key, from a store that compares keys without case, accents or blanks.
   */
  visible(key: string, stored: Entry<V>): Entry<V> | undefined {
    if (stored.tags !== undefined && this.cannotTag) return undefined;
    // Where processes share a store, it has judged the tags by its own clock.
    const entry = this.#isShared ? stored : this.#marks.judge(stored);
    if (entry === undefined) return undefined;
    if (entry.key !== undefined && entry.key !== this.#names.of(key)) {
      throw new TypeError(
        `Expected the store to compare keys exactly, got the entry of another key: wrap the store in \`digestKeys\``,
      );
    }
    const { storedAt } = entry;
    if (storedAt <= this.#clearedAt) return undefined;
    if (this.#tombstones.size !== 0 && storedAt <= (this.#tombstones.get(key) ?? -Infinity)) return undefined;
    if (this.#expiries.size === 0 && this.#allExpiredAt === -Infinity) return entry;
    const endedAt = storedAt <= this.#allExpiredAt ? storedAt : endOf(storedAt, this.#expiries.get(key));
    return endedAt === undefined ? entry : endEntry(entry, Math.min(endedAt, Date.now()));
  }

  /** The time to stamp a new entry with; later than any tombstone. */
  stamp(): number {
    this.#stampedAt = Math.max(Date.now(), this.#clearedAt + 1, this.#lastTombstone + 1);
    return this.#stampedAt;
  }

  /** The time of a delete, clear or expiry: no entry that counts was stamped later. */
  #moment(): number {
    const now = Date.now();
    return Math.max(now, Math.min(this.#stampedAt, now + CLOCK_TOLERANCE));
  }

  set(key: string, entry: Entry<V>, ttl: number | undefined, deadlines: Deadlines): unknown {
    const name = this.#names.of(key);
    const send = (): unknown => this.#write(name, entry, ttl, deadlines);
    return this.#call(new Operation(key, 'set', entry, send, deadlines));
  }

  #write(name: string, entry: Entry<V>, ttl: number | undefined, { limit }: Deadlines): unknown {
    const kept: Entry<V> = this.#carriesKeys ? Object.assign({ key: name }, entry) : entry;
    if (this.#isTimed) return (this.#store as SharedStore<V>).set(name, kept, ttl, limit);
    return this.#takesTtl ? (this.#store as Store<V>).set(name, kept, ttl) : this.#store.set(name, kept);
  }

  /** A write by a grant, which is given back if a later operation makes the write pointless before it is sent. */
  commit(key: string, entry: Entry<V>, ttl: number | undefined, grant: Grant<V>, deadlines: Deadlines): unknown {
    const giveBack = (): void => grant.release('again');
    return this.#call(new Operation(key, 'set', entry, () => grant.commit(entry, ttl), deadlines, giveBack));
  }

  delete(key: string, deadlines: Deadlines): unknown {
    const send = (): unknown => this.#forget(this.#prefix + key, deadlines);
    const operation = new Operation<V>(key, 'delete', null, send, deadlines);
    operation.calledAt = this.#moment();
    return this.#call(operation);
  }

  /** End the `ttl` of what is stored. True where there was an entry of use. */
  expire(key: string, windows: StaleWindows, deadlines: Deadlines): unknown {
    const pending = this.pendingEntry(key);
    const calledAt = Date.now();
    // A method of that name of a user's store may be anything.
    const expire = this.#isTimed ? (this.#store as Partial<SharedStore<V>>).expire : undefined;
    if (pending !== undefined && pending !== null && expire === undefined) {
      const entry = endEntry(pending, calledAt);
      const written = this.set(key, entry, remainingOf(entry, calledAt, windows), deadlines);
      return isThenable(written) ? written.then(() => true) : true;
    }
    const window = Math.max(windows.staleWhileRevalidate, windows.staleIfError);
    const send = (): unknown => {
      if (expire === undefined) return this.#expireStored(operation, windows);
      operation.hasWritten = true;
      return expire.call(this.#store, this.#names.of(key), { window, timeout: deadlines.limit });
    };
    // Where a delete or clear is pending it may fail, and calls see nothing meanwhile.
    const seen = pending === null ? null : undefined;
    const operation = new Operation<V>(key, 'expire', seen, send, deadlines);
    const mark = this.#moment();
    const expired = this.#call(operation);
    // In a store that answers at once nothing can be read from before, and a delete or clear leaves a tombstone if it fails.
    if (isThenable(expired) && seen === undefined) this.#markExpired(key, mark);
    return expired;
  }

  /** For a store that has no `expire`: what is read is written again. */
  #expireStored(operation: Operation<V>, windows: StaleWindows): unknown {
    const { key, deadlines } = operation;
    const name = this.#names.of(key);
    const write = (found: unknown): unknown => {
      // A later operation may have replaced or deleted what was read.
      if (operation.isLate) return false;
      const stored = isEntry(found) ? this.visible(key, found) : undefined;
      const now = Date.now();
      if (stored === undefined || freshnessOf(stored, now, windows) === 'expired') return false;
      const entry = endEntry(stored, now);
      operation.hasWritten = true;
      const written = this.#write(name, entry, remainingOf(entry, now, windows), deadlines);
      return isThenable(written) ? written.then(() => true) : true;
    };
    // Also while calls do not ask the store: like every control this one has to try.
    const found = this.#fetch(key, deadlines.limit);
    return isThenable(found) ? found.then(write) : write(found);
  }

  #markExpired(key: string, at: number): void {
    this.#lastTombstone = Math.max(this.#lastTombstone, at);
    if (this.#expiries.size >= MOST_TOMBSTONES) {
      // Too much is expired, which costs runs.
      this.#allExpiredAt = at;
      this.#expiries.clear();
    }
    const before = this.#expiries.get(key);
    const [first = at, last = -Infinity] = [before?.first, before?.last];
    this.#expiries.set(key, { first, before: last, last: Math.max(last, at) });
  }

  /** Forget every entry under the prefix and nothing else. Later operations wait for it; reads see nothing meanwhile. */
  clear(deadlines: Deadlines): Promise<void> {
    const before = [...this.#pending.values()].map((operation) => {
      operation.overtake();
      return operation.over;
    });
    if (this.#clearing !== undefined) before.push(this.#clearing);
    this.#pending.clear();
    this.#names.forget();
    // Keyv's `iterator` lists nothing where its adapter cannot.
    if (typeof this.#store.deleteByPrefix !== 'function' && typeof this.#store.keys !== 'function') this.#bury();
    let finish = noop;
    const clearing = new Promise<void>((resolve) => (finish = resolve));
    this.#clearing = clearing;
    this.#isClearLate = false;
    const deadline = deadlines.start(() => {
      if (this.#clearing === clearing) this.#isClearLate = true;
    });
    return this.#clear(before, deadlines).finally(() => {
      deadline.stop();
      if (this.#clearing === clearing) this.#clearing = undefined;
      finish();
    });
  }

  async #clear(before: readonly Promise<unknown>[], deadlines: Deadlines): Promise<void> {
    const calledAt = this.#moment();
    try {
      if (before.length > 0) await Promise.all(before);
      // A shared store scans in many steps, each with a deadline of its own.
      if (!canDeleteByPrefix(this.#store)) return;
      if (this.#isTimed) await (this.#store as SharedStore<V>).deleteByPrefix(this.#prefix, deadlines.limit);
      else await deleteByPrefix(this.#store, this.#prefix, deadlines);
    } catch (error) {
      this.#bury(calledAt);
      throw error;
    }
  }

  /** A tombstone for all keys. */
  #bury(at: number = this.#moment()): void {
    this.#clearedAt = Math.max(this.#clearedAt, at);
  }

  /** A tombstone for one key. It goes with the next operation on the key that the store carries out. */
  #buryKey(key: string, at: number): void {
    this.#lastTombstone = Math.max(this.#lastTombstone, at);
    if (this.#tombstones.size >= MOST_TOMBSTONES) {
      // Forgets too much, which costs runs; to forget too little would bring deleted entries back.
      this.#bury();
      this.#tombstones.clear();
    } else this.#tombstones.set(key, at);
  }

  #forget(name: string, { limit }: Deadlines): unknown {
    const store = this.#store;
    if (this.#isShared) return (store as SharedStore<V>).delete(name, limit);
    return removeFrom(store, name);
  }

  #call(operation: Operation<V>): unknown {
    const before = this.#pending.get(operation.key);
    const clearing = this.#clearing;
    if (before === undefined && clearing === undefined) return this.#send(operation);
    // One delete is enough while it waits for its turn.
    if (before?.kind === 'delete' && operation.kind === 'delete' && !before.isSent) return before.answer;
    before?.overtake(operation);
    this.#pending.set(operation.key, operation);
    const turn = before?.isSkipped === true ? before.turn : before?.over;
    operation.turn = turn !== undefined && clearing === undefined ? turn : Promise.all([turn, clearing]);
    const sent = operation.turn.then(() => this.#send(operation));
    operation.answer = sent;
    operation.over = sent.then(noop, noop);
    return sent;
  }

  #send(operation: Operation<V>): unknown {
    let answer: unknown;
    let comesLater: boolean;
    operation.isSent = true;
    try {
      answer = operation.send();
      comesLater = isThenable(answer);
    } catch (error) {
      this.#failed(operation);
      throw error;
    }
    if (!comesLater) {
      this.#succeeded(operation);
      return answer;
    }
    // A write that never settles must not keep its entry for good.
    operation.send = noop;
    if (!operation.isOvertaken) this.#pending.set(operation.key, operation);
    const settled = this.#await(operation, answer);
    operation.over = settled.then(noop, noop);
    return settled;
  }

  #await(operation: Operation<V>, answer: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const deadline = operation.deadlines.start(() => {
        operation.isLate = true;
        operation.entry = null;
        this.#leaveTombstone(operation);
        reject(timeoutOf(operation.kind, operation.deadlines));
      });
      // Not `Promise.resolve`: a `then` that throws must settle the operation too.
      new Promise((adopt) => adopt(answer)).then(
        (value) => {
          deadline.stop();
          const mustForget = this.#hasLandedLate(operation);
          this.#succeeded(operation);
          resolve(value);
          if (mustForget) this.#forgetAgain(operation);
        },
        (error: unknown) => {
          deadline.stop();
          // It may have been carried out all the same.
          const mustForget = this.#hasLandedLate(operation);
          this.#failed(operation);
          reject(error);
          if (mustForget) this.#forgetAgain(operation);
        },
      );
    });
  }

  /** A write on top of a newer operation. A shared store refuses one that a fence has overtaken. */
  #hasLandedLate({ isLate, isOvertaken, kind, hasWritten }: Operation<V>): boolean {
    return isLate && isOvertaken && (kind === 'set' || hasWritten) && !this.#isShared;
  }

  /** A timed-out write completed after a newer operation, so the key is deleted again. */
  #forgetAgain({ key, deadlines }: Operation<V>): void {
    try {
      const deleted = this.delete(key, deadlines);
      if (isThenable(deleted)) deleted.then(noop, noop);
    } catch {
      // The store refuses deletes, and has said so to the caller of the newer operation. A tombstone is left.
    }
  }

  #succeeded(operation: Operation<V>): void {
    // An answer that comes late may belong to a delete that was carried out before a write of another process.
    if (operation.kind !== 'expire' && !operation.isOvertaken) {
      if (this.#tombstones.size !== 0) this.#tombstones.delete(operation.key);
      if (this.#expiries.size !== 0) this.#expiries.delete(operation.key);
    }
    this.#settle(operation);
  }

  #failed(operation: Operation<V>): void {
    if (!operation.isLate) this.#leaveTombstone(operation);
    this.#settle(operation);
  }

  #leaveTombstone({ key, kind, calledAt }: Operation<V>): void {
    if (kind === 'delete') this.#buryKey(key, calledAt);
  }

  #settle(operation: Operation<V>): void {
    if (this.#pending.get(operation.key) === operation) this.#pending.delete(operation.key);
  }
}

/** When an entry of that time was ended; `undefined`: by none of these. Too early rather than too late, where it is not known. */
function endOf(storedAt: number, expiries: Expiries | undefined): number | undefined {
  if (expiries === undefined || storedAt > expiries.last) return undefined;
  if (storedAt <= expiries.first) return expiries.first;
  return storedAt <= expiries.before ? storedAt : expiries.last;
}

/** One for each store, whatever the names of the wrappers on it. */
function breakerOf(store: object): CircuitBreaker {
  let breaker = breakers.get(store);
  if (breaker === undefined) breakers.set(store, (breaker = new CircuitBreaker()));
  return breaker;
}

const breakers = new WeakMap<object, CircuitBreaker>();

function noop(): void {}
