// BullMQ: jobs of many workers share runs and results. The workers' own connection blocks, so the store has another one.
// Needs a Redis server: this file is type-checked, not run.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';

const client = new Redis();

const getTemplate = memoizeAsync(async (name: string) => `<h1>${name}</h1>`, {
  name: 'template',
  ttl: 600_000,
  cache: redisStore(client, { prefix: 'mailer:' }),
});

const worker = new Worker<{ readonly template: string; readonly to: string }>(
  'mails',
  async ({ data }) => `${data.to}: ${await getTemplate(data.template)}`,
  { connection: { maxRetriesPerRequest: null } },
);

process.once('SIGTERM', () => {
  void worker.close().then(async () => {
    await getTemplate.settled();
    await client.quit();
  });
});
