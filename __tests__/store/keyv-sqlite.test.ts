import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { Keyv } from 'keyv';
import { loadKeyvSqlite, whyNoSqlite } from '../support/keyv-sqlite.js';
import { storeContract } from '../support/store-contract.js';
import type { KeyvSqlite } from '../support/keyv-sqlite.js';

let SqliteAdapter: KeyvSqlite;
let folder: string;
let files = 0;
const adapters = new WeakMap<object, InstanceType<KeyvSqlite>>();

beforeAll(async () => {
  if (whyNoSqlite === undefined) SqliteAdapter = await loadKeyvSqlite();
  folder = await mkdtemp(join(tmpdir(), 'aiocachetools-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const describeSqlite = whyNoSqlite === undefined ? describe : describe.skip;

describeSqlite('on a file', () => {
  storeContract('Keyv on a SQLite file', {
    open: () => openFile(`${(files += 1)}.sqlite`),
    close: (store) => adapters.get(store)!.close(),
    canList: true,
    isJson: true,
    deleteSays: [true, false],
    takesTtl: true,
  });
});

describeSqlite('memoizeAsync on a SQLite file', () => {
  it('finds what another connection has written, and neither sees what the other has forgotten', async () => {
    const first = openFile('shared.sqlite');
    const second = openFile('shared.sqlite');
    try {
      const here = memoizeAsync(async (id: number) => ({ id, by: 'here' }), { cache: first, name: 'getUser' });
      const there = memoizeAsync(async (id: number) => ({ id, by: 'there' }), { cache: second, name: 'getUser' });
      await here(7);
      await here.settled();
      expect(await there(7)).toEqual({ id: 7, by: 'here' });
      await there.clear();
      expect(await here.has(7)).toBe(false);
    } finally {
      await Promise.all([first, second].map((store) => adapters.get(store)!.close()));
    }
  });
});

function openFile(file: string): Keyv {
  const adapter = new SqliteAdapter(`sqlite://${join(folder, file)}`);
  const store = new Keyv({ store: adapter });
  adapters.set(store, adapter);
  return store;
}
