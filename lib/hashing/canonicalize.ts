import { isAbortSignal } from '../platform/abort-signal.js';
import { canonicalizeBuiltIn, hostCompare, nameOf } from './built-ins.js';
import { enumerableSymbols, inheritsEnumerables } from './intrinsics.js';
import { KindTable } from './kinds.js';
import { leastPacked, mostPacked, NumberPacker } from './numbers.js';
import { longestText, propertyStep, UnkeyableValue, tooLong } from './unkeyable.js';
import { describeShape, namesOf, ShapeTable } from './shapes.js';
import type { PropertyFilter } from './ignore.js';

/** Also the whole check for cycles: a set of ancestors would cost every call, a cycle costs only its own. */
const deepest = 200;
const mostContainers = 100_000;

/** So many texts, and texts so long, may stay in memory between calls. */
const mostKept = 1024;

const { getOwnPropertySymbols, getPrototypeOf, hasOwn, prototype: objectPrototype } = Object;
// eslint-disable-next-line @typescript-eslint/unbound-method -- `call` gives it its receiver
const { toString } = objectPrototype;
const { prototype: arrayPrototype } = Array;

/**
 * Writes values as text from which they could be read back in one way only: every value begins with a tag that no number
 * contains, and shows where it ends. So a list of values is plain concatenation, and nothing needs to be escaped.
 *
 * `"len:text` string · `#n` number · `&n` bigint · `!` true · `?` false · `~` null · `_` undefined · `^` hole ·
 * `[…]` array · `{n`, n names, n values: object, names sorted · `@{` the same without a prototype · `=` in the place of
 * `{n` and names: those of the object before it in this array · `@` and a letter: the kinds of built-ins.
 */
export class Canonicalizer {
  readonly #kinds = new KindTable();
  readonly #shapes = new ShapeTable();
  readonly #numbers = new NumberPacker();
  readonly #compare = hostCompare();
  #containers = 0;
  /** Texts of the properties that wait for those after them to be sorted: a stack, so that no object needs a list. */
  readonly #texts: string[] = [];
  #top = 0;
  #isPolluted = false;
  /** Names of the object written last, for the next element of an array; none after anything else. */
  #header: string | undefined;

  /** Starts a list of arguments: limits count from here. */
  begin(): void {
    this.#containers = 0;
    this.#top = 0;
    this.#isPolluted = inheritsEnumerables();
  }

  /** Lets go of what a large list has left behind, whether it was written or refused. */
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
        throw new UnkeyableValue(typeof value);
    }
  }

  #string(value: string): string {
    if (value.length > longestText) throw tooLong();
    return `"${value.length}:${value}`;
  }

  #object(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string | undefined): string {
    if (level > deepest) throw new UnkeyableValue(`more than ${deepest} levels`);
    if (++this.#containers > mostContainers) throw tooMany();
    const prototype = getPrototypeOf(object) as object | null;
    if (prototype === objectPrototype) return this.#plain(object, level, filter, headerBefore);
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
    if (kind === undefined || (kind === 'Array' && !Array.isArray(object))) throw new UnkeyableValue(nameOf(object));
    if (kind === 'Object') return this.#foreign(object, level, filter, headerBefore);
    if (kind === 'Array') return this.#array(object as readonly unknown[], level);
    const text = canonicalizeBuiltIn(kind, object, (inner) => this.#value(inner, level), this.#compare);
    this.#header = undefined;
    return text;
  }

  /** An object without a prototype inherits nothing, but it is another value than the same with one. */
  #bare(object: object, level: number, filter: PropertyFilter | undefined): string {
    const text = `@${this.#plain(object, level, filter, undefined)}`;
    this.#header = undefined;
    return text;
  }

  /** The root of another realm may have been given properties that ours has not. */
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
    // A `Date`, an array or `arguments` stays one, whatever prototype it has been given since.
    if (toString.call(object) !== '[object Object]') throw new UnkeyableValue(nameOf(object));
    // Symbols have no identity in another process.
    if (getOwnPropertySymbols(object).length > 0 && enumerableSymbols(object).length > 0)
      throw new UnkeyableValue('symbol key');
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

  /** The text of a property, or `undefined` where it is left out. What is left out by name is not even read. */
  #filtered(object: Record<string, unknown>, name: string, level: number, filter: PropertyFilter): string | undefined {
    const rule = filter.names?.get(name);
    if (rule === true) return undefined;
    const value = object[name];
    if (rule !== undefined && typeof value === 'object' && value !== null)
      return this.#object(value, level + 1, rule, undefined);
    if (filter.dropsSignal && name === 'signal' && isAbortSignal(value)) return undefined;
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
          // A hole costs what a container costs, or an empty array of a billion holes would take minutes.
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

function tooMany(): UnkeyableValue {
  return new UnkeyableValue(`more than 100,000 objects`, true);
}
