// `npm run playground:build [folder]`: the page as static files, by default in `.playground`.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageFiles } from './page-files.js';

const [given = '.playground'] = process.argv.slice(2);
const folder = resolve(given);
await mkdir(folder, { recursive: true });
const files = await pageFiles(fileURLToPath(new URL('page', import.meta.url)));
for (const [path, { content }] of files) {
  await writeFile(join(folder, path === '/' ? 'index.html' : path), content);
}
console.log(`${files.size} files for any web server: ${relative(process.cwd(), folder)}`);
