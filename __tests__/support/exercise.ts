import { memoizeAsync, TimeoutError, UnkeyableArgumentError } from '../../lib/index.js';
import { argumentLists } from './hashing-values.js';
import type { Stats } from '../../lib/index.js';

/** What the core does in a host that a test can only look at from outside. */
export interface Exercise {
  /** The key of every argument list of the golden vectors that needs no Node. */
  readonly keys: Record<string, string>;
  readonly answers: unknown[];
  readonly stats: Stats;
  /** Names of the errors of a call that was aborted, one that timed out and one that has no key. */
  readonly errors: readonly [string, string, string];
  /** What the host offers. */
  readonly hasProcess: boolean;
  readonly hasDocument: boolean;
}

/** Keys, a stampede, an old value and three errors. */
export async function exercise(): Promise<Exercise> {
  const keyed = memoizeAsync(async (...args: unknown[]) => args.length);
  const keys = Object.entries(argumentLists).map(([name, list]) => [name, keyed.keyOf(...list())] as const);
  return {
    keys: Object.fromEntries(keys),
    ...(await stampede()),
    errors: [await aborted(), await timedOut(), await unkeyable()],
    hasProcess: 'process' in globalThis,
    hasDocument: 'document' in globalThis,
  };
}

/** A thousand callers of three keys in one tick, then an old value with a refresh behind it, then an entry forgotten. */
async function stampede(): Promise<{ answers: unknown[]; stats: Stats }> {
  let version = 1;
  const load = memoizeAsync(async (id: number) => `${id} v${version}`, {
    ttl: (value) => (value.endsWith('v1') ? 1e-9 : Infinity),
    staleWhileRevalidate: Infinity,
  });
  const first = await Promise.all(Array.from({ length: 1_000 }, (_, caller) => load(caller % 3)));
  await load.settled();
  const storedAt = Date.now();
  while (Date.now() === storedAt) await new Promise((resolve) => setTimeout(resolve, 1));
  version = 2;
  const old = await load(0);
  await load.settled();
  const fresh = await load(0);
  const isForgotten = [await load.delete(0), await load.has(0)];
  return { answers: [...new Set(first), old, fresh, ...isForgotten], stats: load.stats() };
}

async function aborted(): Promise<string> {
  const controller = new AbortController();
  const load = memoizeAsync((_options: { signal: AbortSignal }) => new Promise(() => undefined));
  const left = load({ signal: controller.signal });
  controller.abort();
  return left.then(String, (error: Error) => error.name);
}

async function timedOut(): Promise<string> {
  const load = memoizeAsync(() => new Promise(() => undefined), { timeout: 5 });
  // A timer of ours: those of the library keep no process alive.
  const alive = setInterval(() => undefined, 1_000);
  return load()
    .then(String, (error: unknown) => (error instanceof TimeoutError ? error.name : String(error)))
    .finally(() => clearInterval(alive));
}

async function unkeyable(): Promise<string> {
  return memoizeAsync(async (value: object) => value)(new WeakMap()).then(String, (error: unknown) =>
    error instanceof UnkeyableArgumentError ? error.name : String(error),
  );
}
