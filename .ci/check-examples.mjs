/**
 * Runs examples and compares what they print with the comments at their end, in which `…` stands for what differs from
 * one run to the next.
 *
 *   node .ci/check-examples.mjs [--dist] [file …]
 *
 * Without files: all of examples/. With `--dist` the examples import the built package in place of the sources.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
const timeout = 60_000;

const { values, positionals } = parseArgs({ options: { dist: { type: 'boolean' } }, allowPositionals: true });
const files = positionals.length > 0 ? positionals : allExamples();
for (const file of files) {
  const complaint = await check(file);
  console.log(`${complaint === undefined ? 'ok  ' : 'FAIL'} ${file}`);
  if (complaint === undefined) continue;
  console.error(complaint);
  process.exitCode = 1;
}

function allExamples() {
  return readdirSync(join(root, 'examples'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('examples', name));
}

async function check(file) {
  const source = readFileSync(resolve(root, file), 'utf8');
  if (!source.startsWith('// ')) return 'Expected line one to say what the example shows';
  const expected = trailingComment(source);
  if (expected === undefined) return 'Expected the output to follow as a comment that begins with `// Output:`';
  const { code, stdout, stderr } = await run(file);
  if (code !== 0) return `Exit code ${code}\n${stdout}${stderr}`;
  return difference(expected, stdout.trimEnd().split('\n'));
}

function trailingComment(source) {
  const lines = source.trimEnd().split('\n');
  const start = lines.lastIndexOf('// Output:');
  const output = lines.slice(start + 1);
  if (start < 0 || output.length === 0 || !output.every((line) => line.startsWith('//'))) return undefined;
  return output.map((line) => line.replace(/^\/\/ ?/, ''));
}

async function run(file) {
  // The build's settings map no names to the sources, so that the package is found as a consumer would find it.
  const settings = values.dist ? ['--tsconfig', join(root, 'tsconfig.build.json')] : [];
  const child = spawn(process.execPath, [tsx, ...settings, file], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, DEBUG: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code ?? signal, stdout, stderr };
}

function difference(expected, actual) {
  const length = Math.max(expected.length, actual.length);
  const index = Array.from({ length }).findIndex((_, line) => !isLike(expected[line], actual[line]));
  if (index < 0) return undefined;
  return `Line ${index + 1}: expected ${JSON.stringify(expected[index])}, got ${JSON.stringify(actual[index])}`;
}

function isLike(expected, actual) {
  if (expected === undefined || actual === undefined) return false;
  const pattern = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('.*')}$`).test(actual.trimEnd());
}
