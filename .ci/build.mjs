/**
 * Builds dist/: ES modules and declarations by tsc, CommonJS in dist/cjs by esbuild. What is public stands in one place,
 * the `exports` of package.json.
 *
 * Both forms are built file by file, so that the entries of one form share their modules: `instanceof TimeoutError` holds
 * wherever the error comes from. quick-lru has no CommonJS form and is inlined there.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const inlined = 'quick-lru';

process.chdir(join(import.meta.dirname, '..'));
rmSync('dist', { recursive: true, force: true });
// Comments are for editors: they stay in the declarations.
tsc('--emitDeclarationOnly');
tsc('--declaration', 'false', '--removeComments');
const declarations = keepReachable(filesIn('dist', '.d.ts'));
await buildCommonJs();
declarations.forEach(copyDeclaration);
refuseMissing(promisedFiles());

function tsc(...options) {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...options];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
}

/** Deletes the declarations that no public type leads to. */
function keepReachable(files) {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const reached = new Set();
  const follow = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const source = readFileSync(file, 'utf8');
    for (const [, path] of source.matchAll(/(?:from |import\()['"](\.[^'"]+)\.js['"]/g)) {
      follow(join(dirname(file), `${path}.d.ts`));
    }
  };
  for (const path of leavesOf(exports)) {
    const file = join(path);
    if (file.endsWith('.d.ts') && files.includes(file)) follow(file);
  }
  for (const file of files) if (!reached.has(file)) rmSync(file);
  return [...reached];
}

async function buildCommonJs() {
  await build({
    entryPoints: filesIn('dist', '.js'),
    outbase: 'dist',
    outdir: 'dist/cjs',
    bundle: true,
    format: 'cjs',
    platform: 'neutral',
    target: 'es2022',
    // CommonJS has `require` in its place.
    define: { 'import.meta.url': 'undefined' },
    plugins: [{ name: 'file-by-file', setup: keepImports }],
  });
  writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
  copyFileSync(`node_modules/${inlined}/license`, `dist/cjs/${inlined}.license.txt`);
}

function keepImports({ onResolve }) {
  onResolve({ filter: /.*/ }, ({ kind, path }) =>
    kind === 'entry-point' || path === inlined ? undefined : { path, external: true },
  );
}

/** Both forms are declared alike; the nearest package.json tells which of them a file describes. */
function copyDeclaration(file) {
  const copy = file.replace('dist', 'dist/cjs');
  mkdirSync(dirname(copy), { recursive: true });
  // The map would lead nowhere from there.
  writeFileSync(copy, readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}

function promisedFiles() {
  const { main, module, types, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  return leavesOf([main, module, types, exports]);
}

function leavesOf(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(leavesOf);
}

function refuseMissing(files) {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0)
    throw new Error(`package.json promises files that the build did not make: ${missing.join(', ')}`);
}

function filesIn(folder, extension) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith(extension))
    .map((file) => join(file.parentPath, file.name));
}
