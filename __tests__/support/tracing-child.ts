import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { memoizeAsync } from 'aiocachetools';

/**
 * Run in a process of its own, because Node reports subscribers that throw as uncaught: each channel has one. Prints what
 * calls come to, and who was reported.
 */
const uncaught = new Set<string>();
process.on('uncaughtException', (error) => uncaught.add(error.message));

function thrower(name: string): () => never {
  return () => {
    throw new Error(name);
  };
}

const runs = tracingChannel('aiocachetools:run');
channel('aiocachetools:call').subscribe(thrower('call'));
runs.start.bindStore(new AsyncLocalStorage<unknown>(), thrower('transform'));
for (const part of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const) runs[part].subscribe(thrower(part));

const load = memoizeAsync(
  (id: number): number | Promise<number> => {
    if (id === 1) throw new Error('thrown');
    return id === 404 ? Promise.reject(new Error('no such user')) : Promise.resolve(id);
  },
  { name: 'load' },
);

void (async () => {
  const settled = await Promise.allSettled([load(7), load(7), load(404), load(1)]);
  settled.push(...(await Promise.allSettled([load(7)])), ...(await Promise.allSettled([load.refresh(9)])));
  const outcomes = settled.map((each) =>
    each.status === 'fulfilled' ? String(each.value) : (each.reason as Error).message,
  );
  const { runs: count, misses, joins, hits, errors, inFlight } = load.stats();
  // What `process.nextTick` reports is over by then.
  await new Promise((resolve) => setImmediate(resolve));
  console.log(
    JSON.stringify({
      outcomes,
      stats: { runs: count, misses, joins, hits, errors, inFlight },
      uncaught: [...uncaught].sort(),
    }),
  );
})();
