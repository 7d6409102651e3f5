import type { AnyFunction } from './functions.js';

/**
 * An object of the client's type that has some methods of its own, and behind them the client. They are properties and
 * not answers of a proxy, which would double the cost of a hit.
 */
export function createFacade(client: object, own: ReadonlyMap<PropertyKey, unknown>): object {
  const facade = likeness(client);
  const behind = passThrough(client, facade);
  Object.setPrototypeOf(facade, behind);
  // So that it can be listed and spread like the client.
  for (const property of Object.keys(client)) {
    Object.defineProperty(facade, property, {
      get: () => Reflect.get(behind, property) as unknown,
      set: (value: unknown) => void ((client as Record<string, unknown>)[property] = value),
      enumerable: true,
      configurable: true,
    });
  }
  for (const [name, value] of own) {
    Object.defineProperty(facade, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return facade;
}

/** An empty object, or for a client that can be called itself a function that calls it. */
function likeness(client: object): object {
  if (typeof client !== 'function') return {};
  const callable = Function.prototype.bind.call(client, undefined) as { name?: string; length?: number };
  delete callable.name;
  delete callable.length;
  return callable;
}

/** Everything of the client: read from the client, called on the client, set on the client. */
function passThrough(client: object, facade: object): object {
  const methods = new WeakMap<object, unknown>();
  const faced = (value: unknown): unknown => (value === client ? facade : value);
  const throughClient = (method: AnyFunction): unknown => {
    let known = methods.get(method);
    if (known === undefined) {
      known = new Proxy(method, {
        apply: (target, _receiver, args) => faced(Reflect.apply(target, client, args)),
      });
      methods.set(method, known);
    }
    return known;
  };
  // An empty target, for what a proxy may say of a frozen one is restricted.
  return new Proxy(
    {},
    {
      get: (_target, property) => {
        const value: unknown = Reflect.get(client, property, client);
        return typeof value === 'function' && property !== 'constructor'
          ? throughClient(value as AnyFunction)
          : faced(value);
      },
      set: (_target, property, value) => Reflect.set(client, property, value, client),
      has: (_target, property) => Reflect.has(client, property),
      getPrototypeOf: () => Reflect.getPrototypeOf(client),
    },
  );
}
