/** Random argument lists, their shuffled copies and near copies: cheap enough for a hundred thousand a run. */
export class ListGenerator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  list(): unknown[] {
    return Array.from({ length: this.#below(4) }, () => this.#value(3));
  }

  /** The same list with properties and entries in another order, and nothing shared. */
  shuffled<T>(value: T): T {
    return this.#copy(value, () => false) as T;
  }

  /** The same list, but for one value in it; by chance the same after all. */
  mutated(list: unknown[]): unknown[] {
    let countdown = this.#below(4);
    return this.#copy(list, (value) => value !== list && countdown-- === 0) as unknown[];
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  #many<T>(make: () => T, most = 4): T[] {
    return Array.from({ length: this.#below(most) }, make);
  }

  #text(): string {
    const pieces = [
      'a',
      'b',
      '"',
      ':',
      '1',
      '0',
      '#',
      '{',
      ']',
      '=',
      '@M',
      '*',
      '_',
      '\ud800',
      '\udc00',
      'é',
      '\\',
      '$',
    ];
    return this.#many(() => this.#one(pieces), 5).join('');
  }

  #name(): string {
    return (
      this.#one(['a', 'b', 'c', 'id', '__proto__', '1', '', 'signal', 'ab']) +
      (this.#below(12) === 0 ? this.#text() : '')
    );
  }

  #value(depth: number): unknown {
    const kind = this.#below(depth > 0 ? 24 : 11);
    switch (kind) {
      case 0:
      case 1:
        return this.#text();
      case 2:
        return this.#one([0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 10, 12]);
      case 3:
        return this.#below(3);
      case 4:
        return this.#one([true, false, null, undefined]);
      case 5:
        return BigInt(this.#below(3) - 1);
      case 6:
        return this.#one(['a', '1', '', 'true', 'null', 'undefined', 'a"1:b']);
      case 7:
        return new Date(this.#below(3));
      case 8:
        return Object.assign(new RegExp(this.#one(['a', 'b', '']), this.#one(['', 'g', 'i'])), {
          lastIndex: this.#below(2),
        });
      case 9:
        return this.#bytes();
      case 10:
        return Object(this.#one<unknown>([0, -0, 1, '', 'a', 'ab', true, false, 1n]));
      case 11:
      case 12:
      case 13:
        return this.#many(() => this.#value(depth - 1));
      case 14:
        return this.#sparse(depth);
      case 15:
        return Array.from({ length: 31 + this.#below(3) }, (_, i) => (this.#below(40) === 0 ? this.#value(0) : i % 3));
      case 16:
        return new Map(this.#many(() => [this.#value(depth - 1), this.#value(depth - 1)]));
      case 17:
        return new Set(this.#many(() => this.#value(depth - 1)));
      case 18:
        return this.#object(Object.create(null) as object, depth);
      default:
        return this.#object({}, depth);
    }
  }

  #bytes(): unknown {
    const bytes = Uint8Array.from(
      this.#many(() => this.#one([0, 0, 1, 128]), 3).flatMap((byte) => Array<number>(8).fill(byte)),
    );
    const views = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Uint16Array,
      Int32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
    ];
    const make = this.#below(views.length + 3);
    if (make === views.length) return bytes.buffer;
    if (make === views.length + 1) return new DataView(bytes.buffer, this.#below(bytes.length + 1));
    if (make === views.length + 2) return Buffer.from(bytes);
    return new (views[make] as Uint8ArrayConstructor)(bytes.buffer);
  }

  #sparse(depth: number): unknown[] {
    const array = new Array<unknown>(this.#below(4));
    for (let i = 0; i < array.length; i++) if (this.#below(2) === 0) array[i] = this.#value(depth - 1);
    return array;
  }

  #object(object: object, depth: number): object {
    for (const name of this.#many(() => this.#name(), 5)) define(object, name, this.#value(depth - 1));
    return object;
  }

  #shuffle<T>(values: T[]): T[] {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.#below(i + 1);
      [values[i], values[j]] = [values[j] as T, values[i] as T];
    }
    return values;
  }

  #copy(value: unknown, replaces: (value: unknown) => boolean): unknown {
    if (replaces(value)) return this.#value(1);
    if (typeof value !== 'object' || value === null) return value;
    const copy = (inner: unknown): unknown => this.#copy(inner, replaces);
    if (Array.isArray(value)) {
      const array = new Array<unknown>(value.length);
      for (let i = 0; i < value.length; i++) if (i in value) array[i] = copy(value[i]);
      return array;
    }
    if (value instanceof Map) return new Map(this.#shuffle([...value]).map(([key, item]) => [copy(key), copy(item)]));
    if (value instanceof Set) return new Set(this.#shuffle([...value]).map(copy));
    if (value instanceof RegExp) return Object.assign(new RegExp(value), { lastIndex: value.lastIndex });
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype !== null && prototype !== Object.prototype)
      return isBoxed(value) ? Object(value.valueOf()) : structured(value);
    const object = Object.create(prototype) as object;
    for (const [name, item] of this.#shuffle(Object.entries(value))) define(object, name, copy(item));
    return object;
  }
}

/** An own property in any case, `__proto__` too. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}

function isBoxed(value: object): boolean {
  return ['Number', 'String', 'Boolean', 'BigInt'].includes(value.constructor.name);
}

/** A copy of what has no order: dates and bytes. */
function structured(value: object): unknown {
  if (value instanceof Date) return new Date(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return (value as Uint8Array).slice();
  if (value instanceof DataView) return new DataView(value.buffer.slice(value.byteOffset));
  return (value as ArrayBuffer).slice(0);
}
