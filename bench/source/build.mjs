import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { compiledFolder, librarySources } from './paths.mjs';

/** Compiles the library as it lies in the tree, file by file, as it is published: modules that import each other. */
export async function compileLibrary() {
  const files = await readdir(librarySources, { recursive: true });
  await rm(compiledFolder, { recursive: true, force: true });
  await build({
    entryPoints: files.filter((file) => file.endsWith('.ts')).map((file) => join(librarySources, file)),
    outbase: librarySources,
    outdir: compiledFolder,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    sourcemap: true,
    logLevel: 'warning',
  });
}
