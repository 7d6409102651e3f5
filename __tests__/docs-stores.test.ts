import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { invalidateTags, memoizeAsync } from 'aiocachetools';
import { createCache } from 'cache-manager';
import { Keyv } from 'keyv';
import { Keyv as Keyv6 } from 'keyv6';
import { LRUCache } from 'lru-cache';
import QuickLRU from 'quick-lru';
import type { StoreLike } from '../lib/store/store-like.js';
import { loadKeyvSqlite, whyNoSqlite } from './support/keyv-sqlite.js';
import type { KeyvSqlite } from './support/keyv-sqlite.js';
import { snippetsOf } from './support/snippets.js';

const page = readFileSync('docs/stores.md', 'utf8');

let folder: string;
let SqliteAdapter: KeyvSqlite;
beforeAll(async () => {
  if (whyNoSqlite === undefined) SqliteAdapter = await loadKeyvSqlite();
  folder = mkdtempSync(join(tmpdir(), 'stores-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stores: Record<string, () => StoreLike> = {
  '`Map`': () => new Map(),
  'quick-lru': () => new QuickLRU({ maxSize: 100 }),
  'lru-cache': () => new LRUCache({ max: 100 }),
  'Keyv 5': () => new Keyv(),
  'Keyv 6': () => new Keyv6(),
  'Keyv on SQLite': () => openSqlite(join(folder, 'keyv.sqlite')),
  'cache-manager': () => createCache(),
};

const [, table = ''] = /## Stores that work as they are\n[\s\S]*?\n\|---.*\n((?:\|.*\n)+)/u.exec(page)!;
const rows = table
  .trim()
  .split('\n')
  .map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

describe('docs/stores.md', () => {
  it('has a row for each store that is tried here', () => {
    expect(rows.map(([store]) => store)).toEqual(Object.keys(stores));
  });

  const tried = rows.filter(([store]) => whyNoSqlite === undefined || store !== 'Keyv on SQLite');
  it.each(tried)('is right about %s', async (store, clears, values, deletes, tags) => {
    const cache = stores[store]!();
    const value = { list: [1] };
    const wrapper = memoizeAsync(async (_id: number) => value, { cache, name: 'wrapper', ttl: 60_000 });
    await wrapper(1);
    await wrapper.settled();
    const stored = await wrapper(1);
    expect(wrapper.stats().hits).toBe(1);
    expect(stored).toEqual(value);
    expect(stored === value ? 'the same object' : 'a copy, by JSON').toBe(values);
    expect(`\`${await wrapper.delete(2)}\``).toBe(deletes);
    expect(await wrapper.delete(1)).toBe(true);
    expect(await wrapper.has(1)).toBe(false);
    await wrapper(3);
    await wrapper.settled();
    await wrapper.clear();
    expect(await wrapper.has(3)).toBe(false);
    const isGone = ((await cache.get(`wrapper|${wrapper.keyOf(3)}`)) ?? undefined) === undefined;
    expect(isGone ? 'yes' : 'no').toBe(clears);
    expect((await takesTags(cache)) ? 'yes' : 'no').toBe(tags);
    await (cache as { disconnect?(): Promise<unknown> }).disconnect?.();
  });

  it('shows adapters as examples/frameworks/stores.ts runs them', () => {
    const example = 'examples/frameworks/stores.ts';
    expect(existsSync(example)).toBe(true);
    const program = readFileSync(example, 'utf8');
    const adapters = snippetsOf('docs/stores.md', page).filter(({ language }) => language === 'typescript');
    expect(adapters).toHaveLength(3);
    for (const { code } of adapters) expect(program).toContain(code);
  });
});

async function takesTags(cache: StoreLike): Promise<boolean> {
  try {
    const tagged = memoizeAsync(async () => 'value', { cache, name: 'tagged', tags: ['label'] });
    await tagged();
    await invalidateTags(cache, ['other']);
    const isStored = await tagged.has();
    await invalidateTags(cache, ['label']);
    return isStored && !(await tagged.has());
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return false;
  }
}

function openSqlite(file: string): Keyv {
  const adapter = new SqliteAdapter(`sqlite://${file}`);
  return new Keyv({ store: adapter });
}
