import { methodOf } from './intrinsics.js';
import { isTemporal } from './temporal.js';
import { viewParts } from './view-parts.js';
import type { Kind } from './kinds.js';

interface ViewMaker {
  new (buffer: ArrayBufferLike): object;
  from(buffer: ArrayBufferLike): object;
}

const { getPrototypeOf } = Object;

const dateTime = methodOf(Date.prototype, 'getTime');
const regExpSource = methodOf(RegExp.prototype, 'source', 'get');
const regExpFlags = methodOf(RegExp.prototype, 'flags', 'get');
const mapSize = methodOf(Map.prototype, 'size', 'get');
const setSize = methodOf(Set.prototype, 'size', 'get');
const sliceBuffer = methodOf(ArrayBuffer.prototype, 'slice');

/**
 * A new built-in with the internal state of `value`: for maps and sets an empty one. `undefined` where the state cannot
 * change. Throws where there is none to read.
 */
export function copyBuiltIn(kind: Exclude<Kind, 'Object' | 'Array'>, value: object): object | undefined {
  switch (kind) {
    case 'Date':
      return new Date(dateTime(value) as number);
    case 'RegExp':
      return copyRegExp(value as RegExp);
    case 'Map':
      return mapSize(value) === undefined ? undefined : new Map();
    case 'Set':
      return setSize(value) === undefined ? undefined : new Set();
    case 'URL':
      return new URL(inherited(value, 'href', 'get'));
    case 'URLSearchParams':
      return new URLSearchParams(inherited(value, 'toString', 'value'));
    case 'ArrayBuffer':
      return sliceBuffer(value, 0) as object;
    case 'Number':
    case 'String':
    case 'Boolean':
    case 'BigInt':
      return undefined;
    default:
      return isTemporal(kind) ? undefined : copyView(kind, value);
  }
}

function copyRegExp(value: RegExp): RegExp {
  const copy = new RegExp(regExpSource(value) as string, regExpFlags(value) as string);
  copy.lastIndex = value.lastIndex;
  return copy;
}

/** Over a buffer of its own, which holds the viewed bytes and no others. */
function copyView(kind: Kind, value: object): object | undefined {
  const { buffer, byteOffset, byteLength } = viewParts(value, kind === 'DataView');
  const viewed = buffer.slice(byteOffset, byteOffset + byteLength);
  const maker = (globalThis as unknown as Partial<Record<Kind, ViewMaker>>)[kind];
  return kind === 'Buffer' ? maker?.from(viewed) : maker && new maker(viewed);
}

/** URLs may belong to another realm or to a polyfill, so the method is looked up for each. */
function inherited(object: object, name: string, part: 'value' | 'get'): string {
  return methodOf(getPrototypeOf(object) as object, name, part)(object) as string;
}
