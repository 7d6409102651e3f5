import { copyBuiltIn } from './copy-built-in.js';
import { methodOf, tagOf } from './intrinsics.js';
import { KindTable } from './kinds.js';
import type { Exclusions, PropertyFilter } from './ignore.js';
import type { Kind } from './kinds.js';

/** Deeper values stay as they are. The arguments of a key have no more levels; with `keyOf` they may have any number. */
const deepest = 200;

const { create, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, hasOwn, keys, setPrototypeOf } = Object;
const { ownKeys } = Reflect;

const mapForEach = methodOf(Map.prototype, 'forEach');
const mapSet = methodOf(Map.prototype, 'set');
const setForEach = methodOf(Set.prototype, 'forEach');
const setAdd = methodOf(Set.prototype, 'add');

/**
 * The arguments as they are now, for a run that starts later. Everything that a key is built from is copied: plain objects,
 * arrays, maps, sets, dates, bytes, URLs. Functions, instances, signals and all that `exclusions` leave out stay the same
 * objects. A list with nothing to copy is returned itself.
 *
 * A getter is read once and becomes a value. What a key does not show, such as symbols and properties that are not
 * enumerable, is taken over as it is; so is a value that cannot be read. Predicates of `ignore` are asked again.
 */
export function copyArguments(args: readonly unknown[], exclusions: Exclusions): readonly unknown[] {
  const filter = exclusions.properties.names === undefined ? undefined : exclusions.properties;
  let copier: Copier | undefined;
  let copies: unknown[] | undefined;
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (typeof value !== 'object' || value === null || exclusions.has(value, i)) continue;
    const copy = (copier ??= new Copier()).copy(value, filter, 1);
    if (copy !== value) (copies ??= [...args])[i] = copy;
  }
  return copies ?? args;
}

class Copier {
  readonly #kinds = new KindTable();
  /** Copies by the filter that applied, then by original, so that shared references and cycles are kept. */
  readonly #copies = new Map<PropertyFilter | undefined, Map<object, object>>();

  copy(value: unknown, filter: PropertyFilter | undefined, level: number): unknown {
    if (typeof value !== 'object' || value === null || level > deepest) return value;
    const known = this.#copies.get(filter)?.get(value);
    if (known !== undefined) return known;
    const prototype = getPrototypeOf(value) as object | null;
    const kind = prototype === null ? 'Object' : this.#kinds.of(prototype);
    const copy = kind === undefined ? undefined : shallowCopy(kind, value);
    if (kind === undefined || copy === undefined) return value;
    if (getPrototypeOf(copy) !== prototype) setPrototypeOf(copy, prototype);
    this.#remember(value, copy, filter);
    if (kind === 'Map') this.#copyEntries(value, copy, level);
    else if (kind === 'Set') this.#copyElements(value, copy, level);
    else if (kind === 'Object' || kind === 'Array') this.#copyProperties(value, copy, filter, level);
    if (!hasElements(value)) takeOver(value, copy);
    return copy;
  }

  #remember(value: object, copy: object, filter: PropertyFilter | undefined): void {
    let copies = this.#copies.get(filter);
    if (copies === undefined) this.#copies.set(filter, (copies = new Map<object, object>()));
    copies.set(value, copy);
  }

  #copyProperties(value: object, copy: object, filter: PropertyFilter | undefined, level: number): void {
    for (const name of keys(value)) {
      const rule = filter?.names?.get(name);
      if (rule === true) continue;
      const inner = this.copy((value as Record<string, unknown>)[name], rule, level + 1);
      defineProperty(copy, name, { value: inner, enumerable: true, writable: true, configurable: true });
    }
  }

  /** All entries are read first: a getter inside of one may change the map. */
  #copyEntries(map: object, copy: object, level: number): void {
    const entries: [unknown, unknown][] = [];
    mapForEach(map, (inner: unknown, key: unknown) => entries.push([key, inner]));
    for (const [key, inner] of entries)
      mapSet(copy, this.copy(key, undefined, level + 1), this.copy(inner, undefined, level + 1));
  }

  #copyElements(set: object, copy: object, level: number): void {
    const elements: unknown[] = [];
    setForEach(set, (inner: unknown) => elements.push(inner));
    for (const inner of elements) setAdd(copy, this.copy(inner, undefined, level + 1));
  }
}

/** `undefined` for a value that cannot change, or is not what its prototype says. */
function shallowCopy(kind: Kind, value: object): object | undefined {
  // A `Date` or `arguments` stays one with the prototype of a plain object.
  if (kind === 'Object') return tagOf(value) === 'Object' ? (create(null) as object) : undefined;
  if (kind === 'Array') return Array.isArray(value) ? emptyArray(value.length) : undefined;
  try {
    return copyBuiltIn(kind, value);
  } catch {
    return undefined;
  }
}

function emptyArray(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

/** Typed arrays: their own properties are their elements, and a key refuses any other. */
function hasElements(value: object): boolean {
  return ArrayBuffer.isView(value) && 'length' in value;
}

/** What was not copied: excluded properties, which are not read, and those that a key does not show. */
function takeOver(value: object, copy: object): void {
  for (const name of ownKeys(value)) {
    if (!hasOwn(copy, name)) defineProperty(copy, name, getOwnPropertyDescriptor(value, name) as PropertyDescriptor);
  }
}
