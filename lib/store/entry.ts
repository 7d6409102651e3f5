import { isThenable } from '../thenable.js';
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
const CLOCK_TOLERANCE = 1_000;

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

export interface EntryTimes {
  /** When the run settled. */
  readonly storedAt: number;
  /** Milliseconds; `Infinity`: never ends. */
  readonly ttl: number;
  /** How long the run took; kept only where `earlyRefresh` asks for it. */
  readonly duration?: number | undefined;
}

export function createEntry<V>(value: V, { storedAt, ttl, duration }: EntryTimes): Entry<V> {
  if (ttl === Infinity) return { v: 1, value, storedAt };
  if (duration === undefined) return { v: 1, value, storedAt, freshUntil: storedAt + ttl };
  return { v: 1, value, storedAt, freshUntil: storedAt + ttl, duration };
}

/** How long a store should keep an entry, in whole milliseconds; `undefined`: without end. */
export function lifetimeOf(ttl: number, windows: StaleWindows): number | undefined {
  const lifetime = ttl + Math.max(windows.staleWhileRevalidate, windows.staleIfError);
  return lifetime === Infinity ? undefined : Math.ceil(lifetime);
}

/** True for an entry of this version with sound times; anything else in a store is somebody else's, or damaged. */
export function isEntry(found: unknown): found is Entry<never> {
  if (typeof found !== 'object' || found === null) return false;
  const { v, value, storedAt, freshUntil, duration } = found as Partial<Record<keyof Entry<never>, unknown>>;
  return (
    v === 1 &&
    // No run fulfils with a thenable, and a promise would wait for it.
    !isThenable(value) &&
    isTime(storedAt) &&
    (freshUntil === undefined || isTime(freshUntil)) &&
    (duration === undefined || (isTime(duration) && duration >= 0))
  );
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
