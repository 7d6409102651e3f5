import { startTimer } from '../platform/timer.js';
import { parseWakeUp, wakeUpWords } from './messages.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Timer } from '../platform/timer.js';
import type { Answer } from './answer.js';
import type { Subscriptions } from './subscriptions.js';

export interface Wait<V> {
  /** The answer that told to wait. */
  readonly first: Extract<Answer<V>, { holder: string }>;
  readonly ask: () => Promise<Answer<V>>;
  readonly subscriptions: Subscriptions;
  readonly channel: string;
  /** The longest wait, in milliseconds. */
  readonly limit: number;
  readonly signal: AbortSignalLike;
}

/** How a wait ends: with a value, with a lease, or with a reason to run without one. */
export type Outcome<V> = Exclude<Answer<V>, { holder: string }> | { readonly unleased: string };

/** The longest time between two looks while messages arrive, in milliseconds: a message may be lost. */
const LOOK = 1_000;

/** The time between two looks without messages, in milliseconds: in the first second, and after it. */
const POLL = 50;
const SLOW_POLL = 250;

/**
 * Waits until the run of another process is over. Subscribes first and asks again after that, so that no message is
 * missed in between. Messages only tell when to look.
 */
export async function waitForHolder<V>({
  first,
  ask,
  subscriptions,
  channel,
  limit,
  signal,
}: Wait<V>): Promise<Outcome<V>> {
  const startedAt = performance.now();
  /** Holders that brought nothing, by their messages. */
  const failed = new Set<string>();
  const alarm = new Alarm(signal);
  const subscription = subscriptions.listen(
    [channel],
    {
      message: (_channel, text) => {
        const { word, token } = parseWakeUp(text);
        if (word === wakeUpWords.alone && token !== undefined) failed.add(token);
        alarm.ring();
      },
      confirmed: () => alarm.ring(),
      lost: () => alarm.ring(),
    },
    { isWatched: false },
  );
  if (subscription.isConfirmed) alarm.ring();
  try {
    let { holder: awaited, remaining } = first;
    for (;;) {
      const elapsed = performance.now() - startedAt;
      const pause = subscription.isConfirmed ? Math.min(remaining + Math.random() * POLL, LOOK) : pollAfter(elapsed);
      await alarm.wait(Math.max(0, Math.min(pause, limit - elapsed)));
      if (signal.aborted) return { unleased: 'no caller waits any more' };
      const hasFailed = failed.has(awaited);
      const answer = await ask();
      if (!('holder' in answer)) return answer;
      if (hasFailed || answer.failed === awaited) return { unleased: 'the run of another process failed' };
      // After the last look, for this process may have been busy until now.
      if (performance.now() - startedAt >= limit) return { unleased: `another run took longer than ${limit} ms` };
      awaited = answer.holder;
      remaining = answer.remaining;
    }
  } finally {
    subscription.stop();
    alarm.stop();
  }
}

function pollAfter(elapsed: number): number {
  return (elapsed < 1_000 ? POLL : SLOW_POLL) * (0.75 + Math.random() / 2);
}

/** Sleeps until it rings, or for a given time. A ring before the sleep counts too. */
class Alarm {
  readonly #signal: AbortSignalLike;
  readonly #abort = (): void => this.ring();
  #hasRung = false;
  #wake: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(signal: AbortSignalLike) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort);
    if (signal.aborted) this.ring();
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  async wait(delay: number): Promise<void> {
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#timer = startTimer(delay, resolve);
      });
      this.#timer?.stop();
      this.#wake = undefined;
    }
    this.#hasRung = false;
  }

  stop(): void {
    this.#timer?.stop();
    this.#signal.removeEventListener('abort', this.#abort);
  }
}
