import { isAbortSignal } from '../platform/abort-signal.js';
import { isThenable, NativePromise } from '../platform/promise.js';
import { canonicalizeBuiltIn, hostCompare } from './built-ins.js';
import { describeObject } from './describe-object.js';
import { enumerableSymbols, inheritsEnumerables, rootPrototype } from './intrinsics.js';
import { KindTable } from './kinds.js';
import { leastPacked, mostPacked, NumberPacker } from './numbers.js';
import { describeShape, namesOf, ShapeTable } from './shapes.js';
import { ListLimit, longestText, propertyStep, tooLong, UnkeyableValue } from './unkeyable.js';
import type { PropertyFilter } from './ignore.js';

/** Says in place of a value that cannot be keyed what identifies it; `undefined` where it does not know. */
export type Encode = (value: unknown) => unknown;

/** The limit also ends cycles: a set of ancestors would cost every call. */
const deepest = 200;
const mostContainers = 100_000;

/** The most texts, and the longest text, that stay in memory between calls. */
const mostKept = 1024;

const { getOwnPropertySymbols, getPrototypeOf, hasOwn } = Object;
// eslint-disable-next-line @typescript-eslint/unbound-method -- `call` gives it its receiver
const { toString } = rootPrototype;
const arrayPrototype = getPrototypeOf([]) as object;

/**
 * Writes values as text that can be read back in one way only. Every value begins with a tag that no number contains, and
 * its text shows where it ends, so a list of values is plain concatenation and nothing is escaped.
 *
 * `"len:text` string · `#n` number · `&n` bigint · `!` true · `?` false · `~` null · `_` undefined · `^` hole ·
 * `[…]` array · `{n`, n names, n values: object, names sorted · `@{` the same without a prototype · `=` instead of `{n` and
 * names: the names of the previous object in this array · `@E` what `encode` returns for a value that is none of these ·
 * `@` and another letter: built-ins.
 */
export class Canonicalizer {
  readonly #kinds = new KindTable();
  readonly #shapes = new ShapeTable();
  readonly #numbers = new NumberPacker();
  readonly #compare = hostCompare();
  readonly #encode: Encode | undefined;
  #containers = 0;
  /** Texts of properties that wait until all of their object are read and sorted. One stack serves all objects. */
  readonly #texts: string[] = [];
  #top = 0;
  #isPolluted = false;
  /** Names of the object written last, for the next element of an array; `undefined` after anything else. */
  #header: string | undefined;

  constructor(encode?: Encode) {
    this.#encode = encode;
  }

  /** Starts a list of arguments. The limits hold for the list. */
  begin(): void {
    this.#containers = 0;
    this.#top = 0;
    this.#isPolluted = inheritsEnumerables();
  }

