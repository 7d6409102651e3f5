// Hono, as on an edge: an old answer goes out at once, and `waitUntil` keeps the refresh behind it alive.
import { setTimeout as pause } from 'node:timers/promises';
import { Hono } from 'hono';
import { memoizeAsync } from 'aiocachetools';

let version = 0;

const getPrices = memoizeAsync(
  async (currency: string) => {
    await pause(20);
    version += 1;
    return { currency, version };
  },
  { name: 'prices', ttl: 30, staleWhileRevalidate: 60_000 },
);

const app = new Hono();

app.get('/prices/:currency', async (context) => {
  const prices = await getPrices(context.req.param('currency'));
  context.executionCtx.waitUntil(getPrices.settled());
  return context.json(prices);
});

/** What a platform does with a request: it answers, and freezes the process once `waitUntil` has resolved. */
async function serve(path: string): Promise<void> {
  const pending: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>): void => void pending.push(promise);
  const response = await app.request(path, {}, {}, { waitUntil, passThroughOnException: () => undefined, props: {} });
  console.log(await response.text());
  await Promise.all(pending);
  const { runs, inFlight } = getPrices.stats();
  console.log(`frozen after ${runs} runs, ${inFlight} under way`);
}

await serve('/prices/eur');
await pause(40);
await serve('/prices/eur');
await serve('/prices/eur');

// Output:
// {"currency":"eur","version":1}
// frozen after 1 runs, 0 under way
// {"currency":"eur","version":1}
// frozen after 2 runs, 0 under way
// {"currency":"eur","version":2}
// frozen after 2 runs, 0 under way
