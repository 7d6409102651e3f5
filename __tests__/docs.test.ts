import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Flight } from '../lib/in-flight/flight.js';
import { brokenLinks } from './support/markdown.js';
import { isRunnable, promisedOutput, SnippetFiles, snippetsOf } from './support/snippets.js';
import { thrownMessages } from './support/thrown-messages.js';

const run = promisify(execFile);

const docs = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const pages = ['README.md', '.github/CONTRIBUTING.md', 'bench/README.md', ...docs];

const isSiteReady = existsSync('docs/node_modules');
if (!isSiteReady && process.env['CI'] !== undefined) throw new Error('typedoc is not installed: npm ci --prefix docs');

(isSiteReady ? describe : describe.skip)('npm run docs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'aiocachetools-docs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('makes a site of everything public, without a warning or a link that leads nowhere', async () => {
    const { stdout, stderr } = await run(process.execPath, ['.ci/docs/site.mjs', join(folder, 'html')]);
    expect(stdout + stderr).not.toMatch(/warning|error/u);
    expect(stdout).toMatch(/no link that leads nowhere/u);
    for (const name of [
      'memoizeAsync',
      'batched',
      'createMemoizer',
      'invalidateTags',
      'memoizeMethods',
      'perInstance',
      'tiered',
    ]) {
      expect(existsSync(join(folder, 'html/functions', `aiocachetools.${name}.html`))).toBe(true);
    }
    const options = readFileSync(join(folder, 'html/interfaces/aiocachetools.MemoizeOptions.html'), 'utf8');
    expect(options).toContain('staleWhileRevalidate');
  }, 120_000);
});

describe('npm run docs:llms', () => {
  it('lists each page with a line about it, and puts all of them into one file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aiocachetools-llms-'));
    try {
      await run(process.execPath, ['.ci/docs/llms.mjs', folder]);
      const list = readFileSync(join(folder, 'llms.txt'), 'utf8');
      const full = readFileSync(join(folder, 'llms-full.txt'), 'utf8');
      for (const page of docs) {
        expect(list).toMatch(new RegExp(`^- \\[[^\\]]+\\]\\(${page}\\): \\S.+$`, 'mu'));
        expect(full).toContain(readFileSync(page, 'utf8').trim());
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  it('links to files and headings that exist', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names scripts, files and folders that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([\w:-]+)/gu)].map(([, script = '']) => script);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    const paths = [...text.matchAll(/(?:`| )((?:lib|__tests__|examples|bench|docs|\.ci)\/[\w./-]+)/gu)].map(
      ([, path = '']) => path,
    );
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe('the snippets of docs/', () => {
  const snippets = docs.flatMap((page) => snippetsOf(page, readFileSync(page, 'utf8'))).filter(isRunnable);
  let files: SnippetFiles;
  beforeAll(() => {
    files = new SnippetFiles(snippets);
  });
  afterAll(() => files.remove());

  it('compile', () => {
    expect(files.problems()).toEqual([]);
  }, 60_000);

  it('run, and print what they say', () => {
    const printed = files.run().map((lines, index) => ({ place: snippets[index]!.place, lines }));
    expect(printed).toEqual(snippets.map((snippet) => ({ place: snippet.place, lines: promisedOutput(snippet) })));
  }, 60_000);
});

describe('docs/architecture.md', () => {
  it('draws the transitions of a flight, and each that there is', () => {
    const leader = (): Flight<unknown> => new Flight('leader', 'refresh');
    const made = {
      reading: () => new Flight('key', 'call'),
      running: () => new Flight('key', 'refresh'),
      following: () => change(new Flight('key', 'call'), (flight) => flight.follow(leader())),
      settled: () => change(new Flight('key', 'call'), (flight) => flight.settle('done')),
    };
    const steps = {
      running: (flight: Flight<unknown>) => flight.run(),
      following: (flight: Flight<unknown>) => flight.follow(leader()),
      settled: (flight: Flight<unknown>) => flight.settle('done'),
    };
    const possible = Object.entries(made).flatMap(([from, make]) =>
      Object.entries(steps)
        .filter(([, step]) => isDone(() => step(make())))
        .map(([to]) => `${from} --> ${to}`),
    );
    const drawing = /^stateDiagram-v2\n([\s\S]*?)^```$/mu.exec(readFileSync('docs/architecture.md', 'utf8'))![1]!;
    const drawn = [...drawing.matchAll(/^ +(\w+ --> \w+) :/gmu)].map(([, arrow]) => arrow);
    expect(possible.sort()).toEqual(drawn.sort());
    const begins = [...drawing.matchAll(/^ +\[\*\] --> (\w+)/gmu)].map(([, state]) => state);
    expect(begins.sort()).toEqual([made.reading().state.name, made.running().state.name]);
  });

  it('shows each file of lib/ once, and no other', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    const [, tree = ''] = /^```text\nlib\/\n([\s\S]*?)^```$/mu.exec(text)!;
    const folders: string[] = [];
    const shown: string[] = [];
    for (const [, indent = '', name = ''] of tree.matchAll(/^( +)(\S+)/gmu)) {
      folders.length = indent.length / 2 - 1;
      if (name.endsWith('/')) folders.push(name);
      else shown.push(folders.join('') + name);
    }
    const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    expect(shown.sort()).toEqual(files.sort());
  });
});

