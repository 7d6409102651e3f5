import { loadPackage } from './platform/load-package.js';

/** The log of one namespace: a function of the package `debug`. */
export interface DebugLog {
  (this: void, format: string, ...values: unknown[]): void;
  /** Follows `DEBUG` and `debug.enable()`. */
  readonly enabled: boolean;
}

type CreateDebug = (namespace: string) => DebugLog;

/**
 * The log of a wrapper, `undefined` where `debug` cannot be loaded: in browsers, in bundles without node_modules beside
 * them. Loaded here and not imported, it is the copy that the user's own `debug.enable()` switches.
 */
export function openDebugLog(name: string): DebugLog | undefined {
  return loadPackage<CreateDebug>('debug')?.(`aiocachetools:${namespaceOf(name)}`);
}

/** `DEBUG` splits at spaces and commas, takes `*` for a pattern and a leading `-` for an exclusion. */
function namespaceOf(name: string): string {
  return name.replace(/[\s,*%]|^-/gu, '_');
}
