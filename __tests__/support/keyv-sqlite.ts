import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/** The adapter, as far as tests use it. Its own types come with an install of its own. */
export type KeyvSqlite = new (uri: string) => { close(): Promise<unknown> };

const folder = 'examples/frameworks';

/** Why there is no SQLite here; `undefined` where there is. It is compiled where no binary can be downloaded. */
export const whyNoSqlite: string | undefined = existsSync(`${folder}/node_modules/@keyv/sqlite`)
  ? undefined
  : `Keyv on SQLite is not installed: npm ci --prefix ${folder}`;

if (whyNoSqlite !== undefined && process.env['CI'] !== undefined) throw new Error(whyNoSqlite);

export async function loadKeyvSqlite(): Promise<KeyvSqlite> {
  const path = createRequire(resolve(folder, 'package.json')).resolve('@keyv/sqlite');
  const loaded = (await import(path)) as { default: KeyvSqlite & { default?: KeyvSqlite } };
  // The names of a CommonJS module are on its default export in some module modes.
  return loaded.default.default ?? loaded.default;
}
