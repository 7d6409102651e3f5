/**
 * Lock files must work with every registry, and no file may name the host of one: neither the configured one nor those
 * that are commonly used.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

process.chdir(join(import.meta.dirname, '..'));

const lockFiles = new Set(['package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock']);
const { host } = new URL(execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim());
const commonHosts =
  /\b(?:registry|npm|packages?|pypi|crates)\.(?:[\w-]+\.)*(?:org|com|io|dev|net)\b|\b(?:pypi|crates|jsr)\.(?:org|io)\b/i;

const problems = tracked().flatMap((file) => {
  const source = readFileSync(file, 'utf8');
  const found = [];
  if (lockFiles.has(basename(file)) && /"?resolved"?[: ]/.test(source)) found.push('names where packages come from');
  source.split('\n').forEach((line, index) => {
    if (line.includes(host) || commonHosts.test(line)) found.push(`names a package registry in line ${index + 1}`);
  });
  return found.map((problem) => `${file} ${problem}`);
});

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function tracked() {
  return execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(isFile);
}

function isFile(path) {
  return path !== '' && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
