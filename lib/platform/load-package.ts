import { builtInModule } from './built-in-module.js';

type Require = (name: string) => unknown;

interface ModuleOfModules {
  createRequire(this: void, from: string): Require;
}

/** CommonJS only. */
declare const require: Require | undefined;

/**
 * Loads a dependency at its first use. Returns `undefined` if the host has no `require` or does not find the package.
 *
 * There is no `import`: `debug` and `object-hash` are CommonJS and require modules of Node, so a bundle of ES modules that
 * contains them cannot start.
 */
export const loadPackage = createPackageLoader();

/** @param host Stands for `globalThis` in tests. */
export function createPackageLoader(host: object = globalThis): <T>(name: string) => T | undefined {
  let load: Require | undefined;
  return <T>(name: string) => {
    try {
      load ??= requireOf(host);
      return load?.(name) as T | undefined;
    } catch {
      // As in a bundle that is deployed without node_modules: the caller does without the package.
      return undefined;
    }
  };
}

/** `import.meta.url` is missing in CommonJS, and in what a bundler makes of it. */
function requireOf(host: object): Require | undefined {
  if (!mayRead(host)) return undefined;
  const from = import.meta.url as string | undefined;
  if (from === undefined) return typeof require === 'function' ? require : undefined;
  return builtInModule<ModuleOfModules>('node:module', host)?.createRequire?.(from);
}

interface Permissions {
  querySync(this: Permissions, descriptor: { readonly name: 'read' | 'env' }): { readonly state: string };
}

/** Deno would ask its user about files and variables, or throw. A log is no reason to ask. */
function mayRead(host: object): boolean {
  const { permissions } = (host as { Deno?: { permissions?: Permissions } }).Deno ?? {};
  if (permissions === undefined) return true;
  return (['read', 'env'] as const).every((name) => permissions.querySync({ name }).state === 'granted');
}
