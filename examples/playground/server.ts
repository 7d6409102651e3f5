// A page that shows a stampede live: callers, the run they share, old answers, refreshes behind them.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pageFiles, policy } from './page-files.js';

/** @param folder Where the page is; needed where a module does not know its own place. */
export async function startPlayground(folder: string, port: number): Promise<{ server: Server; url: string }> {
  const files = await pageFiles(join(folder, 'page'));
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url ?? '/', 'http://localhost').pathname);
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': file.type,
      'content-security-policy': policy,
    });
    response.end(file.content);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
