// The playground's files: its own code and the library it shows, bundled from their sources.
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

export interface PageFile {
  readonly type: string;
  readonly content: string;
}

/** What the page may load, as its server says or as the page itself says where the server says nothing. */
export const policy = "default-src 'self'; img-src data:";

/** By path. All paths in them are relative, so that any folder of any server can have them. */
export async function pageFiles(folder: string): Promise<Map<string, PageFile>> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const [crowd, processes, tags, style, scripts] = await Promise.all([
    read('index.html'),
    read('processes.html'),
    read('tags.html'),
    read('style.css'),
    build({
      entryPoints: ['main.ts', 'processes.ts', 'tags.ts'].map((name) => join(folder, name)),
      outdir: folder,
      alias: { aiocachetools: join(folder, '../../../lib/index.ts') },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
    }),
  ]);
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', content: crowd }],
    ['/processes.html', { type: 'text/html; charset=utf-8', content: processes }],
    ['/tags.html', { type: 'text/html; charset=utf-8', content: tags }],
    ['/style.css', { type: 'text/css; charset=utf-8', content: style }],
    ...scripts.outputFiles.map(({ path, text }): [string, PageFile] => [
      `/${basename(path)}`,
      { type: 'text/javascript; charset=utf-8', content: text },
    ]),
  ]);
}
