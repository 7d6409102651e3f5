import { NOT_FRESH } from './result-store.js';
import type { ResultStore } from './result-store.js';

/** Keeps nothing: `cache: null`. Concurrent calls still share a run. */
export class NullStore implements ResultStore<never> {
  readonly coordinator = undefined;
  readonly isKeeping = false;
  readonly isForeign = false;

  get(): undefined {
    return undefined;
  }

  peek(): undefined {
    return undefined;
  }

  freshValue(): typeof NOT_FRESH {
    return NOT_FRESH;
  }

  entryOf(): undefined {
    return undefined;
  }

  write(): undefined {
    return undefined;
  }

  remove(): undefined {
    return undefined;
  }

  async prime(): Promise<void> {}

  async delete(): Promise<boolean> {
    return false;
  }

  async expire(): Promise<boolean> {
    return false;
  }

  async clear(): Promise<void> {}
}
