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

/** The listeners of a signal, behind the one listener that is added to it: Node warns of more than ten. */
interface Watch {
  readonly listeners: Set<(reason: unknown) => void>;
  readonly abort: () => void;
}

const watches = new WeakMap<AbortSignalLike, Watch>();

/** Call `listener` once, with the reason, when the first of `signals` aborts. Returns what stops it. */
export function onAbort(signals: readonly AbortSignalLike[], listener: (reason: unknown) => void): () => void {
  const watched: AbortSignalLike[] = [];
  const stop = (): void => watched.forEach((signal) => unwatch(signal, once));
  const once = (reason: unknown): void => {
    stop();
    listener(reason);
  };
  try {
    for (const signal of signals) {
      watch(signal, once);
      watched.push(signal);
    }
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

function watch(signal: AbortSignalLike, listener: (reason: unknown) => void): void {
  const known = watches.get(signal);
  if (known !== undefined) {
    known.listeners.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  const abort = (): void => {
    const reason = reasonOf(signal);
    // A listener may stop others.
    for (const each of [...listeners]) if (listeners.has(each)) each(reason);
  };
  signal.addEventListener('abort', abort);
  watches.set(signal, { listeners, abort });
}

function unwatch(signal: AbortSignalLike, listener: (reason: unknown) => void): void {
  const known = watches.get(signal);
  if (known?.listeners.delete(listener) !== true || known.listeners.size > 0) return;
  watches.delete(signal);
  try {
    signal.removeEventListener('abort', known.abort);
  } catch {
    // A signal of the caller's own making must not keep the caller from its result.
    return;
  }
}

/** The reason of an aborted signal; an `AbortError` where the signal has none, as polyfills. */
export function reasonOf(signal: AbortSignalLike): unknown {
  try {
    return signal.reason === undefined ? abortError() : signal.reason;
  } catch (error) {
    return error;
  }
}

function abortError(): Error {
  const { DOMException } = globalThis as { DOMException?: new (message: string, name: string) => Error };
  const message = 'This operation was aborted';
  if (DOMException !== undefined) return new DOMException(message, 'AbortError');
  return Object.assign(new Error(message), { name: 'AbortError' });
}

function signalOf(argument: object): AbortSignalLike | undefined {
  const { signal } = argument as { signal?: unknown };
  if (signal === undefined || !isAbortSignal(signal)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(argument);
  return isPlainPrototype(prototype) && Object.prototype.propertyIsEnumerable.call(argument, 'signal')
    ? signal
    : undefined;
}
