import { builtInModule } from '../platform/built-in-module.js';
import { base64url, littleEndian } from './bytes.js';
import { enumerableSymbols, methodOf, tagOf } from './intrinsics.js';
import { longestText, UnkeyableValue, tooLong } from './unkeyable.js';
import type { Kind } from './kinds.js';

/** Writes a value that is inside the built-in. */
type WriteInner = (value: unknown) => string;

type BuiltIn = Exclude<Kind, 'Object' | 'Array'>;

/** `util.isDeepStrictEqual`, on hosts that have it. */
type Compare = ((this: void, a: unknown, b: unknown) => boolean) | undefined;

interface ViewMaker {
  new (buffer: ArrayBufferLike, offset: number, length: number): object;
  from(buffer: ArrayBufferLike, offset: number, length: number): object;
}

/** Listing the names of so few elements costs next to nothing. */
const fewElements = 64;

const { getPrototypeOf } = Object;

const dateTime = methodOf(Date.prototype, 'getTime');
const mapForEach = methodOf(Map.prototype, 'forEach');
const setForEach = methodOf(Set.prototype, 'forEach');
const regExpSource = methodOf(RegExp.prototype, 'source', 'get');
const regExpFlags = methodOf(RegExp.prototype, 'flags', 'get');
const arrayBufferLength = methodOf(ArrayBuffer.prototype, 'byteLength', 'get');
const dataViewLength = methodOf(DataView.prototype, 'byteLength', 'get');
const typedArrayName = methodOf(getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag, 'get');
const primitiveOf = {
  Number: methodOf(Number.prototype, 'valueOf'),
  String: methodOf(String.prototype, 'valueOf'),
  Boolean: methodOf(Boolean.prototype, 'valueOf'),
  BigInt: methodOf(BigInt.prototype, 'valueOf'),
} as const;

/** Kinds without properties of their own by index. */
const plainOnes: ReadonlySet<Kind> = new Set(['Date', 'RegExp', 'Map', 'Set', 'URL', 'URLSearchParams', 'ArrayBuffer']);

/** Text of a built-in: `@` and a letter, then its whole contents. Refuses what only looks like one. */
export function canonicalizeBuiltIn(kind: BuiltIn, object: object, write: WriteInner, compare: Compare): string {
  if (plainOnes.has(kind)) refuseExtras(kind, object);
  switch (kind) {
    case 'Date':
      return `@D${contentsOf(object, () => dateTime(object) as number)}`;
    case 'RegExp':
      return regExp(object as RegExp, write);
    case 'Map':
      return map(object as Map<unknown, unknown>, write);
    case 'Set':
      return set(object as Set<unknown>, write);
    case 'URL':
      return `@U${write(contentsOf(object, () => inherited(object, 'href')))}`;
    case 'URLSearchParams':
      return `@Q${write(contentsOf(object, () => (inherited(object, 'toString') as () => unknown).call(object)))}`;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      return boxed(kind, object, write, compare);
    case 'ArrayBuffer':
      return arrayBuffer(object as ArrayBuffer);
    default:
      return view(kind, object as ArrayBufferView, compare);
  }
}

function regExp(object: RegExp, write: WriteInner): string {
  const source = contentsOf(object, () => regExpSource(object));
  return `@R${write(source)}${write(regExpFlags(object))}${at(object, '.lastIndex', () => write(object.lastIndex))}`;
}

