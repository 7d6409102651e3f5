import { TimeoutError } from '../errors.js';
import { isThenable } from '../platform/promise.js';
import { isSharedStore, listKeys, removeFrom } from './store-like.js';
import type { Deadlines } from './deadline.js';
import type { Entry, Grant, SharedStore, Store } from './store.js';
import type { StoreLike } from './store-like.js';

type Kind = 'set' | 'delete';

/** A write or delete that the store has not answered yet. */
class Operation<V> {
  /** The store has had its time; what it holds is anybody's guess. */
  isLate = false;
  /** A later operation on the key has been called for. */
  isOvertaken = false;
  isSent = false;
  isSkipped = false;
  /** What it waits for before it is sent. */
  turn: Promise<unknown> | undefined;
  /** What the store will say, while the operation waits for its turn. */
  answer: Promise<unknown> | undefined;
  /** Resolves, never rejects, when the next operation on the key may be sent. */
  over: Promise<unknown> = Promise.resolve();

  constructor(
    readonly key: string,
    readonly kind: Kind,
    /** What calls are to see meanwhile; `null`: nothing. */
    public entry: Entry<V> | null,
    public send: () => unknown,
    readonly deadlines: Deadlines,
    /** Called if the operation is not to be sent after all. */
    readonly onSkipped: () => void = noop,
  ) {}

  /** A write that still waits for its turn is for nothing now; sent all the same, writes would queue up without end. */
  overtake(): void {
    if (!this.isOvertaken && !this.isSent && this.kind === 'set') {
      this.isSkipped = true;
      this.entry = null;
      this.send = noop;
      this.onSkipped();
    }
    this.isOvertaken = true;
  }
}

/**
 * The entries of one name in one store, for all wrappers of that name. Operations on a key reach the store in the order
 * in which they were called for, and reads see their outcome from the moment of the call, however slow the store is.
 */
export class OrderedStore<V> {
  readonly #store: StoreLike<V>;
  readonly #prefix: string;
  readonly #passesTtl: boolean;
  readonly #isShared: boolean;
  readonly #pending = new Map<string, Operation<V>>();
  #lastKey: string | undefined;
  #lastName = '';
  #clearing: Promise<unknown> | undefined;
  #clearedAt = -Infinity;

  /** @param prefix Stands before every key. */
  constructor(store: StoreLike<V>, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
    this.#passesTtl = store.set.length >= 3;
    this.#isShared = isSharedStore(store);
  }

  /** What calls see without asking the store: an entry on its way, `null` for one that is being forgotten. */
  known(key: string): Entry<V> | null | undefined {
    if (this.#pending.size !== 0) {
      const operation = this.#pending.get(key);
      if (operation !== undefined && !operation.isLate) return operation.entry;
    }
    return this.#clearing === undefined ? undefined : null;
  }

