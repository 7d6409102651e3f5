import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

const hasServer = spawnSync('redis-server', ['--version']).status === 0;

/** `describe` for suites that need a redis-server: skipped where there is none, failing where `CI` is set. */
export function describeRedis(name: string, define: () => void): void {
  if (hasServer) return describe(name, define);
  const advice = 'redis-server is not installed (Debian, Ubuntu: apt-get install redis-server)';
  if (process.env['CI'] || process.env['REQUIRE_REDIS']) {
    return describe(name, () => {
      it('has a redis-server to run against', () => {
        throw new Error(advice);
      });
    });
  }
  process.stderr.write(`skipped ${name}: ${advice}\n`);
  describe.skip(name, define);
}

/*
 * Runs redis-servers on its commands, and puts an end to them and to their folder when its stdin closes: also when the
 * test runner was killed. It is detached, so that a signal to the runner's group does not reach it first.
 */
const guard = `
dir=$1; shift
while read -r command; do
  case $command in
    start) redis-server "$@" >>"$dir/log" 2>&1 & p=$!; echo $p;;
    stop) kill -9 $p; wait $p 2>/dev/null; p=; echo stopped;;
  esac
done
[ -n "$p" ] && { kill -9 $p; wait $p; } 2>/dev/null
rm -rf "$dir"
`;

/** A private redis-server on a unix socket. */
export class TestServer {
  readonly directory: string;
  readonly socket: string;
  readonly #guard: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #clients: Redis[] = [];
  #pid = 0;

  private constructor(directory: string, args: readonly string[]) {
    this.directory = directory;
    this.socket = join(directory, 'redis.sock');
    const fixed = ['--dir', directory, '--save', '', '--appendonly', 'no', '--enable-debug-command', 'yes'];
    const where = args.includes('--port') ? [] : ['--port', '0', '--unixsocket', this.socket];
    this.#guard = spawn('sh', ['-c', guard, 'guard', directory, ...fixed, ...where, ...args], { detached: true });
    this.#lines = createInterface(this.#guard.stdout)[Symbol.asyncIterator]();
  }

  static async start(...args: string[]): Promise<TestServer> {
    const server = new TestServer(mkdtempSync(join(tmpdir(), 'aiocachetools-')), args);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    this.#pid = Number(await this.#command('start'));
  }

  /** kill -9: nothing is saved. */
  async kill(): Promise<void> {
    await this.#command('stop');
  }

  /** SIGSTOP: connections stay, nothing is answered. */
  freeze(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  /** A client that waits for the server to come up, and is closed with it. */
  client(options: object = {}): Redis {
    const client = new Redis({ path: this.socket, retryStrategy: () => 20, maxRetriesPerRequest: null, ...options });
    // It says so while the server is down, which is part of the tests.
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        if (client.status === 'end') return;
        // ioredis says nothing of the end of a client that waits for its next attempt to connect.
        const isWaiting = client.status === 'reconnecting';
        const ended = new Promise((resolve) => client.once('end', resolve));
        client.disconnect();
        if (!isWaiting) await ended;
      }),
    );
    const gone = new Promise((resolve) => this.#guard.once('close', resolve));
    this.#guard.stdin.end();
    await gone;
  }

  async #command(command: string): Promise<string> {
    this.#guard.stdin.write(`${command}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`The guard of redis-server ended at \`${command}\``);
    return line.value;
  }
}

/** Commands to a server, from a process that takes its own clock to be ahead of the server's by `ms` milliseconds. */
export function aheadBy(ms: number, client: Redis): (args: string[]) => Promise<unknown> {
  return async ([command, ...args]) => {
    const reply: unknown = await client.call(command!, ...args);
    if (Array.isArray(reply) && ['grant', 'hit', 'wait'].includes(String(reply[1]))) reply[0] = Number(reply[0]) - ms;
    return reply;
  };
}

/** Wait for a state that nothing announces: a look every few milliseconds. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string, limit = 15_000): Promise<void> {
  const endsAt = performance.now() + limit;
  while (!(await isSo())) {
    if (performance.now() > endsAt) throw new Error(`Waited ${limit} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
