// AWS Lambda and Cloudflare Workers: the answer goes out first. `settled()` keeps the instance alive for runs and writes.
import { setTimeout as pause } from 'node:timers/promises';
import { memoizeAsync } from 'aiocachetools';
import type { Entry, Store } from 'aiocachetools';

const written: string[] = [];
const entries = new Map<string, Entry<never>>();

/** A store behind a network. */
const remote: Store<never> = {
  get: async (key) => entries.get(key),
  set: async (key, entry, _ttl) => {
    await pause(20);
    entries.set(key, entry);
    written.push(key);
  },
  delete: async (key) => entries.delete(key),
};

const getReport = memoizeAsync(async (id: number) => `report ${id}`, { name: 'report', ttl: 60_000, cache: remote });

/** Lambda: the process is frozen once the handler has returned. Await the writes where they must not be lost. */
async function handler(event: { readonly id: number }): Promise<string> {
  const report = await getReport(event.id);
  await getReport.settled();
  return report;
}

/** Workers: `waitUntil` keeps the instance alive behind the answer. */
const worker = {
  async fetch(request: Request, context: { waitUntil(work: Promise<unknown>): void }): Promise<Response> {
    const report = await getReport(Number(new URL(request.url).searchParams.get('id')));
    context.waitUntil(getReport.settled());
    return new Response(report);
  },
};

console.log(await handler({ id: 1 }), written);

const pending: Promise<unknown>[] = [];
const response = await worker.fetch(new Request('http://localhost/?id=2'), { waitUntil: (work) => pending.push(work) });
console.log(await response.text(), written);
await Promise.all(pending);
console.log('kept alive until', written);

// Output:
// report 1 [ 'report|#1' ]
// report 2 [ 'report|#1' ]
// kept alive until [ 'report|#1', 'report|#2' ]
