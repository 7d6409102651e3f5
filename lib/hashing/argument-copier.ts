import { copyBuiltIn } from './copy-built-in.js';
import { methodOf, rootPrototype, tagOf } from './intrinsics.js';
import { KindTable } from './kinds.js';
import type { Exclusions, PropertyFilter } from './ignore.js';
import type { Kind } from './kinds.js';

/** Deeper values stay as they are. The arguments of a key have no more levels; with `keyOf` they may have any number. */
const deepest = 200;

/** A longer array is likely to be mostly holes, so only the elements that it has are visited. */
const mostVisited = 1_000_000;

const { create, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys, setPrototypeOf } = Object;
const { ownKeys } = Reflect;

const arrayPrototype = getPrototypeOf([]) as object;
const mapForEach = methodOf(Map.prototype, 'forEach');
const mapSet = methodOf(Map.prototype, 'set');
const setForEach = methodOf(Set.prototype, 'forEach');
const setAdd = methodOf(Set.prototype, 'add');

/**
 * Copies argument lists as they are now, for a run that starts later. Everything that a key is built from is copied: plain
 * objects, arrays, maps, sets, dates, bytes, URLs. Functions, instances, signals and all that `exclusions` leave out stay
 * the same objects. A list with nothing to copy is returned itself.
 *
 * A getter is read once and becomes a value. What a key does not show, such as symbols and properties that are not
 * enumerable, is taken over as it is; so is a value that cannot be read. Predicates of `ignore` are asked again.
 */
export class ArgumentCopier {
  readonly #exclusions: Exclusions;
  readonly #filter: PropertyFilter | undefined;
  readonly #kinds = new KindTable();

  constructor(exclusions: Exclusions) {
    this.#exclusions = exclusions;
    this.#filter = exclusions.properties.names === undefined ? undefined : exclusions.properties;
  }

  copy(args: readonly unknown[]): readonly unknown[] {
    let copier: Copier | undefined;
    let copies: unknown[] | undefined;
    for (let i = 0; i < args.length; i++) {
      const value = args[i];
      if (typeof value !== 'object' || value === null || this.#exclusions.has(value, i)) continue;
      const copy = (copier ??= new Copier(this.#kinds)).copy(value, this.#filter, 1);
      if (copy !== value) (copies ??= [...args])[i] = copy;
    }
    return copies ?? args;
  }
}

/** Copies the values of one list. */
class Copier {
  readonly #kinds: KindTable;
  /** Copies by the filter that applied, then by original, so that shared references and cycles are kept. */
  readonly #copies = new Map<PropertyFilter | undefined, Map<object, object>>();

  constructor(kinds: KindTable) {
    this.#kinds = kinds;
  }

  copy(value: unknown, filter: PropertyFilter | undefined, level: number): unknown {
    if (typeof value !== 'object' || value === null || level > deepest) return value;
    const known = this.#copies.get(filter)?.get(value);
    if (known !== undefined) return known;
    const prototype = getPrototypeOf(value) as object | null;
    const kind = prototype === null || prototype === rootPrototype ? 'Object' : this.#kinds.of(prototype);
    const copy = kind === undefined ? undefined : shallowCopy(kind, value, prototype);
    if (copy === undefined) return value;
    this.#remember(value, copy, filter);
    if (kind === 'Object') this.#copyProperties(value, copy, filter, level);
    else if (kind === 'Array') this.#copyElements(value as readonly unknown[], copy as unknown[], level);
    else if (kind === 'Map') this.#copyEntries(value, copy, level);
    else if (kind === 'Set') this.#copyMembers(value, copy, level);
    return copy;
  }

  #remember(value: object, copy: object, filter: PropertyFilter | undefined): void {
    let copies = this.#copies.get(filter);
    if (copies === undefined) this.#copies.set(filter, (copies = new Map<object, object>()));
    copies.set(value, copy);
  }

  #copyProperties(value: object, copy: object, filter: PropertyFilter | undefined, level: number): void {
    let copied = 0;
    for (const name of keys(value)) {
      const rule = filter?.names?.get(name);
      if (rule === true) continue;
      define(copy, name, this.copy((value as Record<string, unknown>)[name], rule, level + 1));
      copied++;
    }
    if (ownKeys(value).length > copied) takeOver(value, copy);
  }

  #copyElements(value: readonly unknown[], copy: unknown[], level: number): void {
    if (value.length > mostVisited) {
      this.#copyProperties(value, copy, undefined, level);
      return;
    }
    // One for `length`.
    let copied = 1;
    for (let i = 0; i < value.length; i++) {
      const inner = value[i];
      if (inner === undefined && !hasOwn(value, i)) continue;
      copy[i] = this.copy(inner, undefined, level + 1);
      copied++;
    }
    if (ownKeys(value).length > copied) takeOver(value, copy);
  }

  /** All entries are read first: a getter inside of one may change the map. */
  #copyEntries(map: object, copy: object, level: number): void {
    const entries: [unknown, unknown][] = [];
    mapForEach(map, (inner: unknown, key: unknown) => entries.push([key, inner]));
    for (const [key, inner] of entries)
      mapSet(copy, this.copy(key, undefined, level + 1), this.copy(inner, undefined, level + 1));
  }

  #copyMembers(set: object, copy: object, level: number): void {
    const members: unknown[] = [];
    setForEach(set, (inner: unknown) => members.push(inner));
    for (const inner of members) setAdd(copy, this.copy(inner, undefined, level + 1));
  }
}

/** Without anything that is inside; `undefined` for a value that cannot change, or is not what its prototype says. */
function shallowCopy(kind: Kind, value: object, prototype: object | null): object | undefined {
  if (kind === 'Object') {
    // A `Date` or `arguments` stays one with the prototype of a plain object.
    if (tagOf(value) !== 'Object') return undefined;
    return prototype === rootPrototype ? {} : (create(prototype) as object);
  }
  if (kind === 'Array') {
    if (!Array.isArray(value)) return undefined;
    const copy = new Array<unknown>(value.length);
    return prototype === arrayPrototype ? copy : (setPrototypeOf(copy, prototype) as object);
  }
  const copy = builtInCopy(kind, value);
  if (copy === undefined) return undefined;
  if (getPrototypeOf(copy) !== prototype) setPrototypeOf(copy, prototype);
  // The own properties of typed arrays are their elements: a key refuses any other.
  if (!ArrayBuffer.isView(copy)) takeOver(value, copy);
  return copy;
}

function builtInCopy(kind: Exclude<Kind, 'Object' | 'Array'>, value: object): object | undefined {
  try {
    return copyBuiltIn(kind, value);
  } catch {
    // It has no internal state to read, so a key refuses it.
    return undefined;
  }
}

/** Assignment is many times faster, but would run a setter that is inherited, as that of `__proto__`. */
function define(copy: object, name: string, value: unknown): void {
  if (name in copy) defineProperty(copy, name, { value, enumerable: true, writable: true, configurable: true });
  else (copy as Record<string, unknown>)[name] = value;
}

/** What was not copied: excluded properties, which are not read, and those that a key does not show. */
function takeOver(value: object, copy: object): void {
  for (const name of ownKeys(value)) {
    if (!hasOwn(copy, name)) defineProperty(copy, name, getOwnPropertyDescriptor(value, name) as PropertyDescriptor);
  }
}
