import { builtInModule } from '../platform/built-in-module.js';
import { base64url, littleEndian } from './bytes.js';
import { describeObject } from './describe-object.js';
import { enumerableSymbols, methodOf } from './intrinsics.js';
import { isTemporal, temporalText } from './temporal.js';
import { longestText, tooLong, UnkeyableValue } from './unkeyable.js';
import { viewParts } from './view-parts.js';
import type { Kind } from './kinds.js';
import type { TemporalKind } from './temporal.js';
import type { ViewParts } from './view-parts.js';

/** Writes a value that is inside the built-in. */
type WriteInner = (value: unknown) => string;

type BuiltIn = Exclude<Kind, 'Object' | 'Array'>;

/** `util.isDeepStrictEqual`, on hosts that have it. */
type Compare = ((this: void, a: unknown, b: unknown) => boolean) | undefined;

interface ViewMaker {
  new (buffer: ArrayBufferLike, offset: number, length: number): object;
  from(buffer: ArrayBufferLike, offset: number, length: number): object;
}

/** Up to this number of elements, listing all names costs next to nothing. */
const fewElements = 64;

const { getPrototypeOf } = Object;

const dateTime = methodOf(Date.prototype, 'getTime');
const mapForEach = methodOf(Map.prototype, 'forEach');
const setForEach = methodOf(Set.prototype, 'forEach');
const regExpSource = methodOf(RegExp.prototype, 'source', 'get');
const regExpFlags = methodOf(RegExp.prototype, 'flags', 'get');
const arrayBufferLength = methodOf(ArrayBuffer.prototype, 'byteLength', 'get');
const typedArrayName = methodOf(Uint8Array.prototype, Symbol.toStringTag, 'get');
const primitiveOf = {
  Number: methodOf(Number.prototype, 'valueOf'),
  String: methodOf(String.prototype, 'valueOf'),
  Boolean: methodOf(Boolean.prototype, 'valueOf'),
  BigInt: methodOf(BigInt.prototype, 'valueOf'),
} as const;

/** Kinds that have no own properties. */
const plainOnes: ReadonlySet<Kind> = new Set<Kind>([
  'Date',
  'RegExp',
  'Map',
  'Set',
  'URL',
  'URLSearchParams',
  'ArrayBuffer',
]);

/**
 * Text of a built-in: `@` and a letter, then its whole contents. An object that only looks like one is refused, as are
 * own properties that its text would not show.
 */
export function canonicalizeBuiltIn(kind: BuiltIn, object: object, write: WriteInner, compare: Compare): string {
  if (plainOnes.has(kind)) refuseExtras(kind, object);
  switch (kind) {
    case 'Date':
      return `@D${contentsOf(kind, object, () => dateTime(object) as number)}`;
    case 'RegExp':
      return regExp(object as RegExp, write);
    case 'Map':
      return map(object as Map<unknown, unknown>, write);
    case 'Set':
      return set(object as Set<unknown>, write);
    case 'URL':
      return `@U${write(contentsOf(kind, object, () => inherited(object, 'href', 'get')))}`;
    case 'URLSearchParams':
      return `@Q${write(contentsOf(kind, object, () => inherited(object, 'toString', 'value')))}`;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      return boxed(kind, object, write, compare);
    case 'ArrayBuffer':
      return arrayBuffer(object as ArrayBuffer);
    default:
      return isTemporal(kind) ? temporal(kind, object, write) : view(kind, object as ArrayBufferView, compare);
  }
}

function regExp(object: RegExp, write: WriteInner): string {
  const source = contentsOf('RegExp', object, () => regExpSource(object));
  return `@R${write(source)}${write(regExpFlags(object))}${at(object, '.lastIndex', () => write(object.lastIndex))}`;
}

function map(object: Map<unknown, unknown>, write: WriteInner): string {
  // Read before anything is written: a getter inside may change the map.
  const keys: unknown[] = [];
  const values: unknown[] = [];
  contentsOf('Map', object, () =>
    mapForEach(object, (value: unknown, key: unknown) => {
      keys.push(key);
      values.push(value);
    }),
  );
  const bound = new Bound();
  const texts = keys.map((key, index) => {
    const keyText = at(object, `.keys()[${index}]`, () => write(key));
    return bound.of(keyText + at(object, `.values()[${index}]`, () => write(values[index])));
  });
  return `@M${texts.length}${texts.sort().join('')}`;
}

function set(object: Set<unknown>, write: WriteInner): string {
  const values: unknown[] = [];
  contentsOf('Set', object, () => setForEach(object, (value: unknown) => values.push(value)));
  const bound = new Bound();
  const texts = values.map((value, index) => bound.of(at(object, `.values()[${index}]`, () => write(value))));
  return `@S${texts.length}${texts.sort().join('')}`;
}

