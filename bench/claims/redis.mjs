import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs the server until its stdin closes, also when this process is killed. */
const guard = `redis-server --port 0 --unixsocket "$0" --save '' >/dev/null 2>&1 & p=$!; read -r _; kill -9 $p`;

/** A Redis server for claims about several processes. `undefined` where `redis-server` is not installed. */
export async function startRedis() {
  if (spawnSync('redis-server', ['--version']).error !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'aiocachetools-claims-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'redis.sock');
  const shell = spawn('sh', ['-c', guard, path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const { default: Redis } = await import('ioredis');
  for (let attempt = 0; attempt < 500 && shell.exitCode === null; attempt += 1) {
    const client = new Redis(path, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    const isReady = await client.connect().then(
      () => true,
      () => false,
    );
    if (isReady) return new RedisServer(client, () => new Redis(path));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('redis-server did not start');
}

class RedisServer {
  #admin;
  #connect;
  #clients = [];

  constructor(admin, connect) {
    this.#admin = admin;
    this.#connect = connect;
  }

  /** A connection, as each process has some of its own. */
  client() {
    const client = this.#connect();
    this.#clients.push(client.on('error', () => undefined));
    return client;
  }

  /** Empty, and without the connections of the claim before. */
  async reset() {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await this.#admin.flushall();
  }
}
