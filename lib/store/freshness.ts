import type { Entry } from './store.js';

/** How long an entry is of use after its `ttl`, in milliseconds. */
export interface StaleWindows {
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
}

/**
 * What an entry is worth at one moment: **fresh** answers; **stale** answers while a refresh runs behind it;
 * **fallback** answers only if the run fails; **expired** is as good as none.
 */
export type Freshness = 'fresh' | 'stale' | 'fallback' | 'expired';

/** How far a wall clock may be set back, or two hosts disagree, before an entry counts as one from the future. */
export const CLOCK_TOLERANCE = 1_000;

/** True for an entry that ends and is fresh, and of which no early refresh need be thought. The short way of a hit. */
export function isPlainlyFresh({ freshUntil, storedAt, duration }: Entry<unknown>, now: number): boolean {
  return now < freshUntil! && storedAt <= now + CLOCK_TOLERANCE && duration === undefined;
}

export function freshnessOf(entry: Entry<unknown>, now: number, windows: StaleWindows): Freshness {
  if (entry.freshUntil === undefined) return 'fresh';
  if (entry.storedAt > now + CLOCK_TOLERANCE) return 'expired';
  const overdue = now - entry.freshUntil;
  if (overdue < 0) return 'fresh';
  if (overdue < windows.staleWhileRevalidate) return 'stale';
  if (overdue < windows.staleIfError) return 'fallback';
  return 'expired';
}

/** True if the old value may answer in place of an error (RFC 5861, section 4). */
export function answersErrors(entry: Entry<unknown>, now: number, windows: StaleWindows): boolean {
  if (entry.freshUntil === undefined) return true;
  if (entry.storedAt > now + CLOCK_TOLERANCE) return false;
  return now - entry.freshUntil < windows.staleIfError;
}

/**
 * XFetch: true if a fresh entry is due for a refresh before its time, `now - duration * beta * ln(random) >= freshUntil`.
 * Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015.
 * @param random Uniform in [0, 1).
 */
export function isDueEarly(entry: Entry<unknown>, now: number, beta: number, random: number): boolean {
  if (entry.freshUntil === undefined || entry.duration === undefined) return false;
  return now - entry.duration * beta * Math.log(random) >= entry.freshUntil;
}

/** How long a store should keep an entry, in whole milliseconds; `undefined`: without end. */
export function lifetimeOf(ttl: number, windows: StaleWindows): number | undefined {
  const lifetime = ttl + Math.max(windows.staleWhileRevalidate, windows.staleIfError);
  return lifetime === Infinity ? undefined : Math.ceil(lifetime);
}

/** For how long yet a store should keep an entry, in whole milliseconds; `undefined`: without end. */
export function remainingOf(
  { freshUntil = Infinity }: Entry<unknown>,
  now: number,
  windows: StaleWindows,
): number | undefined {
  return lifetimeOf(freshUntil - now, windows);
}

/** A result without a `ttl` is of use inside a stale window only. */
export function isStorable(ttl: number, { staleWhileRevalidate, staleIfError }: StaleWindows): boolean {
  return ttl > 0 || staleWhileRevalidate > 0 || staleIfError > 0;
}