describe('docs/errors.md', () => {
  it('has a heading for each message that the library makes', () => {
    const headings = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^### (.*)$/gmu)].map(
      ([, heading]) => heading,
    );
    expect(thrownMessages('lib').filter((message) => !headings.includes(message))).toEqual([]);
  });
});

describe('docs/options.md and the table of README.md', () => {
  it('say what the doc comments of the options say', async () => {
    const written = await run(process.execPath, ['.ci/docs/options.mjs', '--check']);
    expect(written.stdout + written.stderr).toBe('');
  });
});

describe('docs/migrating.md', () => {
  const sections = readFileSync('docs/migrating.md', 'utf8')
    .split(/^<!-- package: /mu)
    .slice(1);
  const folders = ['node_modules', 'bench/node_modules'];

  it.each(sections.map((section): [string, string] => [section.slice(0, section.indexOf(' ')), section]))(
    'names what %s has',
    (name, section) => {
      const folder = folders.map((each) => join(each, name)).find((each) => existsSync(each));
      // The others come with `npm ci --prefix bench`.
      if (folder === undefined) return;
      const [table = ''] = section.split('\n## ');
      const left = [...table.matchAll(/^\| ([^|]*) \|/gmu)].map(([, cell = '']) => cell).slice(1);
      const names = left.flatMap((cell) => [...cell.matchAll(/`[^`]*`/gu)].flatMap(([code]) => code.match(/\w{3,}/gu)));
      const isOwn = (word: string | null): boolean =>
        !/^(?:new|Map|key|old|signal|user|users|loadUsers|redis|type|true|false|undefined|options|loader|cache|number|\d.*|id)$/u.test(
          word!,
        );
      const types = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.d\.[cm]?ts$|\.md$|\.js$/u.test(path))
        .map((path) => readFileSync(join(folder, path), 'utf8'))
        .join('\n');
      const missing = names.filter((word) => isOwn(word) && !new RegExp(`\\b${word}\\b`, 'u').test(types));
      expect(missing).toEqual([]);
    },
  );
});

describe('docs/step-by-step.md', () => {
  it.each(['examples/step-by-step.ts', 'examples/redis-step-by-step.ts'])('shows what %s prints', (example) => {
    const [, output = ''] = readFileSync(example, 'utf8').split('// Output:\n');
    const printed = output.replaceAll(/^\/\/ ?/gmu, '');
    expect(readFileSync('docs/step-by-step.md', 'utf8')).toContain(printed);
  });
});

function change<T>(value: T, act: (value: T) => void): T {
  act(value);
  return value;
}

function isDone(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