  /** Resolves, never rejects, when what was called for on `key` has reached the store; `undefined`: it has. */
  reached(key: string): Promise<unknown> | undefined {
    const operation = this.#pending.size === 0 ? undefined : this.#pending.get(key);
    if (operation === undefined || operation.isLate) return this.#clearing;
    return Promise.all([operation.over, this.#clearing]);
  }

  /** @param timeout For a store that keeps deadlines itself. */
  get(key: string, timeout: number): unknown {
    const name = this.#nameOf(key);
    return this.#isShared ? (this.#store as SharedStore<V>).get(name, timeout) : this.#store.get(name);
  }

  /** Reads without making the entry the most recently used one, where the store can, as lru-cache and quick-lru. */
  peek(key: string, timeout: number): unknown {
    const { peek } = this.#store as { peek?: unknown };
    if (typeof peek !== 'function') return this.get(key, timeout);
    return (peek as (name: string) => unknown).call(this.#store, this.#nameOf(key));
  }

  /** A miss asks twice for its name and a hot key for ever, and to put a name together costs more than to look it up. */
  #nameOf(key: string): string {
    if (key !== this.#lastKey) {
      this.#lastKey = key;
      this.#lastName = this.#prefix + key;
    }
    return this.#lastName;
  }

  /** False for an entry from before a `clear` that the store may not have carried out. */
  isVisible(entry: Entry<V>): boolean {
    return entry.storedAt > this.#clearedAt;
  }

  /** The time to stamp an entry with; later than any `clear` before. */
  now(): number {
    return Math.max(Date.now(), this.#clearedAt + 1);
  }

  set(key: string, entry: Entry<V>, ttl: number | undefined, deadlines: Deadlines): unknown {
    const name = this.#nameOf(key);
    const send = (): unknown => {
      if (this.#isShared) return (this.#store as SharedStore<V>).set(name, entry, ttl, deadlines.limit);
      return this.#passesTtl ? (this.#store as Store<V>).set(name, entry, ttl) : this.#store.set(name, entry);
    };
    return this.#call(new Operation(key, 'set', entry, send, deadlines));
  }

  /** A write by a grant, which is given back if a later operation makes the write pointless before it is sent. */
  commit(key: string, entry: Entry<V>, ttl: number | undefined, grant: Grant<V>, deadlines: Deadlines): unknown {
    const giveBack = (): void => grant.release('again');
    return this.#call(new Operation(key, 'set', entry, () => grant.commit(entry, ttl), deadlines, giveBack));
  }

  delete(key: string, deadlines: Deadlines): unknown {
    return this.#call(
      new Operation<V>(key, 'delete', null, () => this.#forget(this.#prefix + key, deadlines), deadlines),
    );
  }

  /** Forget every entry under the prefix and nothing else. Later operations wait for it; reads see nothing meanwhile. */
  clear(deadlines: Deadlines): Promise<void> {
    const before = [...this.#pending.values()].map((operation) => {
      operation.overtake();
      return operation.over;
    });
    if (this.#clearing !== undefined) before.push(this.#clearing);
    this.#pending.clear();
    // Keyv's `iterator` counts for little: it lists nothing where its adapter cannot.
    if (typeof this.#store.deleteByPrefix !== 'function' && typeof this.#store.keys !== 'function') {
      this.#clearedAt = this.now();
    }
    let finish = noop;
    const clearing = new Promise<void>((resolve) => (finish = resolve));
    this.#clearing = clearing;
    return this.#clear(before, deadlines).finally(() => {
      if (this.#clearing === clearing) this.#clearing = undefined;
      finish();
    });
  }

  async #clear(before: readonly Promise<unknown>[], deadlines: Deadlines): Promise<void> {
    if (before.length > 0) await Promise.all(before);
    const store = this.#store;
    if (typeof store.deleteByPrefix === 'function') {
      // A shared store scans in many steps, each with a deadline of its own.
      if (this.#isShared) await (store as SharedStore<V>).deleteByPrefix(this.#prefix, deadlines.limit);
      else await withDeadline(store.deleteByPrefix(this.#prefix), deadlines, 'clear');
      return;
    }
    let failure: { error: unknown } | undefined;
    for (const key of await this.#ownKeys(deadlines)) {
      try {
        const deleted = this.#forget(key, deadlines);
        if (isThenable(deleted)) await withDeadline(deleted, deadlines, 'clear');
      } catch (error) {
        // A store that hangs would hang on every key.
        if (error instanceof TimeoutError) throw error;
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  async #ownKeys(deadlines: Deadlines): Promise<string[]> {
    const own: string[] = [];
    const collect = (key: unknown): void => {
      if (typeof key === 'string' && key.startsWith(this.#prefix)) own.push(key);
    };
    const listed = listKeys(this.#store);
    if (listed === undefined) return own;
    if (Symbol.iterator in listed) {
      for (const key of listed) collect(key);
      return own;
    }
    const iterator = listed[Symbol.asyncIterator]();
    for (;;) {
      const step = (await withDeadline(iterator.next(), deadlines, 'clear')) as IteratorResult<unknown>;
      // As `for await` has it: a store that answers nonsense would be asked forever.
      if (typeof step !== 'object' || step === null) {
        throw new TypeError('Expected the iterator of a store to bring objects');
      }
      if (step.done === true) return own;
      collect(step.value);
    }
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
    // A delete that waits for its turn does for both.
    if (before?.kind === 'delete' && operation.kind === 'delete' && !before.isSent) return before.answer;
    before?.overtake();
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
      this.#settle(operation);
      throw error;
    }
    if (!comesLater) {
      this.#settle(operation);
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
        reject(timeoutOf(operation.kind, operation.deadlines));
      });
      // Not `Promise.resolve`: a `then` that throws must settle the operation too.
      new Promise((adopt) => adopt(answer)).then(
        (value) => {
          deadline.stop();
          // A store that processes share refuses what a fence has overtaken.
          const mustForget = operation.isLate && operation.isOvertaken && operation.kind === 'set' && !this.#isShared;
          this.#settle(operation);
          resolve(value);
          if (mustForget) this.#forgetAgain(operation);
        },
        (error: unknown) => {
          deadline.stop();
          this.#settle(operation);
          reject(error);
        },
      );
    });
  }

  /** A write that was given up has landed after all, on top of what was called for since. */
  #forgetAgain({ key, deadlines }: Operation<V>): void {
    try {
      const deleted = this.delete(key, deadlines);
      if (isThenable(deleted)) deleted.then(noop, noop);
    } catch {
      // The store refuses deletes; whoever called for one has been told.
    }
  }

  #settle(operation: Operation<V>): void {
    if (this.#pending.get(operation.key) === operation) this.#pending.delete(operation.key);
  }
}

/** The value of a store's answer, or a `TimeoutError` when it takes too long. */
export function withDeadline(answer: unknown, deadlines: Deadlines, operation: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const deadline = deadlines.start(() => reject(timeoutOf(operation, deadlines)));
    Promise.resolve(answer).then(
      (value) => {
        deadline.stop();
        resolve(value);
      },
      (error: unknown) => {
        deadline.stop();
        reject(error);
      },
    );
  });
}

export function timeoutOf(operation: string, { limit }: Deadlines): TimeoutError {
  return new TimeoutError(`The store did not answer \`${operation}\` within ${limit} ms`, limit);
}

function noop(): void {}
