import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import type { AddressInfo, NetConnectOpts } from 'node:net';

/** Runs a command until its stdin closes, also when the runner was killed. It is detached from signals to the group of the runner. */
const guard = `"$@" >/dev/null 2>&1 & p=$!; read -r _; kill -9 $p; wait $p 2>/dev/null`;

/** Packages of other projects that only tests of stores need. */
export const thirdParty = join(process.cwd(), '__tests__/third-party');

export const hasThirdParty = existsSync(join(thirdParty, 'node_modules'));

/**
 * `describe` for suites that need programs and the packages of other projects: skipped with a line where they are missing,
 * failing where `CI` is set.
 *
 * @param needs The Debian package of each program.
 */
export function describeWith(needs: Readonly<Record<string, string>>, name: string, define: () => void): void {
  const missing = Object.keys(needs).filter((program) => spawnSync(program, ['--version']).error !== undefined);
  if (missing.length === 0 && hasThirdParty) return describe(name, define);
  const advice = hasThirdParty
    ? `missing: ${missing.join(', ')} (Debian, Ubuntu: apt-get install ${missing.map((program) => needs[program]).join(' ')})`
    : 'missing: packages (npm ci --prefix __tests__/third-party)';
  if (process.env['CI']) {
    return describe(name, () => {
      it('has what it runs against', () => {
        throw new Error(advice);
      });
    });
  }
  process.stderr.write(`skipped ${name}: ${advice}\n`);
  describe.skip(name, define);
}

/** A server that only this test file uses. */
export class PrivateServer {
  readonly #guard: ChildProcess;

  private constructor(command: readonly string[]) {
    this.#guard = spawn('sh', ['-c', guard, 'guard', ...command], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  }

  /** Resolves once the server takes connections. */
  static async start(command: readonly string[], address: NetConnectOpts): Promise<PrivateServer> {
    const server = new PrivateServer(command);
    try {
      for (let attempt = 0; attempt < 500; attempt += 1) {
        if (await takesConnections(address)) return server;
        if (server.#guard.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`${command[0]} did not start`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#guard.exitCode !== null) return;
    const exited = once(this.#guard, 'exit');
    this.#guard.stdin!.end();
    await exited;
  }
}

/** A port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function takesConnections(address: NetConnectOpts): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
