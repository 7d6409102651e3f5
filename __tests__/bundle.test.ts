import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

interface Manifest {
  readonly browser: Record<string, string>;
}

const { browser } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

interface Bundle {
  readonly text: string;
  readonly minified: number;
  readonly gzipped: number;
  /** What it imports from outside. */
  readonly imports: string[];
  /** Whose code is in it. */
  readonly files: string[];
}

/** What a bundler makes of `contents`; bare names beside `external` ones are bundled. */
async function bundle(contents: string, options: BuildOptions = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: resolve('lib'), loader: 'ts' },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    plugins: [browserField],
    ...options,
    metafile: true,
    write: false,
  });
  const { contents: bytes, text } = outputFiles[0]!;
  return {
    text,
    minified: bytes.length,
    gzipped: gzipSync(bytes, { level: 9 }).length,
    imports: [...new Set(Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)))],
    files: Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).filter((file) => inputs[file]!.bytesInOutput > 0),
    ),
  };
}

/** The `browser` field of package.json, which names files of dist/, applied to the sources. */
const browserField: Plugin = {
  name: 'browser-field',
  setup(esbuild) {
    const sourceOf = (file: string): string => resolve(file.replace(/^\.\/dist\//, 'lib/').replace(/\.js$/, '.ts'));
    const replaced = new Map(Object.entries(browser).map(([file, by]) => [sourceOf(file), sourceOf(by)]));
    esbuild.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const by = replaced.get(resolve(resolveDir, path).replace(/\.js$/, '.ts'));
      return by === undefined ? undefined : { path: by };
    });
  },
};

const ownCode = { external: ['quick-lru'] };

describe('a bundle of the core', () => {
  // Bytes after gzip. Lower a budget when it can be; raise one only for a feature that needs the bytes.
  it.each<[what: string, contents: string, options: BuildOptions, budget: number]>([
    ['memoizeAsync alone, our own code', `export { memoizeAsync } from './index.js';`, ownCode, 28_500],
    ['everything, our own code', `export * from './index.js';`, ownCode, 33_900],
    ['memoizeAsync alone for browsers', `export { memoizeAsync } from './index.js';`, {}, 29_400],
    ['everything for browsers', `export * from './index.js';`, {}, 34_800],
  ])('keeps its budget: %s', async (_what, contents, options, budget) => {
    const { gzipped, minified } = await bundle(contents, options);
    expect(gzipped).toBeLessThanOrEqual(budget);
    // Far below it the budget guards nothing.
    expect(gzipped).toBeGreaterThan(0.8 * budget);
    expect(minified).toBeGreaterThan(gzipped);
  });

  it.each(['browser', 'neutral', 'node'] as const)(
    'imports nothing but quick-lru, and no built-in module of Node, for %s',
    async (platform) => {
      const plugins = platform === 'browser' ? [browserField] : [];
      const { imports } = await bundle(`export * from './index.js';`, { ...ownCode, platform, plugins });
      expect(imports).toEqual(['quick-lru']);
    },
  );

  it('requires nothing in a browser, and has no syntax that only modules have', async () => {
    const { text } = await bundle(`export * from './index.js';`);
    expect(text).not.toMatch(/\brequire\b|import\.meta/);
  });

  // What a feature adds to `memoizeAsync`, in bytes after gzip, and where its code is.
  it.each<[feature: string, budget: number, files: RegExp]>([
    ['tiered', 2_700, /store\/(tier|near-cache)/],
    ['digestKeys', 700, /store\/digest-keys/],
    ['batched', 1_450, /\/batch/],
    ['invalidateTags', 450, /\/invalidate-tags/],
    ['perInstance', 200, /store\/per-instance/],
    ['createMemoizer', 450, /\/create-memoizer/],
    ['memoizeMethods', 800, /\/(memoize-methods|facade)/],
  ])('holds `%s` only where it is imported, for its own price', async (feature, budget, files) => {
    const [without, withIt] = await Promise.all([
      bundle(`export { memoizeAsync } from './index.js';`, ownCode),
      bundle(`export { memoizeAsync, ${feature} } from './index.js';`, ownCode),
    ]);
    expect(without.files.filter((file) => files.test(file) || /lib\/redis\//.test(file))).toEqual([]);
    expect(withIt.files.filter((file) => files.test(file))).not.toEqual([]);
    expect(withIt.gzipped - without.gzipped).toBeLessThanOrEqual(budget);
    expect(withIt.gzipped - without.gzipped).toBeGreaterThan(budget / 4);
  });

  it('is nothing where nothing of it is used', async () => {
    const { text } = await bundle(`import { memoizeAsync, tiered } from './index.js';`, ownCode);
    expect(text).toBe('');
  });
});

describe('a bundle of aiocachetools/redis', () => {
  it.each(['browser', 'neutral'] as const)('imports no built-in module of Node, for %s', async (platform) => {
    const { imports } = await bundle(`export * from './redis/index.js';`, { platform });
    expect(imports).toEqual([]);
  });
});
