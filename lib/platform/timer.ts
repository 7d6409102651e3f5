/** The longest delay that `setTimeout` takes; it fires at once beyond that. */
export const LONGEST_DELAY = 2 ** 31 - 1;

/** A timer under way. */
export interface Timer {
  stop(): void;
}

/**
 * Call `callback` once after `delay` milliseconds, of any length. Keeps no process alive. `Infinity`: never.
 */
export function startTimer(delay: number, callback: () => void): Timer {
  let remaining = delay;
  let handle: ReturnType<typeof setTimeout> | undefined;
  const arm = (): void => {
    if (remaining === Infinity) return;
    const step = Math.min(remaining, LONGEST_DELAY);
    remaining -= step;
    handle = setTimeout(remaining > 0 ? arm : callback, step);
    // A browser's handle is a number and needs no unref.
    (handle as { unref?(): unknown }).unref?.();
  };
  arm();
  return { stop: () => clearTimeout(handle) };
}

/**
 * Call `callback` once after `delay` milliseconds, at most `LONGEST_DELAY`. `0`: at the end of this turn of the event
 * loop, after all promise jobs. Keeps the process alive, for a caller waits for the work that this starts.
 */
export function startWork(delay: number, callback: () => void): Timer {
  if (delay === 0 && typeof setImmediate === 'function') {
    const immediate = setImmediate(callback);
    return { stop: () => clearImmediate(immediate) };
  }
  const handle = setTimeout(callback, delay);
  return { stop: () => clearTimeout(handle) };
}
