/**
 * Verifies the models in __tests__/models with Spin: no state that can be reached breaks a claim, and each mutant breaks
 * one. Where `spin` or `gcc` is not installed it says so and does nothing; with `CI` set it fails.
 *
 *   node .ci/check-models.mjs [model …]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Settings of each model that must hold, and mutants that must be refuted, each in the smallest setting that does it. */
const models = {
  lease: {
    hold: [
      ['QUIET', 'CALLERS=3', 'CALLS=2'],
      ['INVALIDATIONS=2'],
      ['INVALIDATIONS=1', 'WITH_FLUSH'],
      ['WITH_PRIME', 'WITH_FLUSH'],
      ['WITH_REFRESH'],
      ['CALLERS=1', 'INVALIDATIONS=1', 'WITH_PRIME', 'WITH_REFRESH'],
    ],
    refuted: [
      ['MUTANT_BLIND_COMMIT', 'INVALIDATIONS=1'],
      ['MUTANT_KEPT_RECORD', 'INVALIDATIONS=1'],
      ['MUTANT_KEPT_VALUE', 'CALLERS=1', 'WITH_PRIME', 'WITH_REFRESH'],
      ['MUTANT_NEW_GENERATION'],
      ['MUTANT_SILENT_FAILURE', 'QUIET'],
      ['MUTANT_NO_LEASE', 'QUIET'],
    ],
  },
  tags: {
    hold: [
      ['CALLS=1', 'INVALIDATIONS=2', 'TICKS=2'],
      ['CALLS=1', 'WITH_EVICTION'],
      ['CALLS=1', 'WITH_DROP'],
      ['CALLERS=1', 'WITH_EVICTION', 'WITH_DROP'],
      ['CALLS=1', 'CLUSTER'],
      ['CALLERS=1', 'CALLS=1', 'NEAR'],
    ],
    refuted: [
      ['MUTANT_MISSING_IS_EMPTY', 'CALLS=1', 'WITH_EVICTION'],
      ['MUTANT_MADE_AT_COMMIT', 'CALLS=1', 'WITH_EVICTION'],
      ['MUTANT_BEGUN_AT_COMMIT', 'CALLS=1'],
      ['MUTANT_SAME_MOMENT', 'CALLS=1'],
      ['MUTANT_SILENT_DROP', 'CALLS=1', 'WITH_DROP'],
      ['MUTANT_TRUSTED_WAIT', 'CALLS=1'],
      ['MUTANT_ONE_CLOCK', 'CALLS=1', 'CLUSTER'],
      ['MUTANT_LATE_MIRROR', 'CALLERS=1', 'CALLS=1', 'NEAR'],
    ],
  },
};

const MEGABYTES = 2_000;
/** For one verification, in milliseconds: several times what it takes on an idle machine. */
const LIMIT = 120_000;

const missing = ['spin', 'gcc'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (missing.length === 0) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(models);
  for (const name of names) {
    if (!Object.hasOwn(models, name))
      throw new Error(`Expected a model of ${Object.keys(models).join(', ')}, got ${name}`);
    for (const settings of models[name].hold) report(name, settings, 'holds');
    for (const settings of models[name].refuted) report(name, settings, 'refuted');
  }
} else {
  console.log(`Skipped: no ${missing.join(', ')} here. On Debian: apt install spin gcc`);
  if (process.env.CI !== undefined) process.exitCode = 1;
}

function report(name, settings, expected) {
  const startedAt = Date.now();
  const { verdict, details } = verify(name, settings);
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  const isExpected = verdict === expected;
  console.log(`${isExpected ? 'ok  ' : 'FAIL'} ${name} ${settings.join(' ')}: ${verdict} (${seconds} s)`);
  if (isExpected) return;
  console.error(details);
  process.exitCode = 1;
}

/** A verdict only where the search was complete, or has found what breaks a claim. */
function verify(name, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'model-'));
  const run = (command, args) => {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      timeout: LIMIT,
    });
    const output = `${stdout}${stderr}`;
    if (error !== undefined || status !== 0) throw new Error(`${command}: ${error?.message ?? status}\n${output}`);
    return output;
  };
  try {
    const model = join(import.meta.dirname, '../__tests__/models', `${name}.pml`);
    run('spin', ['-a', ...settings.map((setting) => `-D${setting}`), model]);
    run('gcc', ['-O2', '-w', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${MEGABYTES}`, '-o', 'pan', 'pan.c']);
    const details = run(join(folder, 'pan'), ['-m100000']);
    const errors = /errors: (\d+)/.exec(details)?.[1];
    const isComplete = !/Search not completed|max search depth too small|out of memory/.test(details);
    const isBroken = /assertion violated \(|invalid end state \(/.test(details);
    if (errors === '0' && isComplete) return { verdict: 'holds', details };
    return { verdict: isBroken ? 'refuted' : 'undecided', details };
  } catch (error) {
    return { verdict: 'undecided', details: error.message };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