  /** Releases the memory of a large list, whether it was written or refused. */
  end(): void {
    if (this.#texts.length > mostKept) this.#texts.length = 0;
    this.#numbers.release();
  }

  argument(value: unknown, properties: PropertyFilter): string {
    if (typeof value === 'object' && value !== null) return this.#object(value, 1, properties, undefined);
    return this.#value(value, 0);
  }

  /** `level` counts the containers around the value. */
  #value(value: unknown, level: number): string {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return value === 0 && 1 / value < 0 ? '#-0' : `#${value}`;
      case 'boolean':
        return value ? '!' : '?';
      case 'undefined':
        return '_';
      case 'bigint':
        return `&${value}`;
      case 'object':
        return value === null ? '~' : this.#object(value, level + 1, undefined, undefined);
      default:
        return this.#encoded(value, level + 1, () => typeof value);
    }
  }

  #string(value: string): string {
    if (value.length > longestText) throw tooLong();
    return `"${value.length}:${value}`;
  }

  /** Asks `encode` about a value that would be refused. `level` counts the value itself. */
  #encoded(value: unknown, level: number, describe: () => string): string {
    const encode = this.#encode;
    if (encode === undefined) throw new UnkeyableValue(describe(), value);
    if (level > deepest) throw tooDeep();
    const replacement = encode(value);
    if (replacement === undefined || replacement === value) throw new UnkeyableValue(describe(), value);
    try {
      // `encode` is not asked about it: an `encode` that is async would return promises for ever.
      if (isThenable(replacement)) {
        // Its own rejection must not end the process.
        NativePromise.resolve(replacement).catch(() => undefined);
        throw new UnkeyableValue('Promise', replacement);
      }
      const text = `@E${this.#value(replacement, level)}`;
      this.#header = undefined;
      return text;
    } catch (error) {
      return UnkeyableValue.rethrow(error, value, '.encode()');
    }
  }

  #object(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string | undefined): string {
    if (level > deepest) throw tooDeep();
    if (++this.#containers > mostContainers) throw tooMany();
    const prototype = getPrototypeOf(object) as object | null;
    if (prototype === rootPrototype) return this.#plain(object, level, filter, headerBefore);
    if (prototype === null) return this.#bare(object, level, filter);
    return this.#special(object, prototype, level, filter, headerBefore);
  }

  #special(
    object: object,
    prototype: object,
    level: number,
    filter: PropertyFilter | undefined,
    headerBefore: string | undefined,
  ): string {
    if (prototype === arrayPrototype && Array.isArray(object)) return this.#array(object, level);
    const kind = this.#kinds.of(prototype);
    if (kind === undefined || (kind === 'Array' && !Array.isArray(object))) {
      return this.#encoded(object, level, () => describeObject(object, kind));
    }
    if (kind === 'Object') return this.#foreign(object, level, filter, headerBefore);
    if (kind === 'Array') return this.#array(object as readonly unknown[], level);
    try {
      const text = canonicalizeBuiltIn(kind, object, (inner) => this.#value(inner, level), this.#compare);
      this.#header = undefined;
      return text;
    } catch (error) {
      // Not for a value inside of it, which `encode` has been asked about.
      if (!UnkeyableValue.is(error) || error.value !== object) throw error;
      return this.#encoded(object, level, () => error.reason);
    }
  }

  /** An object without a prototype differs from the same object with one. */
  #bare(object: object, level: number, filter: PropertyFilter | undefined): string {
    const text = this.#plain(object, level, filter, undefined);
    this.#header = undefined;
    return text.startsWith('{') ? `@${text}` : text;
  }

  /** The `Object.prototype` of another realm may have properties that ours has not. */
  #foreign(
    object: object,
    level: number,
    filter: PropertyFilter | undefined,
    headerBefore: string | undefined,
  ): string {
    const outer = this.#isPolluted;
    this.#isPolluted = true;
    try {
      return this.#plain(object, level, filter, headerBefore);
    } finally {
      this.#isPolluted = outer;
    }
  }

  #plain(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string | undefined): string {
    // A `Date`, an array or `arguments` stays one with any prototype.
    if (toString.call(object) !== '[object Object]') return this.#encoded(object, level, () => describeObject(object));
    // Symbols have no identity in another process.
    if (getOwnPropertySymbols(object).length > 0 && enumerableSymbols(object).length > 0)
      return this.#encoded(object, level, () => 'symbol key');
    const values = object as Record<string, unknown>;
    const isPolluted = this.#isPolluted;
    const texts = this.#texts;
    const base = this.#top;
    let top = base;
    let node = this.#shapes.root;
    let names: string[] | undefined;
    let length = 0;
    let name = '';
    try {
      for (name in values) {
        if (isPolluted && !hasOwn(values, name)) continue;
        let text: string;
        if (filter === undefined) {
          const value = values[name];
          if (typeof value === 'string' && value.length <= longestText) text = `"${value.length}:${value}`;
          else if (typeof value === 'number' && value !== 0) text = `#${value}`;
          else text = this.#value(value, level);
        } else {
          const kept = this.#filtered(values, name, level, filter);
          if (kept === undefined) continue;
          text = kept;
        }
        length += name.length + text.length;
        if (length > longestText) throw tooLong();
        texts[top++] = text;
        this.#top = top;
        if (names === undefined) {
          const next = node.lastName === name ? node.lastNode : this.#shapes.step(node, name);
          if (next !== undefined) node = next;
          else (names = namesOf(node)).push(name);
        } else {
          names.push(name);
        }
      }
    } catch (error) {
      texts.fill('', base, top);
      UnkeyableValue.rethrow(error, object, propertyStep(name));
    }
    this.#top = base;
    const { header, order } = names === undefined ? this.#shapes.shapeOf(node) : describeShape(names);
    let text = header === headerBefore ? '=' : header;
    if (order === undefined) for (let i = base; i < top; i++) text += texts[i] as string;
    else for (let i = 0; i < order.length; i++) text += texts[base + (order[i] as number)] as string;
    if (text.length > mostKept) texts.fill('', base, top);
    this.#header = header;
    return text;
  }

  /** The text of a property; `undefined` where it is left out. A property that is left out by name is not read. */
  #filtered(object: Record<string, unknown>, name: string, level: number, filter: PropertyFilter): string | undefined {
    const rule = filter.names?.get(name);
    if (rule === true) return undefined;
    const value = object[name];
    if (rule !== undefined && typeof value === 'object' && value !== null)
      return this.#object(value, level + 1, rule, undefined);
    if (filter.dropsSignal && name === 'signal' && (value === undefined || isAbortSignal(value))) return undefined;
    return this.#value(value, level);
  }

  #array(array: readonly unknown[], level: number): string {
    const { length } = array;
    const first = length > 0 ? array[0] : undefined;
    const isPackable = typeof first === 'number' && length >= leastPacked && length <= mostPacked;
    const numbers = isPackable ? this.#numbers.read(array, first) : undefined;
    if (numbers !== undefined && numbers.count === length) {
      this.#header = undefined;
      return numbers.pack();
    }
    const read = numbers?.count ?? 0;
    let text = '[';
    let header: string | undefined;
    let i = 0;
    try {
      for (; i < length; i++) {
        let value = first;
        if (i < read) value = numbers?.at(i);
        else if (i > 0) value = i === read ? numbers?.stop : array[i];
        if (typeof value === 'object' && value !== null) {
          text += this.#object(value, level + 1, undefined, header);
          if (this.#header !== undefined) header = this.#header;
        } else if (value === undefined && !hasOwn(array, i)) {
          // A hole counts as a container: an empty array of a billion holes would take minutes.
          if (++this.#containers > mostContainers) throw tooMany();
          text += '^';
        } else {
          text += this.#value(value, level);
        }
        if (text.length > longestText) throw tooLong();
      }
    } catch (error) {
      UnkeyableValue.rethrow(error, array, `[${i}]`);
    }
    this.#header = undefined;
    return `${text}]`;
  }
}

function tooDeep(): UnkeyableValue {
  return new UnkeyableValue(`more than ${deepest} levels`);
}

function tooMany(): UnkeyableValue {
  return new ListLimit('more than 100,000 objects');
}
