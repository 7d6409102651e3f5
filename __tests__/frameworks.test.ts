import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const folder = join('examples', 'frameworks');
const patience = 120_000;
const run = promisify(execFile);

const isInstalled = existsSync(join(folder, 'node_modules'));
if (!isInstalled && process.env['CI'] !== undefined) {
  throw new Error(`The frameworks are not installed: npm ci --prefix ${folder}`);
}

(isInstalled ? describe : describe.skip)('examples for frameworks', () => {
  it(
    'compile',
    async () => {
      const compiled = await run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', folder]);
      expect(compiled.stdout).toBe('');
    },
    patience,
  );

  it.each(readdirSync(folder).filter((name) => name.endsWith('.ts')))(
    '%s prints what its last comment says',
    async (name) => {
      const file = join(folder, name);
      const checked = await run(process.execPath, ['.ci/check-examples.mjs', file]);
      expect(checked).toEqual({ stdout: `ok   ${file}\n`, stderr: '' });
    },
    patience,
  );
});
