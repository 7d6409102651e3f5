// A page that shows a stampede live: callers, the run they share, old answers, refreshes behind them.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @param folder Where the page is; needed where a module does not know its own place. */
export async function startPlayground(folder: string, port: number): Promise<{ server: Server; url: string }> {
  const files = await pageFiles(join(folder, 'page'));
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': file.type,
      'content-security-policy': "default-src 'self'; img-src data:",
    });
    response.end(file.content);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface PageFile {
  readonly type: string;
  readonly content: string;
}

/** The page's own code and the library it shows, bundled from their sources. */
async function pageFiles(folder: string): Promise<Map<string, PageFile>> {
  const [html, style, script] = await Promise.all([
    readFile(join(folder, 'index.html'), 'utf8'),
    readFile(join(folder, 'style.css'), 'utf8'),
    build({
      entryPoints: [join(folder, 'main.ts')],
      alias: { aiocachetools: join(folder, '../../../lib/index.ts') },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
    }),
  ]);
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', content: html }],
    ['/style.css', { type: 'text/css; charset=utf-8', content: style }],
    ['/main.js', { type: 'text/javascript; charset=utf-8', content: script.outputFiles[0]!.text }],
  ]);
}
