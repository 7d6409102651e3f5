interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/**
 * A module of Node, where the host has it; `undefined` in browsers and on older versions. No import, so that bundles for
 * other hosts need not contain it.
 *
 * @param host Stands for `globalThis` in tests.
 */
export function builtInModule<T>(name: `node:${string}`, host: object = globalThis): Partial<T> | undefined {
  return (host as Host).process?.getBuiltinModule?.(name) as Partial<T> | undefined;
}
