import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { bar, chart, Progress } from '../examples/support/chart.js';

const patience = 60_000;

interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: patience });
  const [stdout, stderr, closed] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: (closed as readonly unknown[])[0], stdout, stderr };
}

const isRedisAtHand =
  process.env['CI'] !== undefined ||
  process.env['REQUIRE_REDIS'] !== undefined ||
  spawnSync('redis-server', ['--version']).status === 0;

const examples = readdirSync('examples')
  .filter((name) => name.endsWith('.ts'))
  .filter((name) => isRedisAtHand || !name.startsWith('redis'));

describe('examples', () => {
  it.each(examples)(
    '%s prints what its last comment says',
    async (name) => {
      const outcome = await run('.ci/check-examples.mjs', `examples/${name}`);
      expect(outcome).toEqual({ code: 0, stdout: `ok   examples/${name}\n`, stderr: '' });
    },
    patience,
  );
});

describe('check-examples', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'example-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['another line', `// Shows.\nconsole.log('one');\n// Output:\n// two\n`, 'Line 1: expected "two", got "one"'],
    ['a line too many', `// Shows.\nconsole.log('one\\ntwo');\n// Output:\n// one\n`, 'Line 2: expected undefined'],
    ['a line too few', `// Shows.\nconsole.log('one');\n// Output:\n// one\n// two\n`, 'Line 2: expected "two"'],
    ['no comment', `// Shows.\nconsole.log('one');\n`, 'Expected the output to follow as a comment'],
    ['no purpose', `console.log('one');\n// Output:\n// one\n`, 'Expected line one to say'],
    ['a failure', `// Shows.\nconsole.log('one');\nprocess.exitCode = 3;\n// Output:\n// one\n`, 'Exit code 3'],
    ['more than a wildcard', `// Shows.\nconsole.log('a1b');\n// Output:\n// a…c\n`, 'Line 1: expected "a…c"'],
  ])(
    'refuses %s',
    async (_, source, complaint) => {
      const file = join(folder, 'example.ts');
      writeFileSync(file, source);
      const { code, stderr } = await run('.ci/check-examples.mjs', file);
      expect(code).toBe(1);
      expect(stderr).toContain(complaint);
    },
    patience,
  );

  it(
    'takes … for what differs from run to run',
    async () => {
      const file = join(folder, 'example.ts');
      writeFileSync(file, `// Shows.\nconsole.log('a', Math.random(), 'b');\n// Output:\n// a … b\n`);
      expect((await run('.ci/check-examples.mjs', file)).code).toBe(0);
    },
    patience,
  );
});

describe('npm start', () => {
  const stampede = (...flags: string[]): Promise<Outcome> =>
    run('node_modules/tsx/dist/cli.mjs', 'examples/stampede.ts', ...flags);

  it(
    'costs one request per key where calls are memoized, and none where they are warm',
    async () => {
      const { code, stdout, stderr } = await stampede();
      expect(stdout).toContain('bare      1,000 answered, 1,000 upstream requests\n');
      expect(stdout).toContain('memoized  1,000 answered, 8 upstream requests\n');
      expect(stdout).toContain('warm      1,000 answered, 0 upstream requests\n');
      expect(stderr).toBe('');
      expect(code).toBe(0);
    },
    patience,
  );

  it(
    'prints plain lines where there is no terminal',
    async () => {
      const { stdout } = await stampede('--callers', '16');
      // eslint-disable-next-line no-control-regex -- what moves a cursor is what must not be there
      expect(stdout).not.toMatch(/[\r\u001b]/);
      expect(stdout.split('\n').filter((line) => line.includes('answered'))).toHaveLength(3);
    },
    patience,
  );

  it(
    'fails where the memoized phase costs more than one request per key',
    async () => {
      const { code, stdout } = await stampede('--forget-to-ignore', '--callers', '40');
      expect(stdout).toContain('memoized  40 answered, 40 upstream requests\n');
      expect(stdout).toContain('Memoized: 40 requests, where 8 keys need 8. Warm: 40.');
      expect(code).toBe(1);
    },
    patience,
  );

  it(
    'tells the logger of every run and of nothing else',
    async () => {
      const { stderr } = await stampede('--verbose', '--callers', '16');
      const told = stderr.split('\n').filter((line) => line.includes(' asks for '));
      expect(told.filter((line) => line.startsWith('bare-'))).toHaveLength(16);
      expect(told.filter((line) => line.startsWith('memoized-'))).toHaveLength(8);
      expect(told).toHaveLength(24);
    },
    patience,
  );

  it(
    'refuses a number of callers that is none',
    async () => {
      const { code, stderr } = await stampede('--callers', 'many');
      expect(stderr).toContain('Expected --callers to be a whole number >= 8, got many');
      expect(code).toBe(1);
    },
    patience,
  );
});

describe('chart', () => {
  it('draws bars as long as their values', () => {
    const rows = [
      { label: 'a', value: 8, text: '8' },
      { label: 'bc', value: 1, text: '1' },
      { label: 'd', value: 0, text: '0' },
    ];
    expect(chart('Title', rows).split('\n')).toEqual([
      'Title',
      `  a   ${'█'.repeat(40)}  8`,
      `  bc  █████${' '.repeat(35)}  1`,
      `  d   ${' '.repeat(40)}  0`,
    ]);
  });

  it('draws nothing where all values are 0', () => {
    expect(chart('Title', [{ label: 'a', value: 0, text: '0' }])).toBe(`Title\n  a  ${' '.repeat(40)}  0`);
  });

  it('lets a value that is not 0 be seen', () => {
    expect(bar(0.000_1, 40)).toBe('▏');
    expect(bar(0, 40)).toBe('');
    expect(bar(1, 3)).toBe('███');
  });
});

describe('Progress', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function show(isTTY: boolean): { readonly written: string[]; readonly progress: Progress } {
    const written: string[] = [];
    let frame = 0;
    const screen = { isTTY, write: (output: string) => written.push(output) };
    return { written, progress: new Progress(screen, () => `frame ${(frame += 1)}`) };
  }

  it('redraws one line on a terminal until it is told to stop', async () => {
    const { written, progress } = show(true);
    await jest.advanceTimersByTimeAsync(80);
    progress.stop('done');
    await jest.advanceTimersByTimeAsync(80);
    expect(written).toEqual(['\r\u001b[Kframe 1', '\r\u001b[Kframe 2', '\r\u001b[Kframe 3', '\r\u001b[Kdone\n']);
  });

  it('prints only the last line elsewhere', async () => {
    const { written, progress } = show(false);
    await jest.advanceTimersByTimeAsync(80);
    progress.stop('done');
    expect(written).toEqual(['done\n']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
