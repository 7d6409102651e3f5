/**
 * Builds the site: the reference of everything public, the pages, and a search over both. Then checks every link in it.
 *
 *   node .ci/docs/site.mjs [folder]     default: .docs
 *
 * A warning of typedoc, or a link that leads nowhere, makes the exit code 1.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

process.chdir(join(import.meta.dirname, '../..'));
const folder = resolve(process.argv[2] ?? '.docs');
const typedoc = 'docs/node_modules/typedoc/bin/typedoc';

if (!existsSync(typedoc)) run('npm', ['ci', '--prefix', 'docs']);
rmSync(folder, { recursive: true, force: true });
run(process.execPath, [typedoc, '--options', 'docs/typedoc.json', '--out', folder]);

const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));
const htmlOf = new Map(pages.map((page) => [join(folder, page), readFileSync(join(folder, page), 'utf8')]));
const anchorsOf = new Map();
const broken = [...htmlOf].flatMap(([page, html]) =>
  linksIn(html)
    .filter((link) => !leadsSomewhere(page, link))
    .map((link) => `${relative(folder, page)}: ${link}`),
);
for (const link of broken) console.error(`Leads nowhere: ${link}`);
if (broken.length > 0) process.exit(1);
console.log(`${htmlOf.size} pages, no link that leads nowhere: ${relative(process.cwd(), folder)}/index.html`);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function linksIn(html) {
  const links = [...html.matchAll(/(?:href|src)="([^"]+)"/gu)].map(([, link]) => link.replaceAll('&amp;', '&'));
  return [...new Set(links)].filter((link) => !/^(?:https?|data|mailto):/u.test(link) && link !== '#');
}

function leadsSomewhere(page, link) {
  const [path, anchor] = link.split('#');
  const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path));
  if (!existsSync(target)) return false;
  if (anchor === undefined || !htmlOf.has(target)) return true;
  if (!anchorsOf.has(target)) {
    const ids = [...htmlOf.get(target).matchAll(/ (?:id|name)="([^"]+)"/gu)].map(([, id]) => id);
    anchorsOf.set(target, new Set(ids));
  }
  return anchorsOf.get(target).has(decodeURIComponent(anchor));
}
