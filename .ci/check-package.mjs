/**
 * Packs the package, installs it in empty projects and uses it there as consumers would: from ES modules, CommonJS,
 * TypeScript, a CommonJS Jest, Vitest, Vite, Bun and bundles of esbuild, on the oldest and newest supported versions of
 * Node and TypeScript.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const fixtures = join(import.meta.dirname, 'consumer');
const vite = join(import.meta.dirname, 'consumer-vite');
const compilers = { ts54: '5.4', ts59: '5.9', ts60: '6.0', ts70: '7.0' };
const bun = join(root, '__tests__/runtimes/node_modules/@oven/bun-linux-x64/bin/bun');
/** Of `import { memoizeAsync }` in a browser, bytes after gzip. Lower it when it can be. */
const browserBudget = 29_500;
const runtimes = { node20: '20.19.0', node22: '22.12.0', node24: '24', node26: '26' };
const hasRuntimes = process.platform === 'linux' && process.arch === 'x64';

const folder = mkdtempSync(join(tmpdir(), 'package-'));
try {
  const tarball = pack();
  checkManifest(tarball);
  checkDeclarations();
  const project = join(folder, 'project');
  install(project, tarball, [
    ...aliases(compilers, 'typescript'),
    ...(hasRuntimes ? aliases(runtimes, `node-${process.platform}-${process.arch}`) : []),
  ]);
  checkForms(project);
  checkBun(project);
  await checkBundle(project);
  await checkModuleBundle(project);
  await checkEdgeBundle(project);
  await checkBrowserBundle(project);
  checkTypes(project);
  checkJest(join(folder, 'jest'), tarball);
  checkVite(join(folder, 'vite'), tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  const stray = files
    .map(({ path }) => path)
    .filter(
      (path) =>
        !/^(dist|lib)\/|^docs\/([\w-]+\.md|images\/[\w-]+\.svg)$|^llms(-full)?\.txt$|^[A-Z]+(\.md)?$|^package\.json$/.test(
          path,
        ),
    );
  assert.deepEqual(stray, [], 'files that do not belong into the package');
  report(`packed ${files.length} files`);
  return join(folder, filename);
}

function checkManifest(tarball) {
  const bin = join(root, 'node_modules/.bin');
  execFileSync(join(bin, 'publint'), ['run', tarball, '--strict'], { stdio: 'inherit' });
  execFileSync(join(bin, 'attw'), [tarball, '--profile', 'node16'], { stdio: 'inherit' });
  report('publint and attw have nothing to say');
}

/** Public types must not drag in the types of a dependency. */
function checkDeclarations() {
  for (const file of readdirSync(join(root, 'dist'), { recursive: true })) {
    if (!file.endsWith('.d.ts')) continue;
    const source = readFileSync(join(root, 'dist', file), 'utf8');
    const foreign = /^\/\/\/ <reference.*|(?:from |import\()['"][^.'"].*/m.exec(source);
    assert.equal(foreign?.[0], undefined, `${file} names something from elsewhere`);
  }
  report('declarations import nothing from elsewhere');
}

function checkForms(project) {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  for (const program of ['log.mjs', 'log.cjs']) node(project, process.execPath, [tsx, program]);
  report('the log follows `debug` under tsx');
  const expected = node(project, process.execPath, ['use.mjs']);
  const binaries = hasRuntimes ? Object.keys(runtimes).map((alias) => `node_modules/${alias}/bin/node`) : [];
  for (const binary of [process.execPath, ...binaries]) {
    assert.equal(node(project, binary, ['use.mjs']), expected);
    assert.equal(node(project, binary, ['use.cjs']), expected);
    // As in hosts and tools that cannot require ES modules.
    assert.equal(node(project, binary, ['--no-experimental-require-module', 'use.cjs']), expected);
    node(project, binary, ['both.mjs']);
    for (const program of ['log.mjs', 'log.cjs']) {
      node(project, binary, [program]);
      node(project, binary, ['--no-experimental-require-module', program]);
    }
    report(`import and require work on Node ${node(project, binary, ['-p', 'process.versions.node'])}`);
  }
}

async function checkBundle(project) {
  const { warnings } = await bundle(project, 'bundled.js', { outfile: join(project, 'bundle.cjs'), platform: 'node' });
  assert.deepEqual(warnings, []);
  node(project, process.execPath, ['bundle.cjs']);
  report('a bundle that imports and requires holds one copy');
}

/** As for AWS Lambda: nothing else is deployed, so there may be no node_modules. */
async function checkModuleBundle(project) {
  const outfile = join(project, 'bundle.mjs');
  const { warnings } = await bundle(project, 'answer.mjs', { outfile, platform: 'node', format: 'esm' });
  assert.deepEqual(warnings, []);
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  cpSync(outfile, join(alone, 'bundle.mjs'));
  const expected = node(project, process.execPath, ['answer.mjs']);
  const logging = { env: { ...process.env, DEBUG: 'aiocachetools:*', DEBUG_COLORS: 'no' } };
  assert.equal(node(alone, process.execPath, ['bundle.mjs'], logging), expected);
  assert.equal(node(project, process.execPath, ['bundle.mjs']), expected);
  const { stderr } = spawnSync(process.execPath, ['bundle.mjs'], { cwd: project, encoding: 'utf8', ...logging });
  assert.match(stderr, /aiocachetools:double miss/);
  report('a bundle of ES modules for Node starts without node_modules, and logs with them');
}

/** The globals of a host that is neither Node nor a browser. */
async function checkEdgeBundle(project) {
  const { warnings, outputFiles } = await bundle(project, 'edge.mjs', {
    write: false,
    platform: 'neutral',
    mainFields: ['browser', 'module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    format: 'iife',
  });
  assert.deepEqual(warnings, []);
  const { AbortController, clearTimeout, crypto, performance, setTimeout, TextEncoder } = globalThis;
  const { clearInterval, setInterval } = globalThis;
  const host = createContext({ AbortController, clearTimeout, crypto, performance, setTimeout, TextEncoder });
  // The timers of the library keep no process alive.
  const alive = setInterval(() => {}, 1_000);
  try {
    runInContext(outputFiles[0].text, host);
    assert.equal(await host.answer, 42);
  } finally {
    clearInterval(alive);
  }
  report('aiocachetools/redis is bundled for an edge runtime and works there');
}

async function checkBrowserBundle(project) {
  const contents = `export { memoizeAsync } from 'aiocachetools';`;
  const { warnings, outputFiles } = await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  assert.deepEqual(warnings, []);
  const [{ contents: bytes, text }] = outputFiles;
  assert.doesNotMatch(text, /\brequire\b|import\.meta/);
  const { length } = gzipSync(bytes, { level: 9 });
  assert.ok(length <= browserBudget, `${length} bytes after gzip are more than ${browserBudget}`);
  report(`memoizeAsync costs a browser ${bytes.length} bytes, ${length} after gzip`);
}

function bundle(project, entry, options) {
  return build({ entryPoints: [join(project, entry)], bundle: true, logLevel: 'warning', ...options });
}

function checkBun(project) {
  if (!existsSync(bun)) {
    if (process.env.CI && hasRuntimes) throw new Error('No Bun: npm ci --prefix __tests__/runtimes');
    return report('skipped: no Bun on this machine');
  }
  for (const program of ['both.mjs', 'log.mjs', 'log.cjs']) {
    const { status, stdout, stderr } = spawnSync(bun, [program], { cwd: project, encoding: 'utf8' });
    assert.equal(status, 0, `bun ${program}:\n${stdout}${stderr}`);
  }
  report('Bun holds one copy');
}

function checkTypes(project) {
  for (const file of ['types.mts', 'types.cts']) cpSync(join(fixtures, 'types.ts'), join(project, file));
  for (const [alias, version] of Object.entries(compilers)) {
    const modules = ['node16', 'nodenext'];
    if (version >= '5.9') modules.push('node18');
    if (version >= '6.0') modules.push('node20');
    for (const module of modules) compile(project, alias, { module }, ['types.ts', 'types.mts', 'types.cts']);
    compile(project, alias, { module: 'esnext', moduleResolution: 'bundler' }, ['types.ts']);
    if (version < '6.0') compile(project, alias, { module: 'commonjs', moduleResolution: 'node10' }, ['types.ts']);
    report(`TypeScript ${version} compiles under ${modules.join(', ')} and bundler`);
  }
}

function compile(project, alias, modules, files) {
  const compilerOptions = {
    ...modules,
    target: 'es2022',
    lib: ['es2022'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    // A consumer that is a library itself must be able to name our types.
    declaration: true,
    rootDir: '.',
    outDir: 'out',
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { status, stdout } = spawnSync(process.execPath, [`node_modules/${alias}/bin/tsc`], {
    cwd: project,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${alias} with ${JSON.stringify(modules)}:\n${stdout}`);
}

function checkJest(project, tarball) {
  install(project, tarball, ['jest@30', 'ts-jest@29', 'typescript@5.9'], { manifest: { jest: { preset: 'ts-jest' } } });
  const jest = () =>
    execFileSync(process.execPath, ['node_modules/jest/bin/jest.js'], { cwd: project, stdio: 'inherit' });
  jest();
  report('a CommonJS project with ts-jest imports it without configuration');
  // What `tsc --init` writes today.
  const compilerOptions = { module: 'nodenext', target: 'esnext', strict: true, types: [], isolatedModules: true };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  jest();
  report('and so it does with the tsconfig.json that tsc makes');
}

/** Both as dependencies from node_modules and compiled with the project, as linked and workspace packages are. */
function checkVite(project, tarball) {
  install(project, tarball, ['vite@8', 'vitest@4'], { from: vite, manifest: { type: 'module' } });
  for (const INLINE of ['', 'yes']) {
    const options = { cwd: project, stdio: 'inherit', env: { ...process.env, INLINE } };
    execFileSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], options);
    execFileSync(process.execPath, ['ssr.js'], options);
    report(`Vitest and Vite SSR load it ${INLINE === '' ? 'from node_modules' : 'compiled with the project'}`);
  }
}

function install(project, tarball, packages, { from = fixtures, manifest = {} } = {}) {
  mkdirSync(project);
  cpSync(from, project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', project, tarball, ...packages], {
    cwd: project,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function aliases(versions, name) {
  return Object.entries(versions).map(([alias, version]) => `${alias}@npm:${name}@${version}`);
}

/** What a program prints; it must print nothing on stderr. */
function node(project, binary, args, options = {}) {
  // Node 22.12 calls `require` of an ES module experimental whenever it happens; 20.19 and 22.13 no longer do.
  const quietly = ['--disable-warning=ExperimentalWarning', ...args];
  const { status, stdout, stderr } = spawnSync(binary, quietly, { cwd: project, encoding: 'utf8', ...options });
  assert.equal(status, 0, `${binary} ${args.join(' ')}:\n${stdout}${stderr}`);
  assert.equal(stderr, '', `${binary} ${args.join(' ')}`);
  return stdout.trimEnd();
}

function report(line) {
  console.log(`ok   ${line}`);
}
