import { methodOf } from './intrinsics.js';

const names = [
  'Instant',
  'ZonedDateTime',
  'PlainDate',
  'PlainTime',
  'PlainDateTime',
  'PlainYearMonth',
  'PlainMonthDay',
  'Duration',
] as const;

export type TemporalKind = `Temporal.${(typeof names)[number]}`;

const { create, getOwnPropertyDescriptor, getPrototypeOf } = Object;

/**
 * The kind of the objects with this prototype, for `Temporal` of any realm and for polyfills, which need not be global.
 *
 * A name proves nothing: a class that calls itself `Temporal.PlainDate` may hide state that its `toString` does not show.
 * So the prototype must be made as the language makes it: a tag that cannot be assigned, a constructor with `from`, no
 * class between it and `Object.prototype`, and a `toString` that refuses objects without internal state.
 */
export function temporalKind(prototype: object): TemporalKind | undefined {
  const tag = getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
  const name = names.find((each) => tag?.value === `Temporal.${each}`);
  if (name === undefined || tag?.writable === true || tag?.enumerable === true) return undefined;
  const maker = getOwnPropertyDescriptor(prototype, 'constructor');
  if (!isTemporalClass(maker?.value, prototype) || maker?.enumerable === true) return undefined;
  const parent = getPrototypeOf(prototype) as object | null;
  if (parent === null || getPrototypeOf(parent) !== null) return undefined;
  return readsInternalState(prototype) ? `Temporal.${name}` : undefined;
}

export function isTemporal(kind: string): kind is TemporalKind {
  return kind.startsWith('Temporal.');
}

/** The text of a Temporal object, by which it is compared. Throws for an object without internal state. */
export function temporalText(object: object): string {
  const text = methodOf(getPrototypeOf(object) as object, 'toString')(object);
  if (typeof text !== 'string') throw new TypeError('Expected `toString` to return a string');
  return text;
}

function isTemporalClass(maker: unknown, prototype: object): boolean {
  if (typeof maker !== 'function') return false;
  const { prototype: made, from } = maker as { readonly prototype: unknown; readonly from?: unknown };
  return made === prototype && typeof from === 'function';
}

function readsInternalState(prototype: object): boolean {
  if (typeof getOwnPropertyDescriptor(prototype, 'toString')?.value !== 'function') return false;
  try {
    methodOf(prototype, 'toString')(create(prototype));
    return false;
  } catch {
    return true;
  }
}
