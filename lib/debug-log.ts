import QuickLRU from 'quick-lru';
import { loadPackage } from './platform/load-package.js';

interface Debugger {
  (this: void, format: string, ...values: unknown[]): void;
  /** Follows `DEBUG` and `debug.enable()`. */
  readonly enabled: boolean;
}

interface CreateDebug {
  (namespace: string): Debugger;
  readonly namespaces?: unknown;
}

/**
 * The log of a wrapper, `undefined` where `debug` cannot be loaded: in browsers, in bundles without node_modules beside
 * them. Loaded here and not imported, it is the copy that the user's own `debug.enable()` switches.
 */
export function openDebugLog(name: string): DebugLog | undefined {
  const createDebug = loadPackage<CreateDebug>('debug');
  if (createDebug === undefined) return undefined;
  let logs = openLogs.get(createDebug);
  if (logs === undefined) openLogs.set(createDebug, (logs = new QuickLRU({ maxSize: MOST_LOGS })));
  const known = logs.get(name);
  if (known !== undefined) return known;
  const log = new DebugLog(createDebug, `aiocachetools:${namespaceOf(name)}`);
  logs.set(name, log);
  return log;
}

/** By name: a wrapper may be made for each request, and a logger costs more than the rest of it. */
const openLogs = new WeakMap<CreateDebug, QuickLRU<string, DebugLog>>();

const MOST_LOGS = 100;

/** The log of one namespace. */
export class DebugLog {
  readonly write: Debugger;
  /**
   * Reads the setting of `debug` through an object that inherits from it. `debug` itself has so many properties that reading
   * one is a search: that, and `enabled`, would take a fifth of a hit and two thirds of a join.
   */
  readonly #settings: { readonly namespaces?: unknown };
  /** The setting that `#isEnabled` was read under. */
  #namespaces: unknown;
  #isEnabled = false;

  constructor(createDebug: CreateDebug, namespace: string) {
    this.write = createDebug(namespace);
    this.#settings = Object.create(createDebug) as { readonly namespaces?: unknown };
  }

  get isEnabled(): boolean {
    const { namespaces } = this.#settings;
    if (namespaces !== this.#namespaces) {
      this.#namespaces = namespaces;
      this.#isEnabled = this.write.enabled;
    }
    return this.#isEnabled;
  }
}

/** `DEBUG` splits at spaces and commas, takes `*` for a pattern and a leading `-` for an exclusion. */
function namespaceOf(name: string): string {
  return name.replace(/[\s,*%]|^-/gu, '_');
}
