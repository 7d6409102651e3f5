import { base64url, bytesOver, isBigEndianHost, littleEndian } from './bytes.js';

/** From this length on an array of nothing but numbers is packed: a third of the text, a quarter of the time. */
export const leastPacked = 32;

/** Up to this length: memory is taken for as many numbers as an array claims to have. */
export const mostPacked = 1_000_000;

/** The two halves of a quiet NaN, as this host orders them. */
const nanBits: readonly number[] = isBigEndianHost ? [0x7ff80000, 0] : [0, 0x7ff80000];

/** More numbers than this do not keep their memory. */
const mostKept = 4096;

/**
 * Reads arrays of numbers into one block of memory, as 32-bit integers while it can, and writes them as text. It holds the
 * numbers of one array at a time.
 */
export class NumberPacker {
  #bytes: Uint8Array = new Uint8Array(0);
  #integers = new Int32Array(0);
  #floats = new Float64Array(0);
  #areIntegers = true;
  /** How many numbers were read before the end or before something else. */
  count = 0;
  /** That something else: it was read, and shall not be read again. */
  stop: unknown;

  /** Reads the elements of `array`, whose first is known, as long as they are numbers. */
  read(array: readonly unknown[], first: number): this {
    const { length } = array;
    if (this.#floats.length < length) this.#reserve(length);
    this.#areIntegers = true;
    this.stop = undefined;
    const integers = this.#integers;
    let value: unknown = first;
    let i = 0;
    while (typeof value === 'number' && (value | 0) === value && (value !== 0 || 1 / value > 0)) {
      integers[i++] = value;
      if (i === length) break;
      value = array[i];
    }
    if (i < length && typeof value === 'number') i = this.#readFloats(array, length, value, i);
    else this.stop = value;
    this.count = i;
    return this;
  }

  at(index: number): number {
    return (this.#areIntegers ? this.#integers : this.#floats)[index] as number;
  }

  pack(): string {
    const width = this.#areIntegers ? 4 : 8;
    const text = base64url(littleEndian(this.#bytes, width), width * this.count);
    return `@${this.#areIntegers ? 'I' : 'F'}${this.count}:${text}`;
  }

  /** Lets go of the memory of a large array. */
  release(): void {
    this.stop = undefined;
    if (this.#floats.length > mostKept) this.#reserve(0);
  }

  #reserve(length: number): void {
    const buffer = new ArrayBuffer(8 * length);
    this.#floats = new Float64Array(buffer);
    this.#integers = new Int32Array(buffer);
    this.#bytes = bytesOver(buffer);
  }

  #readFloats(array: readonly unknown[], length: number, next: number, known: number): number {
    const floats = this.#floats;
    // Backwards, for both kinds of number lie in the same memory.
    for (let i = known - 1; i >= 0; i--) floats[i] = this.#integers[i] as number;
    this.#areIntegers = false;
    let value: unknown = next;
    let i = known;
    while (typeof value === 'number') {
      floats[i] = value;
      // The language leaves the bits of a stored NaN to the host: write one and the same.
      if (value !== value) this.#integers.set(nanBits, 2 * i);
      if (++i === length) return i;
      value = array[i];
    }
    this.stop = value;
    return i;
  }
}
