import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArguments, usage } from './arguments.mjs';
import { compileLibrary } from './build.mjs';
import { playForAnswers, playInterleaved } from './conductor.mjs';
import { measureFootprint } from './footprint.mjs';
import { benchFolder, resultsFolder, rootFolder } from './paths.mjs';
import { planRun } from './plan.mjs';
import { report, reportAnswers } from './report.mjs';
import { summarizeGroup } from './summary.mjs';

/** Runs what the arguments ask for; resolves with the exit code. */
export async function run(argv) {
  let settings;
  try {
    settings = parseArguments(argv);
  } catch (error) {
    console.error(error.message);
    return 2;
  }
  if (settings.isHelp) {
    console.log(usage);
    return 0;
  }
  expectSameDependencies();
  await compileLibrary();
  const groups = planRun(settings);
  if (settings.form === 'check') return check(groups, settings);

  const results = { about: about(settings.form), runs: [], footprint: undefined };
  for (let number = 1; number <= settings.runs; number += 1) {
    results.runs.push(await playAll(groups, settings, `run ${number} of ${settings.runs}: `));
  }
  const wantsFootprint = settings.only === undefined || settings.only.has('footprint');
  if (wantsFootprint) results.footprint = await measureFootprint(settings.imports);
  console.log(report(results));
  write(results, settings);
  return 0;
}

async function playAll(groups, settings, label) {
  const sections = {};
  const startedAt = Date.now();
  for (const [index, group] of groups.entries()) {
    tell(`${label}${index + 1}/${groups.length} ${group.name} ${group.size ?? ''}`);
    const rounds = group.isHeavy ? settings.heavyRounds : settings.rounds;
    const played = await playInterleaved(group.jobs, {
      ...settings,
      rounds,
      warmUp: group.isHeavy ? 0 : settings.warmUp,
    });
    const name = group.size === undefined ? group.name : `${group.name}: ${group.size}`;
    (sections[group.section] ??= {})[name] = summarizeGroup(group, played);
  }
  tell(`${label}done in ${Math.round((Date.now() - startedAt) / 1_000)} s`, true);
  return sections;
}

async function check(groups, settings) {
  const played = await playForAnswers(
    groups.flatMap(({ jobs }) => jobs),
    settings,
  );
  const { text, isGood } = reportAnswers(played);
  console.log(text);
  return isGood ? 0 : 1;
}

/** The library is measured with the packages that are installed here, so they must be those it is developed with. */
function expectSameDependencies() {
  const lockOf = (folder) => JSON.parse(readFileSync(`${folder}package-lock.json`, 'utf8')).packages;
  const [own, root] = [lockOf(benchFolder), lockOf(rootFolder)];
  for (const name of Object.keys(root[''].dependencies)) {
    const [here, there] = [own, root].map((packages) => packages[`node_modules/${name}`]?.version);
    if (here !== there) throw new Error(`bench/ has ${name} ${here}, the library ${there}: install the same in both`);
  }
}

function about(form) {
  const { packages } = JSON.parse(readFileSync(`${benchFolder}package-lock.json`, 'utf8'));
  const { dependencies } = packages[''];
  return {
    command: form === 'full' ? 'npm run bench -- --full' : 'npm run bench',
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') ?? 'unknown',
    isLibraryChanged: git('status', '--porcelain', '--', 'lib') !== '',
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    packages: Object.fromEntries(
      Object.keys(dependencies).map((name) => [name, packages[`node_modules/${name}`].version]),
    ),
  };
}

/** `undefined` in a copy of the tree that has no history. */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: rootFolder, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Only whole runs are kept by themselves: a part of one must not pass for it. */
function write(results, { form, only, contenders, out }) {
  const isWhole = only === undefined && contenders === undefined;
  const file = out ?? (isWhole ? `${resultsFolder}${form === 'full' ? 'latest' : 'short'}.json` : undefined);
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  console.log(`\nResults: ${file}`);
}

function tell(text, isLast = false) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}${isLast ? '\n' : ''}`);
  else if (isLast) process.stderr.write(`${text}\n`);
}
