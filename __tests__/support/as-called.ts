/** The list without what a call does not see: `undefined` at the end, and a `signal` that is `undefined`. */
export function asCalled(args: readonly unknown[]): unknown[] {
  const given = [...args];
  while (given.length > 0 && given.at(-1) === undefined) given.pop();
  return given.map(withoutAbsentSignal);
}

function withoutAbsentSignal(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null || !Object.hasOwn(argument, 'signal')) return argument;
  const { signal, ...rest } = argument as { signal: unknown };
  // A spread has the prototype of a plain object, and `__proto__` stays an own property in it.
  return signal === undefined
    ? (Object.setPrototypeOf(rest, Object.getPrototypeOf(argument) as object | null) as object)
    : argument;
}
