import { methodOf } from './intrinsics.js';

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

export type Kind = (typeof nativeNames)[number] | 'Buffer';

type Globals = Partial<Record<Kind, { readonly prototype: object }>>;

const { getPrototypeOf, hasOwn } = Object;
const sourceOf = methodOf(Function.prototype, 'toString');

/**
 * Tells what an object is by its prototype, in any realm. A prototype of another realm is known by its constructor, which
 * must be native code of the right name, so neither a subclass nor a class that merely has the name passes.
 */
export class KindTable {
  readonly #known = new WeakMap<object, Kind | null>();

  constructor(globals: Globals = globalThis) {
    for (const name of [...nativeNames, 'Buffer'] as const) {
      const prototype = globals[name]?.prototype;
      if (prototype !== undefined) this.#known.set(prototype, name);
    }
  }

  /** What objects with this prototype are, or `undefined` for classes, subclasses and everything unknown. */
  of(prototype: object): Kind | undefined {
    let kind = this.#known.get(prototype);
    if (kind === undefined) {
      // Fake timers put a subclass in the place of the global Date for a while: no fact to remember.
      if (prototype === globalThis.Date.prototype) return 'Date';
      kind = foreignKind(prototype);
      this.#known.set(prototype, kind);
    }
    return kind ?? undefined;
  }
}

function foreignKind(prototype: object): Kind | null {
  const maker = Object.getOwnPropertyDescriptor(prototype, 'constructor');
  if (typeof maker?.value !== 'function' || maker.enumerable === true) return null;
  const constructor = maker.value as { readonly prototype: unknown };
  const name = nativeName(sourceOf(constructor) as string);
  if (!isNativeName(name) || !hasOwn(constructor, 'prototype') || constructor.prototype !== prototype) return null;
  return (name === 'Object') === (getPrototypeOf(prototype) === null) ? name : null;
}

/** The name in the source of a function that is native code; engines differ in the blanks. */
export function nativeName(source: string): string | undefined {
  return /^\s*function (\w+)\(\)\s*\{\s*\[native code\]\s*\}\s*$/.exec(source)?.[1];
}

function isNativeName(name: string | undefined): name is (typeof nativeNames)[number] {
  return (nativeNames as readonly (string | undefined)[]).includes(name);
}
