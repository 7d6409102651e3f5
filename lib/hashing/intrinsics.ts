/** A built-in method, as a function of its receiver. */
type Uncurried = (receiver: unknown, ...args: unknown[]) => unknown;

type Method = (...args: unknown[]) => unknown;

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf } = Object;

/** The root of all objects of this realm. `Object.prototype` is another one where a subclass replaces `Object`. */
export const rootPrototype = getPrototypeOf({}) as object;

const isEnumerable = methodOf(rootPrototype, 'propertyIsEnumerable');
const tagged = methodOf(rootPrototype, 'toString');

/**
 * The method `name` of the objects that inherit from `prototype`, or with `'get'` the getter. It reads the internal state
 * of an object of any realm, whatever the object itself has under that name, and throws where there is no such state.
 *
 * The definition nearest to the root counts. Test tools replace a global by a subclass, which inherits the method or
 * overrides it.
 */
export function methodOf(prototype: object, name: string | symbol, part: 'value' | 'get' = 'value'): Uncurried {
  const definition = definitionOf(prototype, name) as Record<typeof part, Method> | undefined;
  // A host without the method refuses what it would read, and imports all the same.
  const method = definition?.[part] as Method;
  return (receiver, ...args) => Reflect.apply<unknown, unknown[], unknown>(method, receiver, args);
}

/** Of `Object.prototype` itself only for `Object.prototype`: all kinds inherit its `toString` and `valueOf`. */
function definitionOf(prototype: object, name: string | symbol): PropertyDescriptor | undefined {
  let definition = getOwnPropertyDescriptor(prototype, name);
  for (let next = parentOf(prototype); next !== null && parentOf(next) !== null; next = parentOf(next)) {
    definition = getOwnPropertyDescriptor(next, name) ?? definition;
  }
  return definition;
}

function parentOf(object: object): object | null {
  return getPrototypeOf(object) as object | null;
}

/** Symbols under which the object itself has an enumerable property. */
export function enumerableSymbols(object: object): symbol[] {
  const symbols = getOwnPropertySymbols(object);
  return symbols.length === 0 ? symbols : symbols.filter((symbol) => isEnumerable(object, symbol));
}

/** `Arguments`, `Math`, `Object` …: the text between `[object ` and `]`. */
export function tagOf(object: object): string {
  return (tagged(object) as string).slice(8, -1);
}

/** True while `Object.prototype` has a property that `for…in` shows. */
export function inheritsEnumerables(): boolean {
  for (const _name in {}) return true;
  return false;
}
