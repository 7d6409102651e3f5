import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** True if what is installed is what the lock file asks for. */
function isInstalled() {
  const installed = `${folder}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const { packages: wanted } = JSON.parse(readFileSync(`${folder}package-lock.json`, 'utf8'));
  const { packages: present } = JSON.parse(readFileSync(installed, 'utf8'));
  return Object.entries(wanted).every(([name, { version, optional }]) => {
    return name === '' || optional === true || present[name]?.version === version;
  });
}

if (!isInstalled()) {
  console.error('Installing the peers …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}
// Only now, as it imports what has just been installed.
const { run } = await import('./source/cli.mjs');
process.exitCode = await run(process.argv.slice(2));
