import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

/** A block of code in a page of Markdown. */
export interface Snippet {
  /** Where it begins, such as `docs/redis.md:12`. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
}

const LIBRARY: readonly (readonly [name: string, source: string])[] = [
  ["'aiocachetools'", 'lib/index.ts'],
  ["'aiocachetools/redis'", 'lib/redis/index.ts'],
];

export function snippetsOf(page: string, text: string): Snippet[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = '', 2: code = '' }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language,
    code,
  }));
}

/** TypeScript and JavaScript; other languages are only shown. */
export function isRunnable({ language }: Snippet): boolean {
  return language === 'ts' || language === 'js';
}

/** What a snippet says that it prints: comments behind or below `console.log(…)`, and `//=>` behind an expression. */
export function promisedOutput({ code }: Snippet): string[] {
  const promise = /console\.log\(.*\);(?: \/\/ (.*)|\s*\n\/\/ (.*))|^.*; \/\/=> (.*)$/gm;
  return [...code.matchAll(promise)].map(([, behind, below, value]) => behind ?? below ?? value ?? '');
}

/** Snippets as files, in the world of `readme-world.ts`. */
export class SnippetFiles {
  readonly #folder: string;
  readonly #files: readonly string[];

  /** @param home The folder whose packages are found. */
  constructor(snippets: readonly Snippet[], home = '.') {
    mkdirSync(join(home, 'reports'), { recursive: true });
    this.#folder = mkdtempSync(resolve(home, 'reports/snippets-'));
    this.#files = snippets.map(({ code, language, place }, index) => {
      const file = join(this.#folder, `${index}-${place.replaceAll(/\W+/gu, '-')}.m${language}`);
      const source = LIBRARY.reduce(
        (text, [name, path]) => text.replaceAll(name, `'${resolve(path)}'`),
        // On the same line, so that problems are found where the page has them.
        code.replaceAll(/^(.*); \/\/=> .*$/gm, 'console.log(inspect($1));'),
      );
      writeFileSync(file, `${source}\nexport {};\n`);
      return file;
    });
  }

  /** What the compiler says. */
  problems(): string[] {
    const program = ts.createProgram(
      [resolve('__tests__/support/readme-world.ts'), ...this.#files.filter((file) => file.endsWith('.mts'))],
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
    return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const at = file && `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}`;
      return `${at ?? ''} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  }

  /** What each of them prints. */
  run(): string[][] {
    const runner = resolve('__tests__/support/run-snippets.ts');
    const printed = execFileSync(process.execPath, ['--import', 'tsx', runner, ...this.#files], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    return JSON.parse(printed) as string[][];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
