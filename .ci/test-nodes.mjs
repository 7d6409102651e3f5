/**
 * Runs the tests that depend on the Node they run on, on every supported line of it that is not the installed one.
 *
 *   npm run test:nodes -- [22 24 26] [options of Jest …]
 *
 * Left out: what needs a server, a browser or an install of its own, and what only reads files or compiles. The random
 * argument lists are fewer here than in `npm test`, unless `LISTS` says how many.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

process.chdir(join(import.meta.dirname, '..'));

const elsewhere = [
  '/__tests__/(browser|redis|soak)/',
  '/__tests__/(examples|frameworks|runtimes)\\.test\\.ts$',
  // These give the same answer on every Node.
  '/__tests__/(architecture|bundle|declarations|docs|package|types)\\.test\\.ts$',
];

const runtimes = '__tests__/runtimes';
const { optionalDependencies } = JSON.parse(readFileSync(join(runtimes, 'package.json'), 'utf8'));
const versions = Object.keys(optionalDependencies).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []);

const wanted = process.argv.slice(2).filter((argument) => versions.includes(argument));
const options = process.argv.slice(2).filter((argument) => !versions.includes(argument));

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.log(`Skipped: Node ${versions.join(', ')} are installed from npm for 64-bit Linux only`);
} else {
  for (const version of wanted.length > 0 ? wanted : versions) test(version);
}

function test(version) {
  const binary = join(runtimes, 'node_modules', `node${version}`, 'bin/node');
  if (!existsSync(binary)) throw new Error(`No Node ${version}: npm ci --prefix ${runtimes}`);
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const ignored = elsewhere.map((pattern) => `--testPathIgnorePatterns=${pattern}`);
  const jest = ['node_modules/jest/bin/jest.js', ...options, ...ignored];
  console.log(`\nNode ${spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const { status } = spawnSync(binary, [...flags, ...jest], {
    stdio: 'inherit',
    env: { LISTS: '20000', ...process.env },
  });
  if (status !== 0) process.exitCode = 1;
}
