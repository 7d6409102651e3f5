// Two instances of a service: alone, on one Redis, and with a memory store in front.
// Requests to the upstream, and commands to Redis for 1,000 calls of warm keys.
//
// Needs redis-server (Debian, Ubuntu: apt-get install redis-server)
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { memoizeAsync, tiered } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Redis } from 'ioredis';
import type { Store } from 'aiocachetools';

const KEYS = 20;
const CALLERS = 50;
const ROUNDS = 10;

const directory = mkdtempSync(join(tmpdir(), 'aiocachetools-example-'));
const path = join(directory, 'redis.sock');
const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory], {
  stdio: 'ignore',
});
server.on('error', () => {
  console.error('This example needs redis-server (Debian, Ubuntu: apt-get install redis-server)');
  process.exitCode = 1;
});

const clients = [new Redis({ path, retryStrategy: () => 20 }), new Redis({ path, retryStrategy: () => 20 })];
for (const client of clients) client.on('error', () => undefined);

try {
  await Promise.all(clients.map((client) => client.ping()));
  console.log(row('', 'calls', 'upstream', 'Redis'));
  await step('two instances, memory', () => new Map());
  await step('redisStore', (client) => redisStore(client, { prefix: 'far:' }));
  await step('tiered(Map, redisStore)', (client) => tiered(new Map(), redisStore(client, { prefix: 'near:' })));
} finally {
  for (const client of clients) client.disconnect();
  server.kill();
  rmSync(directory, { recursive: true, force: true });
}

/** Each instance has a wrapper, a store and a connection of its own: for the library they are two processes. */
async function step(label: string, open: (client: Redis) => Map<string, never> | Store<never>): Promise<void> {
  let runs = 0;
  const instances = clients.map((client) =>
    memoizeAsync(
      async (id: number) => {
        runs += 1;
        await pause(20);
        return { id };
      },
      { name: 'report', ttl: 60_000, cache: open(client) },
    ),
  );
  /** For one key after another: all callers of it at once. Reads of one turn would be one command. */
  const round = async (): Promise<void> => {
    for (let id = 0; id < KEYS; id += 1) {
      const calls = Array.from({ length: CALLERS }, () => instances.map((getReport) => getReport(id)));
      await Promise.all(calls.flat());
    }
    await Promise.all(instances.map((getReport) => getReport.settled()));
  };
  await round();
  const before = await commands();
  for (let warm = 1; warm < ROUNDS; warm += 1) await round();
  const callsOfRound = KEYS * CALLERS * instances.length;
  const commandsPerThousand = ((await commands()) - before) / (((ROUNDS - 1) * callsOfRound) / 1_000);
  console.log(row(label, count(ROUNDS * callsOfRound), count(runs), `${Math.round(commandsPerThousand)} per 1,000`));
}

/** Commands that Redis has carried out for the instances. */
async function commands(): Promise<number> {
  const text = await clients[0]!.info('commandstats');
  const own = [...text.matchAll(/cmdstat_(?!info|hello|client)\w+:calls=(\d+)/gu)];
  return own.reduce((sum, [, calls]) => sum + Number(calls), 0);
}

function row(label: string, ...cells: readonly string[]): string {
  return label.padEnd(24) + cells.map((cell) => cell.padStart(13)).join('');
}

function count(value: number): string {
  return value.toLocaleString('en');
}

// Output:
//                                 calls     upstream        Redis
// two instances, memory          20,000           40  0 per 1,000
// redisStore                     20,000           20 20 per 1,000
// tiered(Map, redisStore)        20,000           20  1 per 1,000
