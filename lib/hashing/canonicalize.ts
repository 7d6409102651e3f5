import { isAbortSignal } from '../abort-signal.js';
import { canonicalizeBuiltIn, nameOf } from './built-ins.js';
import { enumerableSymbols, tagOf } from './intrinsics.js';
import { KindTable } from './kinds.js';
import { leastPacked, mostPacked, NumberPacker } from './numbers.js';
import { propertyStep, Refusal } from './refusal.js';
import { describeShape, namesOf, ShapeTable } from './shapes.js';
import type { PropertyFilter } from './ignore.js';

/** Also the whole check for cycles: a set of ancestors would cost every call, a cycle costs only its own. */
const deepest = 200;
const mostContainers = 100_000;
export const longestText = 8 * 1024 * 1024;

const { getOwnPropertySymbols, getPrototypeOf, hasOwn, prototype: objectPrototype } = Object;
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
  #containers = 0;
  #isPolluted = false;
  /** Names of the object written last, for the next element of an array; empty after anything else. */
  #header = '';

  /** Starts a new list of arguments: limits count from here. Returns what `resume` wants. */
  begin(): number {
    const outer = this.#containers;
    this.#containers = 0;
    this.#isPolluted = inheritsEnumerables();
    return outer;
  }

  /** A getter may have come back here in the middle of another list, whose count goes on. */
  resume(outer: number): void {
    this.#containers = outer;
  }

  argument(value: unknown, properties: PropertyFilter): string {
    if (typeof value === 'object' && value !== null) return this.#object(value, 1, properties, '');
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
        return value === null ? '~' : this.#object(value, level + 1, undefined, '');
      default:
        throw new Refusal(typeof value);
    }
  }

  #string(value: string): string {
    if (value.length > longestText) throw tooLong();
    return `"${value.length}:${value}`;
  }

  #object(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string): string {
    if (level > deepest) throw new Refusal(`more than ${deepest} levels`);
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
    headerBefore: string,
  ): string {
    if (prototype === arrayPrototype && Array.isArray(object)) return this.#array(object, level);
    const kind = this.#kinds.of(prototype);
    if (kind === 'Object') return this.#foreign(object, level, filter, headerBefore);
    if (kind === 'Array' && Array.isArray(object)) return this.#array(object, level);
    if (kind === undefined || kind === 'Array') throw new Refusal(nameOf(object));
    const text = canonicalizeBuiltIn(kind, object, (inner) => this.#value(inner, level));
    if (text.length > longestText) throw tooLong();
    this.#header = '';
    return text;
  }

  /** An object without a prototype inherits nothing, but it is another value than the same with one. */
  #bare(object: object, level: number, filter: PropertyFilter | undefined): string {
    const text = `@${this.#plain(object, level, filter, '')}`;
    this.#header = '';
    return text;
  }

  /** The root of another realm may have been given properties that ours has not. */
  #foreign(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string): string {
    const outer = this.#isPolluted;
    this.#isPolluted = true;
    try {
      return this.#plain(object, level, filter, headerBefore);
    } finally {
      this.#isPolluted = outer;
    }
  }

  #plain(object: object, level: number, filter: PropertyFilter | undefined, headerBefore: string): string {
    if (getOwnPropertySymbols(object).length > 0) checkSymbols(object);
    const texts: string[] = [];
    let node = this.#shapes.root;
    let names: string[] | undefined;
    let length = 0;
    let name = '';
    try {
      for (name in object) {
        if (this.#isPolluted && !hasOwn(object, name)) continue;
        let text: string;
        if (filter === undefined) {
          text = this.#value((object as Record<string, unknown>)[name], level);
        } else {
          const rule = filter.names?.get(name);
          if (rule === true) continue;
          const value = (object as Record<string, unknown>)[name];
          if (filter.dropsSignal && name === 'signal' && isAbortSignal(value)) continue;
          if (rule === undefined || typeof value !== 'object' || value === null) text = this.#value(value, level);
          else text = this.#object(value, level + 1, rule, '');
        }
        length += text.length;
        if (length > longestText) throw tooLong();
        texts.push(text);
        if (names !== undefined) {
          names.push(name);
          continue;
        }
        const next = node.lastName === name ? node.lastNode : this.#shapes.step(node, name);
        if (next !== undefined) node = next;
        else (names = namesOf(node)).push(name);
      }
    } catch (error) {
      Refusal.rethrow(error, object, propertyStep(name));
    }
    const shape = names === undefined ? this.#shapes.shapeOf(node) : describeShape(names);
    const { header, order } = shape;
    let text = header === headerBefore ? '=' : header;
    if (order === undefined) for (const part of texts) text += part;
    else for (const position of order) text += texts[position] as string;
    if (text.length > longestText) throw tooLong();
    this.#header = header;
    return text;
  }

  #array(array: readonly unknown[], level: number): string {
    const { length } = array;
    const packed = length >= leastPacked && length <= mostPacked ? this.#numbers.read(array, length) : undefined;
    if (packed?.text !== undefined) {
      if (packed.text.length > longestText) throw tooLong();
      this.#header = '';
      return packed.text;
    }
    const known = packed?.count ?? -1;
    let text = '[';
    let header = '';
    let i = 0;
    try {
      for (; i < length; i++) {
        let value: unknown;
        if (i < known) value = (packed as { numbers: Float64Array }).numbers[i];
        else if (i === known) value = packed?.next;
        else value = array[i];
        if (typeof value === 'object' && value !== null) {
          text += this.#object(value, level + 1, undefined, header);
          if (this.#header !== '') header = this.#header;
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
      Refusal.rethrow(error, array, `[${i}]`);
    }
    this.#header = '';
    return `${text}]`;
  }
}

/** Symbols have no identity in another process. `arguments` and namespaces such as `Math` show themselves by one. */
function checkSymbols(object: object): void {
  if (enumerableSymbols(object).length > 0) throw new Refusal('symbol key');
  if (tagOf(object) !== 'Object') throw new Refusal(nameOf(object));
}

function inheritsEnumerables(): boolean {
  for (const _name in {}) return true;
  return false;
}

function tooMany(): Refusal {
  return new Refusal(`more than 100,000 objects`, true);
}

export function tooLong(): Refusal {
  return new Refusal('more than 8 Mi characters', true);
}
