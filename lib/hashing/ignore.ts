import { isAbortSignal } from '../platform/abort-signal.js';

/** A position, a property path of plain-object arguments, or a predicate on (value, index). */
export type IgnoreRule = number | string | Predicate;

type Predicate = (value: unknown, index: number) => boolean;

/** The properties that are left out of a plain object. */
export interface PropertyFilter {
  /** By name: `true` leaves out the property, a filter leaves out properties of its value. */
  readonly names: ReadonlyMap<string, true | PropertyFilter> | undefined;
  /** Whether `signal` is left out where it is an `AbortSignal` or `undefined`: true for arguments, false deeper down. */
  readonly dropsSignal: boolean;
}

/** The parts of an argument list that `ignore` and the rule about signals leave out of the key. */
export interface Exclusions {
  /** True where the argument at `index` is not part of the key. */
  has(value: unknown, index: number): boolean;
  readonly properties: PropertyFilter;
  /** True where a list of one string is never changed, so no rule needs to be asked. */
  readonly keepsStrings: boolean;
  /** True where only signals are left out. */
  readonly isEmpty: boolean;
}

/** For the result of `keyOf`, all of which is the key: a signal in it is refused like any other instance. */
export const noExclusions: Exclusions = {
  has: () => false,
  properties: { names: undefined, dropsSignal: false },
  keepsStrings: true,
  isEmpty: true,
};

const onlySignals: Exclusions = {
  has: isSignal,
  properties: { names: undefined, dropsSignal: true },
  keepsStrings: true,
  isEmpty: true,
};

export function compileIgnore(rules: readonly IgnoreRule[]): Exclusions {
  if (rules.length === 0) return onlySignals;
  const positions = new Set(rules.filter((rule): rule is number => typeof rule === 'number'));
  const predicates = rules.filter((rule): rule is Predicate => typeof rule === 'function');
  const paths = rules.filter((rule): rule is string => typeof rule === 'string');
  return {
    has(value, index) {
      if (positions.size > 0 && positions.has(index)) return true;
      for (const predicate of predicates) if (predicate(value, index) === true) return true;
      return isSignal(value);
    },
    properties: { names: paths.length === 0 ? undefined : namesIn(paths), dropsSignal: true },
    keepsStrings: predicates.length === 0 && !positions.has(0),
    isEmpty: false,
  };
}

function isSignal(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value) && isAbortSignal(value);
}

function namesIn(paths: readonly string[]): ReadonlyMap<string, true | PropertyFilter> {
  const inside = new Map<string, string[]>();
  const whole = new Set<string>();
  for (const path of paths) {
    const dot = path.indexOf('.');
    const name = dot < 0 ? path : path.slice(0, dot);
    if (dot < 0) whole.add(name);
    else inside.set(name, [...(inside.get(name) ?? []), path.slice(dot + 1)]);
  }
  const names = new Map<string, true | PropertyFilter>();
  for (const [name, rest] of inside) names.set(name, { names: namesIn(rest), dropsSignal: false });
  for (const name of whole) names.set(name, true);
  return names;
}
