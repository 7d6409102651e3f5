/** A method of the language's own, as a function of its receiver. */
type Uncurried = (receiver: unknown, ...args: unknown[]) => unknown;

type Method = (...args: unknown[]) => unknown;

/**
 * The method, or with `'get'` the getter, that `prototype` has now. It reads the hidden state of an object of any realm,
 * whatever stands on the object itself, and throws for an object that has no such state.
 */
export function methodOf(prototype: object, name: string | symbol, part: 'value' | 'get' = 'value'): Uncurried {
  const property = Object.getOwnPropertyDescriptor(prototype, name) as Record<typeof part, Method>;
  const method = property[part];
  return (receiver, ...args) => Reflect.apply<unknown, unknown[], unknown>(method, receiver, args);
}

const isEnumerable = methodOf(Object.prototype, 'propertyIsEnumerable');
const tagged = methodOf(Object.prototype, 'toString');

/** Symbols under which the object itself has an enumerable property. */
export function enumerableSymbols(object: object): symbol[] {
  const symbols = Object.getOwnPropertySymbols(object);
  return symbols.length === 0 ? symbols : symbols.filter((symbol) => isEnumerable(object, symbol));
}

/** `Arguments`, `Math`, `Object` …: what stands between `[object ` and `]`. */
export function tagOf(object: object): string {
  return (tagged(object) as string).slice(8, -1);
}

/** True while somebody has given the root of all objects a property that `for…in` shows. */
export function inheritsEnumerables(): boolean {
  for (const _name in {}) return true;
  return false;
}
