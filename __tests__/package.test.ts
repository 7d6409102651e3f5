import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Manifest {
  readonly exports: Record<string, unknown>;
  readonly main: string;
  readonly module: string;
  readonly types: string;
  readonly dependencies: Record<string, string>;
  readonly typesVersions: { readonly '*': Record<string, readonly string[]> };
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const entries = Object.entries(manifest.exports).filter(([name]) => name !== './package.json');

describe('package.json', () => {
  it('publishes every index.ts of lib/ and nothing else', () => {
    const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter((path) =>
      /(?:^|\/)index\.ts$/.test(path),
    );
    const names = sources
      .map((path) => `./${path}`.replace(/\/?index\.ts$/, ''))
      .map((name) => (name === '' ? '.' : name));
    expect(entries.map(([name]) => name).sort()).toEqual(names.sort());
  });

  it.each(entries)(
    'gives `import` and `require` of %s one instance on Node and Bun, and CommonJS to other tools',
    (name, entry) => {
      const file = name === '.' ? 'index' : `${name.slice(2)}/index`;
      const modules = { types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` };
      expect(entry).toEqual({
        // Bun ignores `module-sync`, and would give `require` a copy of its own.
        bun: modules,
        'module-sync': modules,
        module: modules.default,
        import: modules,
        require: { types: `./dist/cjs/${file}.d.ts`, default: `./dist/cjs/${file}.js` },
      });
      // The first condition that matches wins, so `require` must come last.
      expect(Object.keys(entry as object).at(-1)).toBe('require');
    },
  );

  it('is found by tools that know no `exports`', () => {
    expect(manifest.main).toBe('./dist/cjs/index.js');
    expect(manifest.module).toBe('./dist/index.js');
    expect(manifest.types).toBe('./dist/index.d.ts');
    // Of one tree with `types`: the compiler takes two declarations of one class for two classes.
    const subpaths = entries.map(([name]) => name.slice(2)).filter((name) => name !== '');
    expect(manifest.typesVersions['*']).toEqual(
      Object.fromEntries(subpaths.map((name) => [name, [`./dist/${name}/index.d.ts`]])),
    );
  });

  it('depends on three small packages', () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual(['debug', 'object-hash', 'quick-lru']);
  });
});

describe('package-lock.json', () => {
  const locks = ['.', 'bench'].map((folder) => join(folder, 'package-lock.json')).filter((lock) => existsSync(lock));

  it.each(locks)('%s names no place that packages come from', (lock) => {
    expect(readFileSync(lock, 'utf8')).not.toMatch(/"resolved"/);
  });
});
