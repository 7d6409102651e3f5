import { isPlainPrototype } from '../platform/plain-object.js';
import { tagOf } from './intrinsics.js';
import { isKindName, nativeName } from './kinds.js';
import type { Kind } from './kinds.js';

const longestName = 60;

const { getOwnPropertyDescriptor, getPrototypeOf } = Object;

/**
 * What a refused object is, for the message. `kind` is the built-in whose prototype it has, if any. Looking at the object
 * may run its code: whatever that throws is ignored.
 */
export function describeObject(object: object, kind?: Kind): string {
  try {
    return kind === undefined ? describeByPrototype(object) : `${kind} without its internal state, such as a Proxy`;
  } catch {
    return 'object';
  }
}

function describeByPrototype(object: object): string {
  const prototype = getPrototypeOf(object) as object | null;
  const tag = tagOf(object);
  if (prototype === null || isPlainPrototype(prototype)) return isKindName(tag) ? `object tagged as ${tag}` : cut(tag);
  const maker = makerOf(prototype);
  const name = maker?.name ?? '';
  if (maker !== undefined && name === '') return 'instance of a class without a name';
  if (name !== '' && name !== 'Object') return isKindName(name) ? `instance of a class named ${name}` : cut(name);
  return isKindName(tag) ? 'object with a prototype of its own' : cut(tag);
}

/** True for an instance of a class that is no built-in: it can be keyed by identity, or described by `encode`. */
export function isInstance(value: unknown): boolean {
  try {
    if (typeof value !== 'object' || value === null) return false;
    const prototype = getPrototypeOf(value) as object | null;
    const maker = prototype === null || isPlainPrototype(prototype) ? undefined : makerOf(prototype);
    return maker !== undefined && nativeName(maker) === undefined;
  } catch {
    return false;
  }
}

/**
 * The constructor that the prototype itself has. An inherited one misleads: that of `Iterator.prototype` says nothing about
 * the iterator of a Map.
 */
function makerOf(prototype: object): { readonly name: string } | undefined {
  const maker: unknown = getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof maker === 'function' && typeof maker.name === 'string' ? maker : undefined;
}

function cut(name: string): string {
  return name.slice(0, longestName);
}
