import { isDeepStrictEqual, types } from 'node:util';

/**
 * The rule that keys follow, as this Node has it. Node 22 and 24 throw on some lists that hold an object without a
 * prototype; such a pair proves nothing and is counted.
 */
export class DeepEquality {
  #asked = 0;
  #unanswered = 0;

  /** `undefined` where Node throws. */
  holds(a: unknown, b: unknown): boolean | undefined {
    this.#asked += 1;
    try {
      return isDeepStrictEqual(a, b);
    } catch (error) {
      if (!isKnownFault(error)) throw error;
      this.#unanswered += 1;
      return undefined;
    }
  }

  /** The share of pairs about which nothing was said. */
  get unanswered(): number {
    return this.#unanswered / this.#asked;
  }
}

function isKnownFault(error: unknown): boolean {
  // An error of Node's own realm, which is not the tests'.
  return (
    types.isNativeError(error) &&
    /^Cannot read properties of (?:null|undefined) \(reading 'constructor'\)$/.test(error.message)
  );
}
