import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const pages = ['.github/CONTRIBUTING.md', '.github/docs/choosing-options.md', '.github/docs/comparison.md'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aiocachetools-docs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('npm run docs', () => {
  it('makes a reference of everything public, without a warning', async () => {
    const typedoc = ['node_modules/typedoc/bin/typedoc', '--options', '.github/docs/typedoc.json'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...typedoc, '--out', join(folder, 'html')]);
    expect(stdout + stderr).not.toMatch(/warning|error/u);
    for (const name of ['memoizeAsync', 'batched', 'createMemoizer', 'memoizeMethods', 'perInstance', 'tiered']) {
      expect(existsSync(join(folder, 'html/functions', `lib.${name}.html`))).toBe(true);
    }
    const options = readFileSync(join(folder, 'html/interfaces/lib.MemoizeOptions.html'), 'utf8');
    expect(options).toContain('staleWhileRevalidate');
  }, 120_000);
});

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/gu)].map(([, target = '']) =>
      resolve(dirname(page), target),
    );
    expect(links.filter((target) => !existsSync(target))).toEqual([]);
  });

  it('names scripts, files and folders that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([\w:-]+)/gu)].map(([, script = '']) => script);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    const paths = [...text.matchAll(/(?:`| )((?:lib|__tests__|examples|bench|\.ci)\/[\w./-]+)/gu)].map(
      ([, path = '']) => path,
    );
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('has code that compiles', () => {
    const snippets = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map(([, code = '']) => code);
    const files = snippets.map((code, index) => {
      const file = join(folder, `${page.replaceAll(/\W/gu, '-')}-${index}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      return file;
    });
    const program = ts.createProgram(files, {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ['lib.es2023.d.ts'],
      types: ['node'],
      typeRoots: [resolve('node_modules/@types')],
      paths: { aiocachetools: [resolve('lib/index.ts')] },
      strict: true,
      skipLibCheck: true,
      noEmit: true,
    });
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      return `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(problems).toEqual([]);
  }, 60_000);
});
