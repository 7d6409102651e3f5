import { isWellFormed } from './hashing/well-formed.js';
import { isPlainObject } from './platform/plain-object.js';
import { show } from './platform/show.js';
import { isStore, wayOut } from './store/store-like.js';
import type { MemoizeEvent } from './events.js';
import type { IgnoreRule } from './hashing/ignore.js';
import type { CacheOption, MemoizeOptions } from './options.js';

/** Options as the library uses them: checked, with every default in its place. */
export interface ResolvedOptions {
  readonly cache: CacheOption | undefined;
  readonly maxSize: number | undefined;
  readonly validate: ((value: unknown) => unknown) | undefined;
  readonly keyOf: ((...args: never[]) => unknown) | undefined;
  readonly ignore: readonly IgnoreRule[];
  readonly encode: ((value: unknown) => unknown) | undefined;
  readonly name: string | undefined;
  readonly ttl: number | ((value: unknown, ...args: readonly unknown[]) => unknown);
  /** Empty: none. */
  readonly tags: readonly string[] | ((value: unknown, ...args: readonly unknown[]) => unknown);
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly earlyRefresh: number;
  readonly jitter: number;
  readonly errorTtl: number | ((error: unknown, ...args: readonly unknown[]) => unknown);
  readonly softTimeout: number;
  readonly timeout: number;
  readonly storeTimeout: number;
  readonly detectRecursion: boolean;
  readonly onEvent: ((event: MemoizeEvent) => unknown) | undefined;
}

/** Characters of a name at most. */
export const LONGEST_NAME = 200;

const defaults: ResolvedOptions = {
  cache: undefined,
  maxSize: undefined,
  validate: undefined,
  keyOf: undefined,
  ignore: [],
  encode: undefined,
  name: undefined,
  ttl: Infinity,
  tags: [],
  staleWhileRevalidate: 0,
  staleIfError: 0,
  earlyRefresh: 0,
  jitter: 0,
  errorTtl: 0,
  softTimeout: Infinity,
  timeout: Infinity,
  storeTimeout: 1_000,
  detectRecursion: false,
  onEvent: undefined,
};

/** What is wrong with a value, as the end of "Expected `option` to be …"; `undefined` where it is right. */
type Check = (value: unknown) => string | undefined;

const checks: { readonly [Option in keyof ResolvedOptions]: Check } = {
  cache: (value) =>
    value === null || typeof value === 'function' || isStore(value)
      ? undefined
      : (wayOut(value) ?? 'a store with get, set and delete, a function that picks one, or null'),
  maxSize: (value) => (Number.isSafeInteger(value) && (value as number) > 0 ? undefined : 'a whole number > 0'),
  validate: isFunction,
  keyOf: isFunction,
  ignore: (value) =>
    Array.isArray(value) && Array.from(value as unknown[]).every(isIgnoreRule)
      ? undefined
      : 'an array of positions, property paths and predicates',
  encode: isFunction,
  name: (value) =>
    typeof value === 'string' && value.length <= LONGEST_NAME && !value.includes('|') && isWellFormed(value)
      ? undefined
      : `a string of at most ${LONGEST_NAME} characters without \`|\` and lone surrogates`,
  ttl: (value) =>
    typeof value === 'function' || isDuration(value) ? undefined : 'a number of milliseconds >= 0 or a function',
  tags: (value) => (typeof value === 'function' || isTags(value) ? undefined : 'an array of strings or a function'),
  staleWhileRevalidate: duration,
  staleIfError: duration,
  earlyRefresh: (value) => (isDuration(value) && value !== Infinity ? undefined : 'a finite number >= 0'),
  jitter: (value) => (isDuration(value) && value <= 1 ? undefined : 'a number from 0 to 1'),
  errorTtl: (value) =>
    typeof value === 'function' || isDuration(value) ? undefined : 'a number of milliseconds >= 0 or a function',
  softTimeout: limit,
  timeout: limit,
  storeTimeout: limit,
  detectRecursion: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  onEvent: isFunction,
};

/**
 * Checks the options of one wrapper and adds every default. An option that is `undefined` counts as not given, an inherited
 * one as absent.
 *
 * @param inherited Options of a memoizer, checked already. Where they can do nothing they are inert; own ones are refused.
 */
