import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

/** What a process writes to its standard error that does everything under these names, without times. */
async function logOf(debug: string | undefined, names: readonly string[], environment = {}): Promise<string[]> {
  const { DEBUG: _DEBUG, FORCE_COLOR: _FORCE_COLOR, ...inherited } = process.env;
  const script = resolve('__tests__/support/debug-child.ts');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', script, JSON.stringify(names)],
    { env: { ...inherited, ...(debug === undefined ? {} : { DEBUG: debug, DEBUG_COLORS: 'no' }), ...environment } },
  );
  expect(stdout).toBe('');
  return stderr
    .split('\n')
    .filter((line) => line.includes('aiocachetools'))
    .map((line) => line.replace(/^\S+Z /, '').replace(/ \+\d+ms$/, ''));
}

const namespacesIn = (lines: readonly string[]): string[] => [...new Set(lines.map((line) => line.split(' ')[0]!))];

describe('DEBUG in a process of its own', () => {
  it('logs hit, stale, join, miss, run, fallback, discard and store error', async () => {
    const lines = await logOf('aiocachetools:*', ['echo']);
    expect(lines.map((line) => line.replace(/(run \S+) [\d.]+/, '$1 <ms>'))).toEqual([
      'aiocachetools:echo join a',
      'aiocachetools:echo miss a',
      "aiocachetools:echo run a <ms> 'fulfilled'",
      'aiocachetools:echo hit a',
      'aiocachetools:echo stale a',
      "aiocachetools:echo run a <ms> 'fulfilled'",
      'aiocachetools:echo miss a',
      "aiocachetools:echo run a <ms> 'rejected' 'Error: no such thing'",
      "aiocachetools:echo fallback a 'error'",
      "aiocachetools:echo run b <ms> 'fulfilled'",
      'aiocachetools:echo discard b',
      expect.stringMatching(/^aiocachetools:echo store-error c 'get' StoreError: the store failed at get/),
      'aiocachetools:echo miss c',
      "aiocachetools:echo run c <ms> 'fulfilled'",
    ]);
  }, 30_000);

  it('gives each wrapper a namespace that `DEBUG` can take', async () => {
    const names = ['getUser', 'users of today', 'a,b', 'a*', '-getUser', '', '100%'];
    const all = [
      ...['aiocachetools:getUser', 'aiocachetools:users_of_today', 'aiocachetools:a_b', 'aiocachetools:a_'],
      ...['aiocachetools:_getUser', 'aiocachetools:anonymous', 'aiocachetools:100_'],
    ];
    expect(namespacesIn(await logOf('aiocachetools:*', names))).toEqual(all);
    const some = ['aiocachetools:users_of_today', 'aiocachetools:_getUser', 'aiocachetools:anonymous'];
    expect(namespacesIn(await logOf(some.join(), names))).toEqual(some);
  }, 60_000);

  it('takes lists and exclusions', async () => {
    const names = ['getUser', 'getOrder', 'other'];
    expect(namespacesIn(await logOf('aiocachetools:get*,-aiocachetools:getOrder', names))).toEqual([
      'aiocachetools:getUser',
    ]);
    expect(namespacesIn(await logOf('aiocachetools:other aiocachetools:getOrder', names))).toEqual([
      'aiocachetools:getOrder',
      'aiocachetools:other',
    ]);
  }, 30_000);

  it.each([undefined, '', 'other:*', 'aiocachetools'])(
    'is silent with DEBUG=%s',
    async (debug) => {
      expect(await logOf(debug, ['getUser', ''])).toEqual([]);
    },
    30_000,
  );
});
