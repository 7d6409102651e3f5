// Vite's server for rendering, and a bundle for it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, createServer } from 'vite';

const expected = [42, 42, 1, true, 'function'];

const server = await createServer({ server: { middlewareMode: true, ws: false }, appType: 'custom', logLevel: 'warn' });
try {
  const { answer } = await server.ssrLoadModule('/answer.js');
  assert.deepEqual(await answer(), expected);
} finally {
  await server.close();
}

await build({ build: { ssr: 'answer.js' }, logLevel: 'warn' });
const { answer } = await import(pathToFileURL(join(import.meta.dirname, 'dist/answer.js')).href);
assert.deepEqual(await answer(), expected);
