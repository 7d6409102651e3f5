import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { contenders } from './contenders/index.mjs';
import { benchFolder, compiledLibrary, librarySources, rootFolder } from './paths.mjs';
import { median } from './statistics.mjs';

/** Bytes of own code at most, minified and compressed. */
const limit = 6_000;

/**
 * What a package costs before it is called: import time over that of a bare process, size on disk with everything it
 * depends on, and size in a bundle.
 */
export async function measureFootprint(imports) {
  const own = compiledLibrary('index.js');
  const dependencies = Object.keys(JSON.parse(readFileSync(`${rootFolder}package.json`, 'utf8')).dependencies);
  const peers = Object.values(contenders).filter((contender) => contender.package !== undefined);
  const subjects = [
    { name: 'aiocachetools', specifier: pathToFileURL(own).href, entry: own },
    ...[...dependencies, ...peers.map((peer) => peer.package)].map((name) => ({ name, specifier: name, entry: name })),
  ];
  const times = importTimes(
    subjects.map(({ specifier }) => specifier),
    imports,
  );
  const packages = [];
  for (const [index, { name, entry }] of subjects.entries()) {
    const size = await (index === 0 ? ownInstalledSize(dependencies) : installedSize([name]));
    packages.push({
      name,
      importTime: times[index],
      ...size,
      ...(await bundleSize(`import * as all from '${entry}'; export { all }`, [])),
    });
  }
  const core = [
    { name: 'all public names', ...(await bundleSize(`export * from '${own}'`, dependencies)) },
    { name: 'memoizeAsync alone', ...(await bundleSize(`export { memoizeAsync } from '${own}'`, dependencies)) },
  ];
  const redis = compiledLibrary('redis/index.js');
  if (existsSync(`${librarySources}redis/index.ts`)) {
    core.push({ name: 'aiocachetools/redis', ...(await bundleSize(`export * from '${redis}'`, dependencies)) });
  }
  return { packages, core, limit };
}

/** Milliseconds over a bare process, medians of processes started in turn. */
function importTimes(specifiers, rounds) {
  if (rounds === 0) return specifiers.map(() => undefined);
  const programs = ['', ...specifiers.map((specifier) => `await import(${JSON.stringify(specifier)})`)];
  const times = programs.map(() => []);
  // One round more, which fills the caches of the system.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, program] of programs.entries()) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: benchFolder,
        env: { ...process.env, DEBUG: '', NODE_OPTIONS: '' },
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${program}: ${stderr}`);
      if (round > 0) times[index].push(performance.now() - start);
    }
  }
  const [bare, ...medians] = times.map(median);
  return medians.map((time) => Math.max(0, time - bare));
}

async function bundleSize(contents, external) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: benchFolder },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    external,
    write: false,
    logLevel: 'error',
  });
  const [{ contents: code }] = outputFiles;
  return { minified: code.length, gzip: gzipSync(code, { level: 9 }).length };
}

/** What `npm pack` would publish, if it has been built, and what comes with it. */
async function ownInstalledSize(dependencies) {
  if (!existsSync(`${rootFolder}dist`)) return {};
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: rootFolder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ unpackedSize }] = JSON.parse(packed);
  const { installed, count } = await installedSize(dependencies);
  return { installed: installed + unpackedSize, count: count + 1 };
}

/** Bytes of packages and of everything they depend on, as installed here. */
async function installedSize(names) {
  const { packages } = JSON.parse(readFileSync(`${benchFolder}package-lock.json`, 'utf8'));
  const found = new Set();
  const visit = (name, from) => {
    const path = resolveFrom(packages, name, from);
    if (path === undefined || found.has(path)) return;
    found.add(path);
    for (const dependency of Object.keys(packages[path].dependencies ?? {})) visit(dependency, path);
  };
  for (const name of names) visit(name, '');
  let installed = 0;
  for (const path of found) installed += await sizeOfFolder(join(benchFolder, path));
  return { installed, count: found.size };
}

/** Where `name` is found from the package at `from`: in its own folder, or in one around it. */
function resolveFrom(packages, name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

async function sizeOfFolder(folder) {
  let size = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) size += await sizeOfFolder(path);
    else if (entry.isFile()) size += (await lstat(path)).size;
  }
  return size;
}
