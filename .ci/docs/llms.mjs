/**
 * Writes llms.txt, a list of the pages with a line about each, and llms-full.txt, all of them in one file.
 *
 *   node .ci/docs/llms.mjs [folder]     default: the root of the repository
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2] ?? '.');
process.chdir(join(import.meta.dirname, '../..'));

const { name, description } = JSON.parse(readFileSync('package.json', 'utf8'));
const { projectDocuments } = JSON.parse(readFileSync('docs/typedoc.json', 'utf8'));
const pages = projectDocuments.filter((page) => !page.startsWith('..')).map((page) => `docs/${page}`);
const all = ['README.md', ...pages, 'CHANGELOG.md'];

const lines = all.slice(1).map((page) => {
  const { title, summary } = headOf(page);
  return `- [${title}](${page}): ${summary}`;
});
writeFileSync(
  join(folder, 'llms.txt'),
  `# ${name}\n\n> ${description}\n\n- [README](README.md): usage, options, guarantees\n${lines.join('\n')}\n`,
);
writeFileSync(
  join(folder, 'llms-full.txt'),
  all.map((page) => `<!-- ${page} -->\n\n${readFileSync(page, 'utf8').trim()}\n`).join('\n'),
);

/** The first heading of a page, and the first sentence below it. */
function headOf(page) {
  const text = readFileSync(page, 'utf8').replaceAll(/<!--[\s\S]*?-->\n*/gu, '');
  const [, title, paragraph] = /^# (.*)\n+([\s\S]*?)\n\n/u.exec(text);
  const sentence = paragraph.replaceAll(/\s+/gu, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, '$1');
  return { title, summary: /^.*?\.(?= |$)/u.exec(sentence)[0] };
}