export function resolveOptions(given: unknown, inherited: MemoizeOptions = {}): ResolvedOptions {
  const own = givenOptions(given);
  const merged = mergeOptions(inherited, own);
  refuseContradictions(merged);
  refuseInert(own, merged);
  return { ...defaults, ...merged } as ResolvedOptions;
}

/** The options that were given, checked one by one and against each other; no defaults. */
export function givenOptions(given: unknown): MemoizeOptions {
  if (!isPlainObject(given)) throw new TypeError(`Expected options to be a plain object, got ${show(given)}`);
  // Without a prototype, on which anything may have been put.
  const checked = Object.create(null) as Record<string, unknown>;
  for (const option of Reflect.ownKeys(given)) {
    if (typeof option === 'symbol' || !Object.hasOwn(checks, option)) {
      throw new TypeError(`Unknown option \`${String(option)}\`, got ${show(read(given, option))}`);
    }
    const value = read(given, option);
    if (value === undefined) continue;
    const expected = checks[option as keyof ResolvedOptions](value);
    if (expected !== undefined) throw new TypeError(`Expected \`${option}\` to be ${expected}, got ${show(value)}`);
    checked[option] = Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value;
  }
  const options = checked as MemoizeOptions;
  refuseContradictions(options);
  // What can do nothing whatever a wrapper adds.
  if (options.ttl === Infinity) refuseInert(options, options);
  return options;
}

function refuseContradictions({ keyOf, ignore, maxSize, cache }: MemoizeOptions): void {
  if (keyOf !== undefined && ignore !== undefined && ignore.length > 0) {
    throw new TypeError(`Expected \`ignore\` to be empty beside \`keyOf\`, got ${show(ignore)}`);
  }
  if (maxSize !== undefined && cache !== undefined) {
    throw new TypeError(`Expected no \`maxSize\` beside \`cache\`, got ${maxSize}`);
  }
}

function withoutPrototype(options: MemoizeOptions): object {
  return Object.assign(Object.create(null) as object, options);
}

/** Own options override defaults one by one, and those that do not go with them. */
function mergeOptions({ name: _prefix, ...inherited }: MemoizeOptions, own: MemoizeOptions): MemoizeOptions {
  const kept = withoutPrototype(inherited) as { -readonly [Option in keyof MemoizeOptions]: MemoizeOptions[Option] };
  if (own.keyOf !== undefined) delete kept.ignore;
  if (own.cache !== undefined) delete kept.maxSize;
  if (own.maxSize !== undefined) delete kept.cache;
  return Object.assign(kept, own);
}

/** Refuses own options that can do nothing beside the others: more often than not a `ttl` was forgotten. */
function refuseInert(
  own: MemoizeOptions,
  { ttl = Infinity, staleWhileRevalidate = 0, staleIfError = 0 }: MemoizeOptions,
): void {
  if (ttl === Infinity) {
    for (const option of ['staleWhileRevalidate', 'staleIfError', 'earlyRefresh', 'jitter'] as const) {
      const value = own[option];
      if (value !== undefined && value > 0) {
        throw new TypeError(`Expected \`${option}\` beside a \`ttl\` that ends, got ${value} and no such \`ttl\``);
      }
    }
  }
  if (own.softTimeout !== undefined && staleWhileRevalidate === 0 && staleIfError === 0) {
    throw new TypeError(`Expected \`softTimeout\` beside a stale window, got ${own.softTimeout} and no window`);
  }
}

function read(given: Record<PropertyKey, unknown>, option: PropertyKey): unknown {
  try {
    return given[option];
  } catch (error) {
    throw new TypeError(`Expected \`${String(option)}\` to be an option that can be read`, { cause: error });
  }
}

function isIgnoreRule(rule: unknown): rule is IgnoreRule {
  if (typeof rule === 'number') return Number.isSafeInteger(rule) && rule >= 0;
  return typeof rule === 'function' || (typeof rule === 'string' && rule.split('.').every((name) => name !== ''));
}

function isTags(value: unknown): boolean {
  return Array.isArray(value) && value.every((tag) => typeof tag === 'string');
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function duration(value: unknown): string | undefined {
  return isDuration(value) ? undefined : 'a number of milliseconds >= 0';
}

function limit(value: unknown): string | undefined {
  return isDuration(value) && value > 0 ? undefined : 'a number of milliseconds > 0';
}

function isFunction(value: unknown): string | undefined {
  return typeof value === 'function' ? undefined : 'a function';
}
