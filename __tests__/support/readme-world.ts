/** What the snippets of README.md and docs/ take for granted: a database, an API, a session. Everything here is real enough to run. */
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import Keyv from 'keyv';
import { LRUCache } from 'lru-cache';
import memoizee from 'memoizee';
import pMemoize from 'p-memoize';
import QuickLRU from 'quick-lru';
import * as library from '../../lib/index.js';
import { redisStore } from '../../lib/redis/index.js';
import type { AddressInfo } from 'node:net';

class WorldLogger {
  debug(_message: string): void {}
}

class WorldNotFoundError extends Error {}

/** As a database driver has it. */
class WorldObjectId {
  toHexString(): string {
    return '507f1f77bcf86cd799439011';
  }
}

class WorldUsersClient {
  readonly #users = new Map([[7, 'Ada']]);

  async getUser(id: number): Promise<string | undefined> {
    return this.#users.get(id);
  }
}

interface WorldUser {
  readonly id: number;
  readonly name: string;
  readonly tenant: string;
}

interface WorldSession {
  readonly user: WorldUser;
  readonly locale: string;
}

const names = new Map<number, string>();
const lostConnections = new Set([404, 405]);

/** Reads the row at once and brings it later. */
async function user(id: number): Promise<WorldUser> {
  if (lostConnections.delete(id)) throw new Error('connection lost');
  const row = { id, name: names.get(id) ?? 'Ada', tenant: 'acme' };
  await pause(5);
  return row;
}

async function rename(id: number, name: string): Promise<WorldUser> {
  names.set(id, name);
  return { id, name, tenant: 'acme' };
}

const database = {
  user,
  rename,
  orders: async (id: number): Promise<number[]> => [id],
  invoice: async (id: number) => ({ id, total: 100 }),
  report: async (id: number) => ({ id, lines: [1, 2, 3] }),
  find: async (table: string, id: number) => ({ table, id }),
};

const remote = new Map<string, string>();

const world = {
  ...library,
  inspect,
  Keyv,
  LRUCache,
  QuickLRU,
  memoizee,
  pMemoize,
  Logger: WorldLogger,
  NotFoundError: WorldNotFoundError,
  NotFound: WorldNotFoundError,
  ObjectId: WorldObjectId,
  UsersClient: WorldUsersClient,
  db: database,
  getUserFrom: (id: number, _db: unknown) => user(id),
  getUserById: library.memoizeAsync(async (id: number) => user(id)),
  getAny: library.memoizeAsync(async (value: unknown) => value, { name: 'getAny' }),
  redisStore,
  getUser: user,
  getOrders: async (owner: WorldUser) => [owner.id],
  getPost: async (id: number) => ({ id, authorId: 7 }),
  userSchema: { safeParse: (value: unknown) => ({ success: typeof value === 'object' }) },
  getToken: async (scope: string) => ({ scope, expiresIn: 3_600 }),
  getRates: async () => [1, 2, 3],
  getReport: async (id: number) => ({ id }),
  resolveModule: async (path: string) => path,
  fetchRate: async (currency: string) => currency.length,
  fetchToken: async (scope: string) => ({ token: scope, expiresIn: 3_600 }),
  fetchPrices: async () => [1, 2, 3],
  fetchUser: user,
  fetchWeather: async (city: string) => `${city}: rain`,
  renderFrontPage: async () => '<h1>Hello</h1>',
  renderDashboard: async (session: WorldSession) => `<h1>${session.user.name}</h1>`,
  runSearch: async (query: { readonly text: string }, log: WorldLogger) => {
    log.debug(query.text);
    return [query.text];
  },
  metrics: { count: (_type: string): void => undefined },
  redis: {
    get: async (key: string) => remote.get(key) ?? null,
    set: async (key: string, text: string, _options: { readonly PX?: number }) => remote.set(key, text),
    del: async (key: string) => (remote.delete(key) ? 1 : 0),
  },
  client: async (_args: string[]): Promise<unknown> => Promise.reject(new Error('no server')),
  api: '',
};

type World = typeof world;

declare global {
  type User = WorldUser;
  type Session = WorldSession;
  type Database = typeof database;
  type Logger = WorldLogger;
  type UsersClient = WorldUsersClient;
  type Store<V = unknown> = library.Store<V>;
  type Entry<V> = library.Entry<V>;
  var inspect: World['inspect'];
  var memoizeAsync: World['memoizeAsync'];
  var invalidateTags: World['invalidateTags'];
  var createMemoizer: World['createMemoizer'];
  var memoizeMethods: World['memoizeMethods'];
  var perInstance: World['perInstance'];
  var Keyv: World['Keyv'];
  var LRUCache: World['LRUCache'];
  var QuickLRU: World['QuickLRU'];
  var Logger: World['Logger'];
  var NotFoundError: World['NotFoundError'];
  var UsersClient: World['UsersClient'];
  var db: World['db'];
  var getUserById: World['getUserById'];
  var getAny: World['getAny'];
  var NotFound: World['NotFound'];
  var ObjectId: World['ObjectId'];
  var redisStore: World['redisStore'];
  var getUser: World['getUser'];
  var getOrders: World['getOrders'];
  var getPost: World['getPost'];
  var userSchema: World['userSchema'];
  var getToken: World['getToken'];
  var getRates: World['getRates'];
  var getReport: World['getReport'];
  var resolveModule: World['resolveModule'];
  var fetchRate: World['fetchRate'];
  var fetchToken: World['fetchToken'];
  var fetchPrices: World['fetchPrices'];
  var fetchUser: World['fetchUser'];
  var fetchWeather: World['fetchWeather'];
  var renderFrontPage: World['renderFrontPage'];
  var renderDashboard: World['renderDashboard'];
  var runSearch: World['runSearch'];
  var metrics: World['metrics'];
  var redis: World['redis'];
  var client: World['client'];
  var tiered: World['tiered'];
  var api: string;
}

/** Puts the world where snippets look for it. Returns what ends it. */
export async function openWorld(): Promise<() => void> {
  const server = createServer((_request, response) => setTimeout(() => response.end('hello'), 50).unref());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(globalThis, world, { api: `http://127.0.0.1:${port}/` });
  return () => server.close();
}
