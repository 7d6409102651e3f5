import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { expectedExercise } from '../support/expected-exercise.js';
import { launchBrowser, serve, whyNoBrowser } from './chromium.js';
import type { Site } from './chromium.js';

const page = `<!doctype html><title>core</title><script type="module">
  import { exercise } from '/core.js';
  globalThis.inPage = exercise();
  globalThis.inWorker = new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
</script>`;

const worker = `import { exercise } from '/core.js'; exercise().then((report) => postMessage(report));`;

(whyNoBrowser === undefined ? describe : describe.skip)('the core in a browser', () => {
  let browser: Browser | undefined;
  let site: Site | undefined;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [resolve('__tests__/support/exercise.ts')],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
    });
    site = await serve({ '/': page, '/favicon.ico': '', '/core.js': outputFiles[0]!.text, '/worker.js': worker });
    browser = await launchBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it.each([
    ['a page', 'inPage', true],
    ['a worker', 'inWorker', false],
  ])(
    'makes the keys of Node and stops a stampede, in %s without `process`',
    async (_where, report, hasDocument) => {
      const tab = await browser!.newPage();
      const complaints: string[] = [];
      tab.on('console', (message) => complaints.push(message.text()));
      tab.on('pageerror', (error) => complaints.push(String(error)));
      await tab.goto(site!.url);
      await expect(tab.evaluate(`globalThis.${report}`)).resolves.toEqual({
        ...expectedExercise,
        hasProcess: false,
        hasDocument,
      });
      expect(complaints.filter((complaint) => !complaint.includes('favicon') && !complaint.includes('404'))).toEqual(
        [],
      );
      await tab.close();
    },
    30_000,
  );
});
