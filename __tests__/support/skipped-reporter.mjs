/** For Jest: after a run in which tests were skipped, one block that says what they need. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const parts = [
  {
    what: 'Redis (redisStore, tiered, clusters)',
    isHere: () => spawnSync('redis-server', ['--version']).status === 0,
    how: 'apt-get install redis-server',
  },
  {
    what: 'a browser (the core in a page, the playground)',
    isHere: () => existsSync(process.env['CHROMIUM'] ?? '/usr/bin/chromium'),
    how: 'apt-get install chromium, or set CHROMIUM',
  },
  {
    what: 'Bun, Deno and other versions of Node',
    isHere: () => existsSync('__tests__/runtimes/node_modules'),
    how: 'npm ci --prefix __tests__/runtimes',
  },
  {
    what: 'examples for frameworks, Keyv on SQLite',
    isHere: () => existsSync('examples/frameworks/node_modules'),
    how: 'npm ci --prefix examples/frameworks',
  },
  {
    what: 'the documentation site',
    isHere: () => existsSync('docs/node_modules'),
    how: 'npm ci --prefix docs',
  },
];

/** The block, or nothing where all is here. */
export function skippedBlock(all = parts) {
  const missing = all.filter(({ isHere }) => !isHere());
  if (missing.length === 0) return '';
  const width = Math.max(...missing.map(({ what }) => what.length));
  const lines = missing.map(({ what, how }) => `  ${what.padEnd(width)}  ${how}`);
  return `\nSkipped, because this machine lacks what they need:\n${lines.join('\n')}\n`;
}

export default class SkippedReporter {
  onRunComplete(_contexts, { numPendingTests }) {
    if (numPendingTests > 0) process.stderr.write(skippedBlock());
  }
}
