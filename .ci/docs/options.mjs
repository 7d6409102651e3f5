/**
 * Writes what pages say about options from the doc comments of the sources: docs/options.md, and the table of README.md.
 *
 *   node .ci/docs/options.mjs           write the pages
 *   node .ci/docs/options.mjs --check   exit code 1 where a page is not what the sources say
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

process.chdir(join(import.meta.dirname, '../..'));

const interfaces = [
  {
    file: 'lib/options.ts',
    name: 'MemoizeOptions',
    title: 'memoizeAsync',
    intro:
      'Also of `createMemoizer`, where they are defaults that each wrapper can override, and of each method of ' +
      '`memoizeMethods`. The defaults share runs and keep the last thousand results. ' +
      '[Choosing options](choosing-options.md) starts from what you know about your function.',
  },
  {
    file: 'lib/batched.ts',
    name: 'BatchOptions',
    title: 'batched',
    intro:
      '`batched(fn, options?)`: a function of many items becomes a function of one. See [many at once](recipes.md#many-at-once).',
    prefix: 'batched: ',
  },
  {
    file: 'lib/store/tiered.ts',
    name: 'TieredOptions',
    title: 'tiered',
    intro: '`tiered(near, far, options?)`: a memory store in front of a shared one.',
  },
  {
    file: 'lib/redis/options.ts',
    name: 'RedisStoreOptions',
    title: 'redisStore',
    intro: '`redisStore(client, options?)` from `aiocachetools/redis`. See [Redis and Valkey](redis.md).',
  },
];

const sections = interfaces.map((section) => ({ ...section, options: optionsOf(section.file, section.name) }));
const pages = { 'docs/options.md': optionsPage(), 'README.md': readmeWithTable() };
const isCheck = process.argv.includes('--check');
for (const [page, text] of Object.entries(pages)) {
  if (readFileSync(page, { encoding: 'utf8', flag: 'a+' }) === text) continue;
  if (isCheck) {
    console.error(`${page} is not what the doc comments say: npm run docs:options`);
    process.exitCode = 1;
  } else {
    writeFileSync(page, text);
    console.log(`Written: ${page}`);
  }
}

function optionsOf(file, name) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const declaration = source.statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name);
  if (declaration === undefined) throw new Error(`Expected ${file} to declare ${name}`);
  return declaration.members.map((member) => {
    const option = member.name.getText(source);
    const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    if (comment === undefined) throw new Error(`Expected a doc comment for ${name}.${option}`);
    const tags = Object.fromEntries((comment.tags ?? []).map((tag) => [tag.tagName.text, textOf(tag.comment)]));
    const [summary, ...details] = textOf(comment.comment).split(/\n{2,}/u);
    const initial = tags.default === undefined || tags.default === 'undefined' ? 'none' : tags.default;
    const shown = simpleType(member.type.getText(source));
    return {
      option,
      type: shown,
      summary: oneLine(summary),
      details,
      default: codeOf(initial),
      example: tags.example,
    };
  });
}

function textOf(comment) {
  return (ts.getTextOfJSDocComment(comment) ?? '').trim();
}

/** What a reader needs of a type: without type parameters of ours. */
function simpleType(type) {
  return type
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/\s*\| undefined$/gu, '')
    .replaceAll(/this: ThisParameterType<F>, /gu, '')
    .replaceAll(/\.\.\.args: (?:Call)?Parameters<F>/gu, '...args')
    .replaceAll(/CacheOption<Resolved<F>>/gu, 'Store | null | (receiver) => Store | null')
    .replaceAll(/Ignore<OverloadParameters<F>>/gu, 'number | string')
    .replaceAll(/\((\w+): (?:Resolved<F>|unknown|MemoizeEvent)/gu, '($1')
    .replaceAll(/, (\w+): (?:number|unknown)\)/gu, ', $1)')
    .replaceAll(/^readonly /gu, '')
    .replaceAll(/^\((\(.*\) => \w+)\)$/gu, '$1')
    .trim();
}

/** A default is code where it is a value, words where it is a description. */
function codeOf(text) {
  const isValue = /^(?:[\w.]+|\[\]|'[^']*')$/u.test(text) && text !== 'none';
  return isValue ? `\`${text}\`` : text;
}

function optionsPage() {
  const parts = [
    '# Options',
    '<!-- Made from the doc comments by `npm run docs:options`. -->',
    'All times are milliseconds. An unknown option, or one of the wrong kind, is a `TypeError` at once. An option that is ' +
      '`undefined` counts as not given.',
  ];
  for (const { title, intro, options, prefix = '' } of sections) {
    parts.push(`## ${title}`, intro);
    for (const each of options) {
      parts.push(`### ${prefix}${each.option}`, `Type: \`${each.type}\`. Default: ${each.default}.`, each.summary);
      parts.push(...each.details);
      if (each.example !== undefined) parts.push(`\`\`\`ts\n${each.example}\n\`\`\``);
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function readmeWithTable() {
  const text = readFileSync('README.md', 'utf8');
  const rows = sections[0].options.map(
    ({ option, type, default: initial, summary }) =>
      `| [\`${option}\`](docs/options.md#${option.toLowerCase()}) | \`${type.replaceAll('|', '\\|')}\` | ${initial} | ${clauseOf(summary)} |\n`,
  );
  const table = `| option | type | default | |\n|---|---|---|---|\n${rows.join('')}`;
  return text.replace(
    /(<!-- options: begin -->\n)[\s\S]*?(<!-- options: end -->)/u,
    (_, begin, end) => `${begin}${table}${end}`,
  );
}

/** The first sentence, up to a list of details. */
function clauseOf(summary) {
  const [, clause] = /^(.*?)(?:: |\. |\.?$)/u.exec(summary);
  return clause.replaceAll(/, in milliseconds(?:(?=,)| > 0$|$)|, a whole number > 0$| \(RFC 5861\)$/gu, '');
}

function oneLine(text) {
  return text.replaceAll(/\s+/gu, ' ');
}
