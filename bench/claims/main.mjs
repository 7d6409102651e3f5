/* global clearTimeout */
/**
 * The table of peers, made by running them.
 *
 *   node bench/claims/main.mjs            compare with docs/comparison.md: exit code 1 where they differ
 *   node bench/claims/main.mjs --write    write it there
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { claims } from './claims.mjs';
import { contenders } from './contenders.mjs';
import { startRedis } from './redis.mjs';
import { strengths } from './strengths.mjs';

const page = fileURLToPath(new URL('../../docs/comparison.md', import.meta.url));
const [begin, end] = ['<!-- claims: begin -->\n', '<!-- claims: end -->\n'];
const patience = 5_000;

// What a contender leaves behind unhandled is none of the table's business.
process.on('unhandledRejection', () => undefined);

const versions = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).dependencies;
const text = readFileSync(page, 'utf8');
const redis = await startRedis();
const table = await makeTable();
const [before, rest] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))];
const stored = text.slice(before.length, text.length - rest.length);
if (process.argv.includes('--write')) {
  writeFileSync(page, `${before}${table}${rest}`);
} else if (stored !== table) {
  const old = stored.split('\n');
  for (const [index, line] of table.split('\n').entries()) {
    if (line !== old[index]) console.error(`- ${old[index]}\n+ ${line}`);
  }
  console.error('The table of docs/comparison.md is not what was found just now.');
  process.exitCode = 1;
} else {
  const checked = claims.filter(({ needsRedis }) => !needsRedis || redis !== undefined);
  console.log(`${checked.length} claims on ${Object.keys(contenders).length} packages hold.`);
}
for (const { claim, check } of strengths) {
  if ((await check().catch(() => false)) === true) continue;
  console.error(`Not so: ${claim}`);
  process.exitCode = 1;
}
process.exit();

async function makeTable() {
  const names = Object.keys(contenders);
  const lines = [
    ['', ...names],
    ['---', ...names.map(() => ':-:')],
  ];
  lines.push(['version', ...names.map(versionOf)]);
  for (const { claim, check, needsRedis } of claims) {
    if (needsRedis && redis === undefined) {
      console.error(`Not checked without redis-server: ${claim}`);
      lines.push(storedRow(claim));
      continue;
    }
    const cells = [];
    for (const name of names) {
      if (needsRedis) await redis.reset();
      cells.push(await cellFor(check, contenders[name]));
    }
    lines.push([claim, ...cells]);
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** What the page says already. */
function storedRow(claim) {
  const row = text.split('\n').find((line) => line.startsWith(`| ${claim} |`)) ?? `| ${claim} |`;
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function versionOf(name) {
  if (name === 'aiocachetools') return 'this one';
  const packages = { 'p-memoize 8': 'p-memoize', 'p-memoize 9': 'p-memoize9', cachified: '@epic-web/cachified' };
  const range = versions[packages[name] ?? name];
  return range.replace(/^.*@/u, '');
}

/** A contender that throws, rejects or hangs does not do what the claim says. */
async function cellFor(check, contender) {
  let timer;
  const tooLate = new Promise((resolve) => {
    timer = setTimeout(() => resolve(false), patience);
  });
  const attempt = async () => check(contender, redis);
  const holds = await Promise.race([attempt().catch(() => false), tooLate]);
  clearTimeout(timer);
  return holds === undefined ? '' : holds ? 'yes' : '**no**';
}
