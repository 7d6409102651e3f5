import { builtInModule } from './platform/built-in-module.js';
import { NativePromise, nativeThen } from './platform/promise.js';

/** What subscribers of `aiocachetools:call` get: how one call was received. */
interface CallMessage {
  readonly name: string;
  readonly key: string;
  readonly type: 'hit' | 'stale' | 'join' | 'miss';
}

/** What subscribers of `aiocachetools:run` get: one object for all events of a run. They may put their span on it. */
interface RunMessage {
  readonly name: string;
  readonly key: string;
  result?: unknown;
  error?: unknown;
}

/** The part of `node:diagnostics_channel` that is used; declared here so that no Node types are needed. */
interface DiagnosticsChannel {
  channel(this: void, name: string): Channel;
  tracingChannel(this: void, name: string): TracingChannel;
}

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
  /** Publishes, and calls `fn` with the message in the stores that are bound. */
  runStores(message: object, fn: () => unknown): unknown;
}

export interface TracingChannel {
  /** Missing in Bun and Workers. */
  readonly hasSubscribers?: boolean;
  readonly start: Channel;
  readonly end: Channel;
  readonly asyncStart: Channel;
  readonly asyncEnd: Channel;
  readonly error: Channel;
}

/** What APMs can subscribe to. */
export interface Channels {
  readonly calls: Channel | undefined;
  readonly runs: TracingChannel | undefined;
}

/** `undefined` where the host has no `node:diagnostics_channel`. The channels are looked up when the first wrapper is made. */
export const openChannels = createChannelOpener();

/** @param host Stands for `globalThis` in tests. */
export function createChannelOpener(host: object = globalThis): () => Channels | undefined {
  let channels: Channels | undefined;
  return () => (channels ??= findChannels(host));
}

function findChannels(host: object): Channels | undefined {
  try {
    const module = builtInModule<DiagnosticsChannel>('node:diagnostics_channel', host);
    return (
      module && { calls: module.channel!('aiocachetools:call'), runs: module.tracingChannel!('aiocachetools:run') }
    );
  } catch {
    // A `process` that a test tool has replaced: nobody can subscribe.
    return undefined;
  }
}

/** True if runs have a subscriber. Asked before each run. A mock, which has everything, has none. */
export function isHeard(runs: TracingChannel | undefined): runs is TracingChannel {
  if (!runs) return false;
  const {
    hasSubscribers = [runs.start, runs.end, runs.asyncStart, runs.asyncEnd, runs.error].some(
      (each) => each?.hasSubscribers,
    ),
  } = runs;
  return hasSubscribers === true;
}

/** A subscriber changes no outcome: Node reports what it throws as uncaught. */
export function publish(channel: Channel, message: CallMessage | RunMessage): void {
  attempt(() => channel.publish(message));
}

/**
 * Calls `fn` with the events of `TracingChannel.tracePromise`, which itself treats plain values and thenables differently
 * from one version of Node to the next. The promise is native, and settles as early as without subscribers.
 */
export function traceRun(runs: TracingChannel, message: RunMessage, fn: () => unknown): Promise<unknown> {
  let promise: Promise<unknown> | undefined;
  const call = (): Promise<unknown> => (promise ??= callFn(runs, message, fn));
  attempt(() => runs.start.runStores(message, call));
  // `fn` runs, whatever the host makes of `start`.
  return call();
}

function callFn(runs: TracingChannel, message: RunMessage, fn: () => unknown): Promise<unknown> {
  try {
    // Here, so that the work of a lazy thenable is part of the run.
    const promise = NativePromise.resolve(fn());
    void nativeThen.call(
      promise,
      (result) => {
        message.result = result;
        publish(runs.asyncStart, message);
        publish(runs.asyncEnd, message);
      },
      (error) => {
        message.error = error;
        publish(runs.error, message);
        publish(runs.asyncStart, message);
        publish(runs.asyncEnd, message);
      },
    );
    return promise;
  } catch (error) {
    message.error = error;
    publish(runs.error, message);
    return NativePromise.reject(error);
  } finally {
    publish(runs.end, message);
  }
}

/** Workers throw here what a subscriber throws. It is reported as Node does: uncaught. */
function attempt(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
