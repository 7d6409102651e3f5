/**
 * Run in a process of its own: replaces every built-in by a subclass whose methods lie, and only then imports the library.
 * Prints the key of every list by its name, by objects of the real built-ins and by those of the subclasses.
 */
import { argumentLists } from './hashing-values.js';

const names = [
  'Date', 'RegExp', 'Map', 'Set', 'ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array',
  'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Number',
  'String', 'Boolean', 'URL', 'URLSearchParams', 'Array', 'Object', 'WeakMap', 'Promise', 'Error', 'TypeError',
] as const; // prettier-ignore

const globals = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
const lies = ['getTime', 'valueOf', 'toString', 'href', 'source', 'byteLength'];
const moment = process.argv[2];

const ofRealBuiltIns = Object.entries(argumentLists).map(([name, list]) => [name, list()] as const);
if (moment === 'before') replaceBuiltIns();
const { createKeyBuilder } = await import('./create-key-builder.js');
const keyFor = createKeyBuilder({ name: 'f' });
if (moment === 'after') replaceBuiltIns();
const ofSubclasses = Object.entries(argumentLists).map(([name, list]) => [name, list()] as const);

const keysOf = (lists: (readonly [string, unknown[]])[]): Record<string, string> =>
  Object.fromEntries(lists.map(([name, list]) => [name, keyFor(undefined, list)]));
console.log(JSON.stringify({ real: keysOf(ofRealBuiltIns), subclass: keysOf(ofSubclasses) }));

function replaceBuiltIns(): void {
  for (const name of names) {
    const real = globals[name]!;
    const replaced = subclassOf(real);
    // Node itself reads the length of an `ArrayBuffer` like this.
    if (name !== 'Object' && name !== 'Array' && name !== 'ArrayBuffer')
      for (const lie of lies) tellLies(replaced.prototype as object, lie);
    globals[name] = replaced;
  }
}

/** It can be called as well, for conversions such as `Object(1)`. */
function subclassOf(real: (typeof globals)[string]): typeof real {
  function Replaced(this: unknown, ...args: unknown[]): unknown {
    return new.target ? Reflect.construct(real, args, new.target) : Reflect.apply(real, this, args);
  }
  Object.setPrototypeOf(Replaced, real);
  Replaced.prototype = Object.create(real.prototype as object) as object;
  Object.defineProperty(Replaced.prototype, 'constructor', { value: Replaced, configurable: true, writable: true });
  return Replaced as unknown as typeof real;
}

function tellLies(prototype: object, name: string): void {
  const isGetter = !['getTime', 'valueOf', 'toString'].includes(name);
  if (!(name in prototype)) return;
  Object.defineProperty(prototype, name, isGetter ? { get: () => 7 } : { value: () => 7, writable: true });
}
