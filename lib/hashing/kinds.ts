import { methodOf } from './intrinsics.js';
import { temporalKind } from './temporal.js';
import type { TemporalKind } from './temporal.js';

/** Names of the built-ins whose contents can be read completely from outside. */
const nativeNames = [
  'Object',
  'Array',
  'Date',
  'RegExp',
  'Map',
  'Set',
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Number',
  'String',
  'Boolean',
  'BigInt',
  'URL',
  'URLSearchParams',
] as const;

const globalNames = [...nativeNames, 'Buffer'] as const;

/** On some hosts these are not native code, so their prototypes cannot be recognized by it. */
const hostNames: ReadonlySet<string> = new Set(['URL', 'URLSearchParams', 'Buffer']);

export type Kind = (typeof globalNames)[number] | TemporalKind;

type Globals = Partial<Record<Kind, { readonly prototype: object }>>;

const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;
const sourceOf = methodOf(Function.prototype, 'toString');

/**
 * Tells the kind of an object from its prototype, in any realm. A prototype of another realm is recognized by its
 * constructor, which must be native code of the right name: neither a subclass nor a class that only has the name passes.
 */
export class KindTable {
  readonly #globals: Globals;
  readonly #known = new WeakMap<object, Kind | null>();

  constructor(globals: Globals = globalThis) {
    this.#globals = globals;
    for (const name of globalNames) {
      const prototype = globals[name]?.prototype;
      if (prototype === undefined) continue;
      this.#known.set(prototype, name);
      if (hostNames.has(name)) this.#addParents(prototype, name);
    }
  }

  /** Where a subclass has replaced the global, its parent is the real one. */
  #addParents(prototype: object, name: Kind): void {
    for (let next = parentOf(prototype); next !== null && parentOf(next) !== null; next = parentOf(next)) {
      if (this.of(next) !== undefined) return;
      this.#known.set(next, name);
    }
  }

  /** The kind of objects with this prototype; `undefined` for classes, subclasses and everything unknown. */
  of(prototype: object): Kind | undefined {
    let kind = this.#known.get(prototype);
    if (kind === undefined) {
      kind = foreignKind(prototype) ?? temporalKind(prototype) ?? null;
      this.#known.set(prototype, kind);
    }
    return kind ?? this.#replacedKind(prototype);
  }

  /** Test tools replace a global by a subclass for a while, such as `Date`. That is not remembered. */
  #replacedKind(prototype: object): Kind | undefined {
    return globalNames.find((name) => this.#globals[name]?.prototype === prototype);
  }
}

function parentOf(object: object): object | null {
  return getPrototypeOf(object) as object | null;
}

function foreignKind(prototype: object): Kind | undefined {
  const maker = getOwnPropertyDescriptor(prototype, 'constructor');
  if (typeof maker?.value !== 'function' || maker.enumerable === true) return undefined;
  const constructor = maker.value as { readonly prototype: unknown };
  const name = nativeName(constructor);
  if (!isKindName(name) || !hasOwn(constructor, 'prototype') || constructor.prototype !== prototype) return undefined;
  return (name === 'Object') === (getPrototypeOf(prototype) === null) ? name : undefined;
}

/** The name in the source of a function that is native code; `undefined` for any other function. */
export function nativeName(maker: object): string | undefined {
  return nameInSource(sourceOf(maker) as string);
}

/** Engines differ in the blanks. */
export function nameInSource(source: string): string | undefined {
  return /^\s*function (\w+)\(\)\s*\{\s*\[native code\]\s*\}\s*$/.exec(source)?.[1];
}

/** True for the name of a built-in that is encoded, so that a refusal by that name alone would mislead. */
export function isKindName(name: string | undefined): name is (typeof nativeNames)[number] {
  return (nativeNames as readonly (string | undefined)[]).includes(name);
}