function boxed(kind: keyof typeof primitiveOf, object: object, write: WriteInner, compare: Compare): string {
  const primitive = contentsOf(kind, object, () => primitiveOf[kind](object));
  const text = `@P${write(primitive)}`;
  if (typeof primitive === 'string')
    refuseNamed(kind, object, primitive.length, () => compare?.(object, Object(primitive)));
  else refuseExtras(kind, object);
  return text;
}

function temporal(kind: TemporalKind, object: object, write: WriteInner): string {
  refuseExtras(kind, object);
  const text = contentsOf(kind, object, () => temporalText(object));
  return `@T${write(kind.slice('Temporal.'.length))}${write(text)}`;
}

function arrayBuffer(object: ArrayBuffer): string {
  return `@A${bytesText(
    contentsOf('ArrayBuffer', object, () => {
      arrayBufferLength(object);
      return new Uint8Array(object);
    }),
  )}`;
}

function view(kind: BuiltIn, object: ArrayBufferView, compare: Compare): string {
  const name = typedArrayName(object) as string | undefined;
  if (name !== (kind === 'Buffer' ? 'Uint8Array' : kind === 'DataView' ? undefined : kind)) {
    throw new UnkeyableValue(describeObject(object, kind), object);
  }
  const { bytes, parts } = contentsOf(kind, object, () => {
    const parts = viewParts(object, name === undefined);
    return { parts, bytes: new Uint8Array(parts.buffer, parts.byteOffset, parts.byteLength) };
  });
  const { byteLength, length } = parts;
  refuseNamed(kind, object, length, () => compare?.(object, copyOf(kind, parts)));
  // A DataView has neither elements nor a byte order.
  const width = length === 0 ? 1 : byteLength / length;
  return `@B${kind}:${bytesText(littleEndian(bytes, width))}`;
}

/**
 * Like `refuseExtras`, for objects of many elements. Listing their names would list every index; a comparison with a copy
 * of the elements, on hosts that have one, does not.
 */
function refuseNamed(kind: BuiltIn, object: object, length: number, isItsCopy: () => boolean | undefined): void {
  if (length > fewElements && isItsCopy() === true) return;
  refuseExtras(kind, object, length);
}

/** The same elements and nothing else, made by the constructor of this realm. */
function copyOf(kind: BuiltIn, { buffer, byteOffset, length }: ViewParts): object | undefined {
  const maker = (globalThis as unknown as Partial<Record<string, ViewMaker>>)[kind];
  return kind === 'Buffer' ? maker?.from(buffer, byteOffset, length) : maker && new maker(buffer, byteOffset, length);
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length > longestText) throw tooLong();
  return `${bytes.length}:${base64url(bytes)}`;
}

/** Adds up texts before they are joined: together they may exceed the longest string of the engine. */
class Bound {
  #length = 0;

  of(text: string): string {
    this.#length += text.length;
    if (this.#length > longestText) throw tooLong();
    return text;
  }
}

/** Reads internal state. An object without it only has the prototype, is a Proxy, or its memory is detached. */
function contentsOf<T>(kind: Kind, object: object, read: () => T): T {
  try {
    return read();
  } catch {
    throw new UnkeyableValue(describeObject(object, kind), object);
  }
}

function at(container: object, step: string, write: () => string): string {
  try {
    return write();
  } catch (error) {
    return UnkeyableValue.rethrow(error, container, step);
  }
}

/** Own properties of a built-in are not encoded, so an object that has some is refused. */
function refuseExtras(kind: string, object: object, indices = 0): void {
  const hasExtras =
    Object.keys(object).length > indices || enumerableSymbols(object).some((symbol) => !isOfHost(kind, symbol));
  if (hasExtras) throw new UnkeyableValue(`${kind} with properties of its own`, object);
}

/** Deno keeps the state of a URL under symbols of the object itself: those that any new URL has do not count. */
function isOfHost(kind: string, symbol: symbol): boolean {
  const fresh = kind === 'URL' ? new URL('a:') : kind === 'URLSearchParams' ? new URLSearchParams() : undefined;
  return fresh !== undefined && Object.hasOwn(fresh, symbol);
}

/** URLs may belong to another realm or to a polyfill, so the method is looked up for each. */
function inherited(object: object, name: string, part: 'value' | 'get'): unknown {
  return methodOf(getPrototypeOf(object) as object, name, part)(object);
}

/** Looked up once: asking the host costs more than a comparison. */
export function hostCompare(): Compare {
  return builtInModule<{ isDeepStrictEqual: Compare }>('node:util')?.isDeepStrictEqual;
}
