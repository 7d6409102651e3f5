import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { expectedExercise } from './support/expected-exercise.js';

const installed = resolve('__tests__/runtimes/node_modules');

/** Each with the arguments that give it no permission at all, and those that give it what a log needs. */
const hosts: [name: string, executable: string, args: string[], logging: string[]][] = [
  ['Node', process.execPath, [], []],
  [
    'Deno',
    join(installed, '@deno/linux-x64-glibc/deno'),
    ['run', '--no-remote', '--node-modules-dir=manual'],
    ['--no-prompt', '--allow-env', '--allow-read'],
  ],
  ['Bun', join(installed, '@oven/bun-linux-x64/bin/bun'), ['--no-install'], []],
];

let folder: string;

/** The core as a package would bring it: our code in one file, the dependencies beside it. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aiocachetools-runtimes-'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  await build({
    stdin: {
      contents: `import { exercise } from './support/exercise.js'; console.log(JSON.stringify(await exercise()));`,
      resolveDir: resolve('__tests__'),
    },
    outfile: join(folder, 'exercise.js'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(hosts)('the core in %s', (name, executable, args, logging) => {
  const isThere = existsSync(executable);
  if (!isThere) {
    const why = `no ${name} for this machine: npm ci --prefix __tests__/runtimes (64-bit Linux with glibc)`;
    if (process.env['CI'] !== undefined) throw new Error(why);
    console.warn(`Skipped: ${why}`);
  }

  (isThere ? it : it.skip)(
    'makes the keys of Node and stops a stampede, and needs no permission',
    async () => {
      const { stdout, stderr } = await run(executable, args, {});
      expect(JSON.parse(stdout)).toEqual({ ...expectedExercise, hasProcess: true, hasDocument: false });
      expect(stderr).toBe('');
    },
    60_000,
  );

  (isThere ? it : it.skip)(
    'logs for DEBUG',
    async () => {
      const { stderr } = await run(executable, [...args, ...logging], { DEBUG: 'aiocachetools:*', NO_COLOR: '1' });
      expect(stderr).toMatch(/aiocachetools:anonymous miss #0/);
    },
    60_000,
  );
});

function run(executable: string, args: readonly string[], variables: Record<string, string>) {
  const { PATH } = process.env;
  return promisify(execFile)(executable, [...args, join(folder, 'exercise.js')], {
    cwd: folder,
    env: { PATH, HOME: folder, DENO_DIR: folder, DENO_NO_UPDATE_CHECK: '1', ...variables },
  });
}
