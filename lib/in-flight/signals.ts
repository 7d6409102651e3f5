import { isAbortSignal } from '../platform/abort-signal.js';
import { isPlainPrototype } from '../platform/plain-object.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';

/** The signals of one call: its arguments, and the `signal` properties of plain objects among them. */
export function findSignals(args: readonly unknown[]): readonly AbortSignalLike[] | undefined {
  let signals: AbortSignalLike[] | undefined;
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index];
    if (typeof argument !== 'object' || argument === null) continue;
    const signal = isAbortSignal(argument) ? argument : signalOf(argument);
    if (signal !== undefined) (signals ??= []).push(signal);
  }
  return signals;
}

/** The arguments with `signal` wherever the caller had one of its own. */
export function replaceSignals(args: readonly unknown[], signal: AbortSignalLike): readonly unknown[] {
  return args.map((argument) => {
    if (typeof argument !== 'object' || argument === null) return argument;
    if (isAbortSignal(argument)) return signal;
    if (signalOf(argument) === undefined) return argument;
    // Spreading defines properties, so that an own `__proto__` stays one.
    return Object.setPrototypeOf({ ...argument, signal }, Object.getPrototypeOf(argument) as object | null) as unknown;
  });
}

/** The signal that has been aborted, if one has. */
export function abortedSignal(signals: readonly AbortSignalLike[]): AbortSignalLike | undefined {
  return signals.find((signal) => signal.aborted);
}

/** Call `listener` once, with the reason, when the first of `signals` aborts. Returns what stops it. */
export function onAbort(signals: readonly AbortSignalLike[], listener: (reason: unknown) => void): () => void {
  const stops: (() => void)[] = [];
  const stop = (): void => stops.forEach((stopOne) => stopOne());
  for (const signal of signals) {
    const abort = (): void => {
      stop();
      listener(reasonOf(signal));
    };
    signal.addEventListener('abort', abort);
    stops.push(() => letGo(signal, abort));
  }
  return stop;
}

/** A signal of a caller's own making may throw, and must not keep that caller from its answer. */
function letGo(signal: AbortSignalLike, abort: () => void): void {
  try {
    signal.removeEventListener('abort', abort);
  } catch {
    return;
  }
}

function reasonOf(signal: AbortSignalLike): unknown {
  try {
    return signal.reason;
  } catch (error) {
    return error;
  }
}

function signalOf(argument: object): AbortSignalLike | undefined {
  const { signal } = argument as { signal?: unknown };
  if (signal === undefined || !isAbortSignal(signal)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(argument);
  return isPlainPrototype(prototype) && Object.prototype.propertyIsEnumerable.call(argument, 'signal')
    ? signal
    : undefined;
}