function map(object: Map<unknown, unknown>, write: WriteInner): string {
  // Read before anything is written: a getter inside may change the map.
  const keys: unknown[] = [];
  const values: unknown[] = [];
  contentsOf(object, () =>
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
  contentsOf(object, () => setForEach(object, (value: unknown) => values.push(value)));
  const bound = new Bound();
  const texts = values.map((value, index) => bound.of(at(object, `.values()[${index}]`, () => write(value))));
  return `@S${texts.length}${texts.sort().join('')}`;
}

function boxed(kind: keyof typeof primitiveOf, object: object, write: WriteInner, compare: Compare): string {
  const primitive = contentsOf(object, () => primitiveOf[kind](object));
  const text = `@P${write(primitive)}`;
  if (typeof primitive === 'string')
    refuseNamed(kind, object, primitive.length, () => compare?.(object, Object(primitive)));
  else refuseExtras(kind, object);
  return text;
}

function arrayBuffer(object: ArrayBuffer): string {
  return `@A${bytesText(
    contentsOf(object, () => {
      arrayBufferLength(object);
      return new Uint8Array(object);
    }),
  )}`;
}

function view(kind: BuiltIn, object: ArrayBufferView, compare: Compare): string {
  const name = typedArrayName(object) as string | undefined;
  if (name !== (kind === 'Buffer' ? 'Uint8Array' : kind === 'DataView' ? undefined : kind)) {
    throw new UnkeyableValue(nameOf(object));
  }
  const bytes = contentsOf(object, () => {
    if (name === undefined) dataViewLength(object);
    // The bytes of these are their elements; only an empty one may be a detached one.
    if (name === 'Uint8Array' && object.byteLength > 0) return object as Uint8Array;
    return new Uint8Array(object.buffer, object.byteOffset, object.byteLength);
  });
  // A DataView has neither elements nor an order of bytes.
  const { length = 0, BYTES_PER_ELEMENT: width = 1 } = object as Partial<Uint8Array>;
  refuseNamed(kind, object, length, () => compare?.(object, copyOf(kind, object as Uint8Array)));
  return `@B${kind}:${bytesText(littleEndian(bytes, width))}`;
}

/**
 * Like `refuseExtras`, for objects where listing the names would list every index too: a comparison with a copy of the
 * elements, where the host has one, lists none of them.
 */
function refuseNamed(kind: BuiltIn, object: object, length: number, isItsCopy: () => boolean | undefined): void {
  if (length > fewElements && isItsCopy() === true) return;
  refuseExtras(kind, object, length);
}

/** The same elements without anything else, by the maker of this realm. */
function copyOf(kind: BuiltIn, { buffer, byteOffset, length }: Uint8Array): object | undefined {
  const maker = (globalThis as unknown as Partial<Record<string, ViewMaker>>)[kind];
  return kind === 'Buffer' ? maker?.from(buffer, byteOffset, length) : maker && new maker(buffer, byteOffset, length);
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length > longestText) throw tooLong();
  return `${bytes.length}:${base64url(bytes)}`;
}

/** Adds up texts before they are joined: all of them together may be too long for the language. */
class Bound {
  #length = 0;

  of(text: string): string {
    this.#length += text.length;
    if (this.#length > longestText) throw tooLong();
    return text;
  }
}

/** Reads hidden state; an object without it has only borrowed the prototype, or is a proxy or detached. */
function contentsOf<T>(object: object, read: () => T): T {
  try {
    return read();
  } catch {
    throw new UnkeyableValue(nameOf(object));
  }
}

function at(container: object, step: string, write: () => string): string {
  try {
    return write();
  } catch (error) {
    return UnkeyableValue.rethrow(error, container, step);
  }
}

/** What somebody has hung on a built-in would be lost without a word. */
function refuseExtras(kind: string, object: object, indices = 0): void {
  const hasExtras =
    Object.keys(object).length > indices || enumerableSymbols(object).some((symbol) => !isOfHost(kind, symbol));
  if (hasExtras) throw new UnkeyableValue(`${kind} with properties of its own`);
}

/** Deno keeps the state of a URL under symbols on the object itself: those that a fresh one has say nothing. */
function isOfHost(kind: string, symbol: symbol): boolean {
  const fresh = kind === 'URL' ? new URL('a:') : kind === 'URLSearchParams' ? new URLSearchParams() : undefined;
  return fresh !== undefined && Object.hasOwn(fresh, symbol);
}

function inherited(object: object, name: string): unknown {
  return Reflect.get(getPrototypeOf(object) as object, name, object);
}

/** Looked up once: asking the host costs more than a comparison. */
export function hostCompare(): Compare {
  return builtInModule<{ isDeepStrictEqual: Compare }>('node:util')?.isDeepStrictEqual;
}

/** A name for an error message, from an object that may do anything when it is looked at. */
export function nameOf(object: object): string {
  try {
    const maker = (object as { constructor?: unknown }).constructor;
    const name = typeof maker === 'function' ? maker.name : '';
    const tag = tagOf(object);
    return (name === '' || name === 'Object' ? tag : name).slice(0, 60);
  } catch {
    return 'object';
  }
}
