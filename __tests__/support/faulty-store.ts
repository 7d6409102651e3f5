import { deferred } from './call-recorder.js';
import type { StoreCall } from './call-recorder.js';
import type { Entry } from '../../lib/store/store.js';

/** How an operation goes wrong. `lies`: it answers with what `lie` makes. */
export type Fault = 'throws' | 'rejects' | 'rejects after a yield' | 'hangs' | 'refuses' | 'lies';

export type FaultyOperation = 'get' | 'set' | 'delete' | 'keys';

/** An operation that hangs until the test ends it. */
export interface HungOperation {
  readonly operation: FaultyOperation;
  readonly key: string;
  /** It reaches the store after all. */
  land(): void;
  fail(): void;
}

/** A store whose operations go wrong as the test says, and work where it says nothing. */
export class FaultyStore {
  readonly entries = new Map<string, Entry<unknown>>();
  readonly calls: StoreCall[] = [];
  readonly hung: HungOperation[] = [];
  readonly faults: { [operation in FaultyOperation]?: Fault | undefined } = {};
  /** What a store that lies answers with. */
  lie: () => unknown = () => undefined;

  constructor(readonly answers: 'at once' | 'later' = 'later') {}

  get(key: string): Entry<unknown> | undefined | Promise<Entry<unknown> | undefined> {
    return this.#operate('get', key, [key], () => this.entries.get(key), undefined) as Entry<unknown> | undefined;
  }

  set(key: string, entry: Entry<unknown>, ttl?: number): unknown {
    return this.#operate('set', key, [key, entry, ttl], () => void this.entries.set(key, entry), false);
  }

  delete(key: string): unknown {
    return this.#operate('delete', key, [key], () => this.entries.delete(key), false);
  }

  keys(): AsyncIterable<string> {
    const list = [...this.entries.keys()];
    let index = 0;
    if (this.faults.keys === 'throws') return this.#operate('keys', '', [], () => list, []) as AsyncIterable<string>;
    if (this.faults.keys === 'lies') return this.lie() as AsyncIterable<string>;
    const next = async (): Promise<IteratorResult<string>> => {
      const key = (await this.#operate('keys', '', [], () => list[index++], undefined)) as string | undefined;
      return key === undefined ? { done: true, value: undefined } : { done: false, value: key };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #operate(
    operation: FaultyOperation,
    key: string,
    args: readonly unknown[],
    act: () => unknown,
    refusal: unknown,
  ): unknown {
    this.calls.push({ method: operation, args });
    switch (this.faults[operation]) {
      case 'throws':
        throw new StoreError(operation);
      case 'rejects':
        return Promise.reject(new StoreError(operation));
      case 'rejects after a yield':
        return Promise.resolve().then(() => Promise.reject(new StoreError(operation)));
      case 'hangs':
        return this.#hang(operation, key, act);
      case 'refuses':
        return this.answers === 'at once' ? refusal : Promise.resolve(refusal);
      case 'lies':
        return this.lie();
      case undefined:
        return this.answers === 'at once' ? act() : Promise.resolve().then(act);
    }
  }

  #hang(operation: FaultyOperation, key: string, act: () => unknown): Promise<unknown> {
    const answer = deferred<unknown>();
    this.hung.push({
      operation,
      key,
      land: () => answer.resolve(act()),
      fail: () => answer.reject(new StoreError(operation)),
    });
    return answer.promise;
  }
}

/** What the store fails with. */
export class StoreError extends Error {
  override readonly name = 'StoreError';

  constructor(readonly operation: FaultyOperation) {
    super(`the store failed at ${operation}`);
  }
}
