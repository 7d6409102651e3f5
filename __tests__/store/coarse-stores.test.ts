import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { digestKeys, memoizeAsync } from 'aiocachetools';
import { Keyv } from 'keyv';
import { describeWith, freePort, PrivateServer, thirdParty } from '../support/private-server.js';
import type { MemoizeEvent } from 'aiocachetools';
import type { StoreLike } from '../../lib/store/store-like.js';

/** Packages of these tests only: `npm ci --prefix __tests__/third-party`. */
const require = createRequire(join(thirdParty, 'package.json'));

/** Names that one store or another takes for the same. */
const alike = [
  'bob',
  'BOB',
  'b\u00f3b',
  'bob ',
  ' bob',
  'bob?',
  'bob?x',
  'bob/x',
  'bob:x',
  'a b',
  '\u00df',
  'ss',
  'x'.repeat(300),
];

const mismatch =
  'Expected the store to compare keys exactly, got the entry of another key: wrap the store in `digestKeys`';

async function greetAll(cache: StoreLike): Promise<{ wrong: string[]; runs: number; errors: string[]; f: Greeter }> {
  const errors: string[] = [];
  let runs = 0;
  const onEvent = (event: MemoizeEvent): void => {
    if (event.type === 'store-error')
      errors.push(event.error instanceof Error ? event.error.message : String(event.error));
  };
  const greet = async (name: string): Promise<string> => {
    runs += 1;
    return `Hello ${name}`;
  };
  const f = memoizeAsync(greet, { cache, name: 'greet', storeTimeout: 10_000, onEvent });
  const wrong: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (const name of alike) {
      if ((await f(name)) !== `Hello ${name}`) wrong.push(name);
      await f.settled();
    }
  }
  return { wrong, runs, errors, f };
}

interface Greeter {
  has(name: string): Promise<boolean>;
  clear(): Promise<void>;
  delete(name: string): Promise<boolean>;
}

function itKeepsKeysApart(
  open: () => StoreLike,
  { canClear, isCoarse }: { canClear: boolean; isCoarse: boolean },
): void {
  it('never answers with the entry of another key, and says so', async () => {
    const { wrong, errors, runs } = await greetAll(open());
    expect(wrong).toEqual([]);
    if (isCoarse) expect(errors).toContain(mismatch);
    else expect(runs).toBeGreaterThan(alike.length);
  }, 60_000);

  it('has one entry for each call through `digestKeys`, and forgets them', async () => {
    const store = digestKeys(open());
    const { wrong, errors, runs, f } = await greetAll(store);
    expect({ wrong, errors, runs }).toEqual({ wrong: [], errors: [], runs: alike.length });
    await f.delete('bob');
    expect([await f.has('bob'), await f.has('BOB')]).toEqual([false, true]);
    const other = memoizeAsync(async (id: number) => id, { cache: store, name: 'other' });
    await other(1);
    await other.settled();
    await f.clear();
    for (const name of alike) expect(await f.has(name)).toBe(false);
    expect(await other.has(1)).toBe(true);
    if (canClear) {
      const elsewhere = memoizeAsync(async () => '', {
        cache: digestKeys(open()),
        name: 'greet',
      }) as unknown as Greeter;
      expect(await elsewhere.has('BOB')).toBe(false);
    }
  }, 60_000);
}

describeWith({}, 'unstorage', () => {
  const { createStorage } = require('unstorage') as { createStorage: (this: void) => StoreLike };
  let storage: StoreLike;
  itKeepsKeysApart(() => (storage = createStorage()), { canClear: true, isCoarse: true });

  it('clears as it is, though its `keys` gives a promise', async () => {
    storage = createStorage();
    const f = memoizeAsync(async (id: number) => id, { cache: storage, name: 'f' });
    for (const id of [1, 2]) await f(id);
    await f.settled();
    await f.clear();
    expect(await (storage as unknown as { keys(): Promise<string[]> }).keys()).toEqual([]);
  });
});

describeWith({ mariadbd: 'mariadb-server', 'mariadb-install-db': 'mariadb-server' }, 'Keyv on MariaDB', () => {
  let folder: string;
  let server: PrivateServer;
  let tables = 0;
  const open: { disconnect(): Promise<void> }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'aiocachetools-mariadb-'));
    const data = join(folder, 'data');
    const socketPath = join(folder, 'socket');
    const user = `--user=${userInfo().username}`;
    const installed = spawnSync('mariadb-install-db', [
      '--no-defaults',
      user,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]);
    if (installed.status !== 0) throw new Error(String(installed.stderr));
    server = await PrivateServer.start(
      [
        'mariadbd',
        '--no-defaults',
        user,
        `--datadir=${data}`,
        `--socket=${socketPath}`,
        '--skip-networking',
        `--pid-file=${join(folder, 'pid')}`,
        '--character-set-server=utf8mb4',
        '--collation-server=utf8mb4_unicode_ci',
      ],
      { path: socketPath },
    );
    const { createConnection } = require('mysql2/promise') as {
      createConnection: (
        this: void,
        options: object,
      ) => Promise<{ query(sql: string): Promise<unknown>; end(): Promise<void> }>;
    };
    const connection = await createConnection({ socketPath, user: 'root' });
    await connection.query('CREATE DATABASE cache');
    await connection.end();
  }, 60_000);

  afterAll(async () => {
    await open[0]?.disconnect();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const openKeyv = (): StoreLike => {
    const { KeyvMysql } = require('@keyv/mysql') as { KeyvMysql: new (options: object) => never };
    const uri = 'mysql://root@localhost/cache';
    const adapter = new KeyvMysql({ uri, table: `t${(tables += 1)}`, socketPath: join(folder, 'socket') });
    open.push(adapter);
    return new Keyv({ store: adapter });
  };
  itKeepsKeysApart(openKeyv, { canClear: false, isCoarse: true });
});

describeWith({ memcached: 'memcached' }, 'Keyv on memcached', () => {
  let server: PrivateServer;
  let port: number;
  const clients: { client: { close(): void } }[] = [];

  beforeAll(async () => {
    port = await freePort();
    const user = userInfo().username;
    const command = ['memcached', '-l', '127.0.0.1', '-p', `${port}`, '-U', '0', '-u', user, '-m', '16'];
    server = await PrivateServer.start(command, { host: '127.0.0.1', port });
  });

  afterAll(async () => {
    for (const { client } of clients) client.close();
    await server?.stop();
  });

  const openKeyv = (): StoreLike => {
    const { KeyvMemcache } = require('@keyv/memcache') as { KeyvMemcache: new (uri: string) => never };
    const adapter = new KeyvMemcache(`127.0.0.1:${port}`);
    clients.push(adapter);
    return new Keyv({ store: adapter, namespace: `n${clients.length}` });
  };
  itKeepsKeysApart(openKeyv, { canClear: false, isCoarse: false });
});
