/**
 * Packs the package, installs it in empty projects and uses it there as consumers would: from ES modules, CommonJS,
 * TypeScript and a CommonJS Jest, on the oldest and newest supported versions of Node and TypeScript.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const fixtures = join(import.meta.dirname, 'consumer');
const compilers = { ts54: '5.4', ts59: '5.9', ts60: '6.0', ts70: '7.0' };
const runtimes = { node20: '20.19.0', node22: '22.12.0', node24: '24' };
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
  checkBundle(project);
  checkTypes(project);
  checkJest(join(folder, 'jest'), tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  const stray = files
    .map(({ path }) => path)
    .filter((path) => !/^(dist|lib)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path));
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
  const expected = node(project, process.execPath, ['use.mjs']);
  const binaries = hasRuntimes ? Object.keys(runtimes).map((alias) => `node_modules/${alias}/bin/node`) : [];
  for (const binary of [process.execPath, ...binaries]) {
    assert.equal(node(project, binary, ['use.mjs']), expected);
    assert.equal(node(project, binary, ['use.cjs']), expected);
    // As in hosts and tools that cannot require ES modules.
    assert.equal(node(project, binary, ['--no-experimental-require-module', 'use.cjs']), expected);
    node(project, binary, ['both.mjs']);
    report(`import and require work on Node ${node(project, binary, ['-p', 'process.versions.node'])}`);
  }
}

function checkBundle(project) {
  const esbuild = join(root, 'node_modules/.bin/esbuild');
  execFileSync(esbuild, ['bundled.js', '--bundle', '--platform=node', '--outfile=bundle.cjs', '--log-level=error'], {
    cwd: project,
    stdio: 'inherit',
  });
  node(project, process.execPath, ['bundle.cjs']);
  report('a bundle that imports and requires holds one copy');
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
  install(project, tarball, ['jest@30', 'ts-jest@29', 'typescript@5.9'], { jest: { preset: 'ts-jest' } });
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

function install(project, tarball, packages, manifest = {}) {
  mkdirSync(project);
  cpSync(fixtures, project, { recursive: true });
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
function node(project, binary, args) {
  // Node 22.12 calls `require` of an ES module experimental whenever it happens; 20.19 and 22.13 no longer do.
  const quietly = ['--disable-warning=ExperimentalWarning', ...args];
  const { status, stdout, stderr } = spawnSync(binary, quietly, { cwd: project, encoding: 'utf8' });
  assert.equal(status, 0, `${binary} ${args.join(' ')}:\n${stdout}${stderr}`);
  assert.equal(stderr, '', `${binary} ${args.join(' ')}`);
  return stdout.trimEnd();
}

function report(line) {
  console.log(`ok   ${line}`);
}
