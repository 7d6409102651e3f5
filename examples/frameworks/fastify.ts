// Fastify: a hundred requests for one report are one run; a client that leaves, leaves alone.
import { setTimeout as pause } from 'node:timers/promises';
import Fastify from 'fastify';
import { memoizeAsync } from 'aiocachetools';

const getReport = memoizeAsync(
  async (id: string, signal: AbortSignal) => {
    await pause(200, undefined, { signal });
    return { id, title: `Report ${id}` };
  },
  { name: 'reports', ttl: 60_000, errorTtl: 1_000, timeout: 5_000 },
);

const app = Fastify({ forceCloseConnections: true });

app.get<{ Params: { id: string } }>('/reports/:id', async ({ params }, reply) => {
  // The run goes on as long as anybody waits for it. A signal is no part of the key.
  const left = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  return getReport(params.id, left.signal);
});

app.put<{ Params: { id: string } }>('/reports/:id', async ({ params }) => {
  await getReport.delete(params.id);
  return 'saved';
});

// Background refreshes and writes are finished before the process ends.
app.addHook('onClose', () => getReport.settled());

const url = await app.listen({ host: '127.0.0.1', port: 0 });
const responses = await Promise.all(Array.from({ length: 100 }, () => fetch(`${url}/reports/7`)));
console.log(new Set(await Promise.all(responses.map((response) => response.text()))));
console.log('runs:', getReport.stats().runs);

await fetch(`${url}/reports/7`, { method: 'PUT' });
await fetch(`${url}/reports/7`);
console.log('runs after a PUT:', getReport.stats().runs);

const staying = fetch(`${url}/reports/8`);
await fetch(`${url}/reports/8`, { signal: AbortSignal.timeout(20) }).catch((error: Error) => console.log(error.name));
console.log('who stays gets', await (await staying).text());
console.log(`${getReport.stats().runs} runs, ${getReport.stats().aborts} caller left`);
await app.close();

// Output:
// Set(1) { '{"id":"7","title":"Report 7"}' }
// runs: 1
// runs after a PUT: 2
// TimeoutError
// who stays gets {"id":"8","title":"Report 8"}
// 3 runs, 1 caller left
