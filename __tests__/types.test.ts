import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = resolve('.');

/** Type tests: what must compile and what must not. */
const files = readdirSync(resolve('__tests__'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test-d.ts'))
  .map((file) => resolve('__tests__', file));

/** Those that import nothing but the package itself. */
const plainFiles = files.filter((file) =>
  [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].every(([, from]) =>
    ['aiocachetools', 'expect-type'].includes(from!),
  ),
);

/** The other supported compilers, in an install of their own: `npm ci --prefix __tests__/types/compilers`. */
const compilers = resolve('__tests__/types/compilers/node_modules');
const otherVersions = ['ts54', 'ts59', 'ts70'];
const areInstalled = otherVersions.every((version) => existsSync(join(compilers, version)));
if (!areInstalled && process.env['CI'] !== undefined) {
  throw new Error('The other compilers are missing. Run `npm ci --prefix __tests__/types/compilers`.');
}

describe('the types', () => {
  it('hold in what compiles and in what does not', () => {
    expect(files.map((file) => relative(root, file)).sort()).toEqual(
      expect.arrayContaining([
        '__tests__/types/controls.test-d.ts',
        '__tests__/types/functions.test-d.ts',
        '__tests__/types/host.test-d.ts',
        '__tests__/types/ignore.test-d.ts',
        '__tests__/types/memoize-async.test-d.ts',
        '__tests__/types/real-world.test-d.ts',
        '__tests__/types/stores.test-d.ts',
      ]),
    );
    expect(compile(files, optionsOf('tsconfig.json'))).toEqual([]);
  }, 60_000);

  it('are checked: a type test that does not hold is found', () => {
    const source = `
      import { memoizeAsync } from 'aiocachetools';
      // @ts-expect-error -- nothing is wrong here
      memoizeAsync(async (id: number) => id, { ttl: 1 });
      memoizeAsync(async (id: number) => id, { tll: 1 });
    `;
    const [unused, unknownOption, ...others] = compile(
      [resolve('__tests__/types/made-up.test-d.ts')],
      optionsOf('tsconfig.json'),
      source,
    );
    expect(unused).toContain("Unused '@ts-expect-error' directive");
    expect(unknownOption).toContain("'tll' does not exist in type");
    expect(others).toEqual([]);
  }, 60_000);

  describe('as they are published', () => {
    let published: string;

    beforeAll(() => {
      published = mkdtempSync(join(tmpdir(), 'aiocachetools-types-'));
      const program = ts.createProgram([join(root, 'lib/index.ts')], {
        ...optionsOf('tsconfig.build.json'),
        outDir: published,
        emitDeclarationOnly: true,
        declarationMap: false,
        sourceMap: false,
      });
      expect(program.emit().diagnostics).toEqual([]);
    }, 60_000);

    afterAll(() => {
      rmSync(published, { recursive: true, force: true });
    });

    it.each([
      ['with strict settings', {}],
      ['with no setting beyond `strict`', { exactOptionalPropertyTypes: false, noUncheckedIndexedAccess: false }],
      ['with libraries checked', { skipLibCheck: false }],
    ])(
      'hold in a project with `lib: ES2022` and `types: []`, %s',
      (_, settings) => {
        expect(plainFiles.length).toBeGreaterThanOrEqual(3);
        const options: ts.CompilerOptions = {
          ...optionsOf('tsconfig.json'),
          lib: ['lib.es2022.d.ts'],
          types: [],
          paths: { aiocachetools: [join(published, 'index.d.ts')] },
          ...settings,
        };
        expect(compile(plainFiles, options)).toEqual([]);
      },
      60_000,
    );

    (areInstalled ? it : it.skip).each(otherVersions)(
      'hold under another compiler, %s',
      (version) => {
        const compiler = join(compilers, version, 'bin/tsc');
        const project = join(published, `tsconfig.${version}.json`);
        writeFileSync(
          project,
          JSON.stringify({
            extends: join(root, 'tsconfig.json'),
            compilerOptions: {
              rootDir: '/',
              lib: ['es2022'],
              types: [],
              paths: { aiocachetools: [join(published, 'index.d.ts')] },
            },
            files: plainFiles,
            include: [],
            exclude: [],
          }),
        );
        const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
        expect(stdout).toBe('');
        expect(status).toBe(0);
      },
      120_000,
    );
  });
});

function optionsOf(file: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, file), (path) => ts.sys.readFile(path)) as { config: object };
  return ts.parseJsonConfigFileContent(config, ts.sys, root).options;
}

/** What the compiler says to the files; `source` stands for a file that does not exist. */
function compile(roots: readonly string[], options: ts.CompilerOptions, source?: string): string[] {
  const host = ts.createCompilerHost(options);
  if (source !== undefined) {
    const [file] = roots;
    const fileExists = host.fileExists.bind(host);
    const getSourceFile = host.getSourceFile.bind(host);
    host.fileExists = (name) => resolve(name) === file || fileExists(name);
    host.getSourceFile = (name, language, ...rest) =>
      resolve(name) === file ? ts.createSourceFile(name, source, language) : getSourceFile(name, language, ...rest);
  }
  const program = ts.createProgram(roots, { ...options, noEmit: true }, host);
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || source === undefined || roots.includes(resolve(file.fileName)))
    .map(({ file, start, messageText }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      if (file === undefined || start === undefined) return text;
      const { line } = file.getLineAndCharacterOfPosition(start);
      return `${relative(root, file.fileName)}:${line + 1}: ${text}`;
    });
}
