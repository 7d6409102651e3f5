// Four processes ask for one cold key, 200 callers each: one run, shown as it happens.
//
// npm run example:redis        (needs redis-server: Debian, Ubuntu: apt-get install redis-server)
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Redis } from 'ioredis';

const PROCESSES = 4;
const CALLERS = 200;

if (process.send === undefined) await lead();
else await work(process.argv[2]!);

/** One of the processes: its own client, its own wrapper, 200 callers. */
async function work(path: string): Promise<void> {
  const client = new Redis({ path });
  const getReport = memoizeAsync(
    async (id: number) => {
      process.send!(`runs the query for report ${id}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return `report ${id}, made by process ${process.pid}`;
    },
    { name: 'getReport', ttl: 60_000, cache: redisStore(client) },
  );
  await client.ping();
  process.send!('is ready');
  await new Promise((resolve) => process.once('message', resolve));
  const answers = await Promise.all(Array.from({ length: CALLERS }, () => getReport(7)));
  const { runs } = getReport.stats();
  process.send!(
    `has ${answers.length} answers after ${runs} run${runs === 1 ? '' : 's'}: ${[...new Set(answers)].join()}`,
  );
  await getReport.settled();
  await client.quit();
  process.disconnect();
}

/** Starts a server and the processes, and says what they say. */
async function lead(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'aiocachetools-example-'));
  const path = join(directory, 'redis.sock');
  const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory], {
    stdio: 'ignore',
  });
  server.on('error', () => {
    console.error('This example needs redis-server (Debian, Ubuntu: apt-get install redis-server)');
    process.exitCode = 1;
  });
  let runs = 0;
  let ready = 0;
  const workers = Array.from({ length: PROCESSES }, (_, index) => {
    const worker = fork(fileURLToPath(import.meta.url), [path]);
    worker.on('message', (text: string) => {
      const named = workers.reduce(
        (line, { pid }, each) => line.replace(`process ${pid}`, `process ${each + 1}`),
        text,
      );
      console.log(`process ${index + 1} ${named}`);
      if (text.startsWith('runs')) runs += 1;
      if (text === 'is ready' && (ready += 1) === PROCESSES) for (const each of workers) each.send('go');
    });
    return worker;
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  console.log(`${PROCESSES * CALLERS} callers in ${PROCESSES} processes: ${runs} run${runs === 1 ? '' : 's'}`);
  if (runs !== 1) process.exitCode = 1;
  server.kill();
  rmSync(directory, { recursive: true, force: true });
}

// Output:
// process … is ready
// process … is ready
// process … is ready
// process … is ready
// process … runs the query for report 7
// process … has 200 answers after … run…: report 7, made by process …
// process … has 200 answers after … run…: report 7, made by process …
// process … has 200 answers after … run…: report 7, made by process …
// process … has 200 answers after … run…: report 7, made by process …
// 800 callers in 4 processes: 1 run
