import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

interface Snippet {
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

const root = process.cwd();
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const lines = readme.split('\n');
const snippets = findSnippets(readme);
const runnable = snippets.filter(({ language }) => language === 'ts' || language === 'js');

function findSnippets(text: string): Snippet[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = ''], index, all) => ({
    line: text.slice(0, all[index]!.index).split('\n').length,
    language,
    code,
  }));
}

/** The comments behind or below `console.log` calls, in order: what the snippet says that it prints. */
function promisedOutput(code: string): string[] {
  return [...code.matchAll(/console\.log\((?:.*)\);(?: \/\/ (.*)|\s*\n\/\/ (.*))/g)].map(
    ([, behind, below]) => behind ?? below ?? '',
  );
}

describe('README.md', () => {
  let folder: string;
  let files: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'readme-'));
    files = runnable.map(({ code, language }, index) => {
      const file = join(folder, `${index}.m${language}`);
      writeFileSync(
        file,
        `${code.replace("'aiocachetools'", `'${join(root, 'lib/index.ts')}'`).replace("'aiocachetools/redis'", `'${join(root, 'lib/redis/index.ts')}'`)}\nexport {};\n`,
      );
      return file;
    });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is at most 400 lines long and shows code by line 15', () => {
    expect(lines.length).toBeLessThanOrEqual(401);
    expect(snippets[0]!.line).toBeLessThan(15);
  });

  it('has snippets that compile', () => {
    const program = ts.createProgram(
      [resolve('__tests__/support/readme-world.ts'), ...files.filter((file) => file.endsWith('.mts'))],
      {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        lib: ['lib.es2023.d.ts'],
        types: ['node'],
        typeRoots: [resolve('node_modules/@types')],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        noEmit: true,
      },
    );
    const problems = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const at =
        diagnostic.file &&
        `${diagnostic.file.fileName}:${diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1}`;
      return `${at ?? ''} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`;
    });
    expect(problems).toEqual([]);
  });

  it('has snippets that run and print what they say', () => {
    const printed = JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', resolve('__tests__/support/run-snippets.ts'), ...files], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '' },
      }),
    ) as string[][];
    const promised = runnable.map(({ code }) => promisedOutput(code));
    expect(printed).toEqual(promised);
    expect(promised.flat().length).toBeGreaterThanOrEqual(5);
  });
});
