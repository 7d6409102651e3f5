/** How many names are held: at most, and for an empty store. */
const SIZE = 16_384;
const LEAST_SIZE = 256;

/** How many lookups are judged at a time, and how many of them must have helped. */
const SAMPLE = 2 * SIZE;
const LEAST_HELP = SAMPLE / 4;

/** The longest rest, in lookups. */
const LONGEST_REST = 64 * SAMPLE;

/**
 * The names of keys in a store: a prefix and the key. To put a name together costs little, but the store then hashes and
 * compares a new string at every hit; the same string again is found at once. In a `Map` of 10,000 results it makes hits a
 * third faster.
 *
 * It takes no more when it is full. Where it does not help, because other keys are in use than it holds, it is dropped as a
 * whole and rests.
 */
export class NameCache {
  readonly #prefix: string;
  readonly #sizeOf: () => number | undefined;
  #names: Map<string, string> | undefined;
  #lastKey: string | undefined;
  #lastName = '';
  #lookups = 0;
  #helped = 0;
  /** The number of lookups that are still not answered from the cache. */
  #rest = 0;
  #nextRest = SAMPLE;
  /** How many names are held at most. */
  #limit = LEAST_SIZE;
  /** From this lookup on the store may be asked for its size again: quick-lru counts its entries. */
  #asksAt = 0;

  /** @param sizeOf How many keys are in use, where the store tells. */
  constructor(prefix: string, sizeOf: () => number | undefined = () => undefined) {
    this.#prefix = prefix;
    this.#sizeOf = sizeOf;
  }

  /** A miss needs the name twice. */
  of(key: string): string {
    if (key !== this.#lastKey) {
      this.#lastName = this.#rest === 0 ? this.#find(key) : this.#join(key);
      this.#lastKey = key;
    }
    return this.#lastName;
  }

  /** Drops all names: they may hold secrets. */
  forget(): void {
    this.#names = undefined;
    this.#lastKey = undefined;
    this.#lastName = '';
  }

  #join(key: string): string {
    this.#rest -= 1;
    return this.#prefix + key;
  }

  #find(key: string): string {
    if (this.#lookups++ === SAMPLE) this.#judge();
    const names = (this.#names ??= new Map<string, string>());
    const known = names.get(key);
    if (known !== undefined) {
      this.#helped += 1;
      return known;
    }
    const name = this.#prefix + key;
    if (names.size >= this.#limit && this.#lookups >= this.#asksAt) this.#askForLimit();
    if (names.size < this.#limit) names.set(key, name);
    return name;
  }

  /** A store of ten entries needs no ten thousand names. */
  #askForLimit(): void {
    this.#limit = Math.min(SIZE, LEAST_SIZE + 2 * (this.#sizeOf() ?? SIZE));
    this.#asksAt = this.#lookups + this.#limit;
  }

  #judge(): void {
    const isUseful = this.#helped >= LEAST_HELP;
    this.#lookups = 0;
    this.#asksAt = 0;
    this.#helped = 0;
    if (isUseful) this.#nextRest = SAMPLE;
    else this.#reset();
  }

  /** Drops everything and starts a rest, each twice as long as the one before. */
  #reset(): void {
    this.#lookups = 0;
    this.#asksAt = 0;
    this.#helped = 0;
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(2 * this.#nextRest, LONGEST_REST);
    this.forget();
  }
}
