import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why browser tests cannot run here; `undefined` where they can. */
export const whyNoBrowser: string | undefined = existsSync(executablePath)
  ? undefined
  : `no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM to another one`;

if (whyNoBrowser !== undefined) {
  if (process.env['CI'] !== undefined) throw new Error(whyNoBrowser);
  console.warn(`Skipped: ${whyNoBrowser}`);
}

/** A headless Chromium with an empty profile of its own, which talks to nobody but us. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Files served on a loopback port. */
export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** @param files Contents by path; the type follows from its end. */
export async function serve(files: Readonly<Record<string, string>>): Promise<Site> {
  const server = createServer((request, response) => {
    const content = files[request.url ?? ''];
    const type = request.url?.endsWith('.js') === true ? 'text/javascript' : 'text/html';
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
