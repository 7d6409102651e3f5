import { isThenable } from '../platform/promise.js';
import type { Entry } from './store.js';

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
