import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';

const dependencies = ['debug', 'object-hash', 'quick-lru'];

interface Bundle {
  readonly text: string;
  readonly minified: number;
  readonly gzipped: number;
  /** What it imports from outside. */
  readonly imports: string[];
}

/** What a bundler makes of `contents` for browsers; bare names beside `external` ones are bundled. */
async function bundle(contents: string, external: string[] = [], plugins: Plugin[] = []): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: resolve('lib'), loader: 'ts' },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    metafile: true,
    write: false,
    external,
    plugins,
  });
  const { contents: bytes, text } = outputFiles[0]!;
  return {
    text,
    minified: bytes.length,
    gzipped: gzipSync(bytes, { level: 9 }).length,
    imports: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
  };
}

/** As for a host that has object-hash's SHA-256, which package.json keeps out of browsers. */
const withObjectHash: Plugin = {
  name: 'with-object-hash',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^object-hash$/ }, () => ({
      path: resolve('node_modules/object-hash/dist/object_hash.js'),
    }));
  },
};

describe('a bundle of the core', () => {
  // Bytes after gzip. Budgets, not goals: lower one when it can be, raise one only for what is worth its bytes.
  it.each([
    ['memoizeAsync alone, our own code', `export { memoizeAsync } from './index.js';`, dependencies, [], 19_000],
    ['everything, our own code', `export * from './index.js';`, dependencies, [], 22_900],
    ['everything for browsers', `export * from './index.js';`, [], [], 26_500],
    ['everything with object-hash', `export * from './index.js';`, [], [withObjectHash], 38_700],
  ] as const)('keeps its budget: %s', async (_what, contents, external, plugins, budget) => {
    const { gzipped, minified } = await bundle(contents, [...external], [...plugins]);
    expect(gzipped).toBeLessThanOrEqual(budget);
    // Far below it the budget guards nothing.
    expect(gzipped).toBeGreaterThan(0.8 * budget);
    expect(minified).toBeGreaterThan(gzipped);
  });

  it('imports nothing but its three dependencies, and no built-in module of Node', async () => {
    const { imports } = await bundle(`export * from './index.js';`, dependencies);
    expect([...new Set(imports)].sort()).toEqual(dependencies);
  });

  it('leaves object-hash out for browsers, which have a SHA-256 of ours', async () => {
    const [without, withIt] = await Promise.all([
      bundle(`export * from './index.js';`),
      bundle(`export * from './index.js';`, [], [withObjectHash]),
    ]);
    expect([without.imports, withIt.imports]).toEqual([[], []]);
    // An option of object-hash.
    expect([without, withIt].map(({ text }) => text.includes('excludeValues'))).toEqual([false, true]);
  });

  it('holds what `batched` needs only where that is imported', async () => {
    const [without, withIt] = await Promise.all([
      bundle(`export { memoizeAsync } from './index.js';`, dependencies),
      bundle(`export { memoizeAsync, batched } from './index.js';`, dependencies),
    ]);
    const isHeld = [without, withIt].map(
      ({ text }) => text.includes('one for each item') && text.includes('setImmediate'),
    );
    expect(isHeld).toEqual([false, true]);
    expect(without.text).not.toContain('setImmediate');
  });

  it('is nothing where nothing of it is used', async () => {
    const { text } = await bundle(`import { memoizeAsync, tiered } from './index.js';`, dependencies);
    expect(text).toBe('');
  });
});
