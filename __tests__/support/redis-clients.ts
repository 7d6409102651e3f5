import { Redis as IoRedis6 } from 'ioredis';
import { Redis as IoRedis5 } from 'ioredis5';
import { Redis as IoValkey } from 'iovalkey';
import * as redis4 from 'redis4';
import * as redis5 from 'redis5';
import * as redis6 from 'redis';
import type { RedisClient } from 'aiocachetools/redis';

/** A connected client, with what a test needs beside it. */
export interface OpenClient {
  readonly client: RedisClient;
  close(): unknown;
}

export interface ClientKind {
  readonly name: string;
  /** It can be duplicated, so that messages arrive. */
  readonly canSubscribe: boolean;
  open(socket: string): Promise<OpenClient>;
}

type IoRedisClass = new (options: object) => {
  call(command: string, ...args: string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  quit(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
};

function ioRedis(name: string, Client: IoRedisClass, options: object = {}): ClientKind {
  return {
    name,
    canSubscribe: true,
    open: async (path) => {
      const client = new Client({ path, ...options });
      client.on('error', () => undefined);
      await client.ping();
      return { client, close: () => client.quit() };
    },
  };
}

interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
  close?(): unknown;
  quit?(): unknown;
}

function nodeRedis(name: string, canSubscribe: boolean, create: (path: string) => NodeRedisClient): ClientKind {
  return {
    name,
    canSubscribe,
    open: async (path) => {
      const client = create(path);
      client.on('error', () => undefined);
      await client.connect();
      return { client, close: () => (client.close === undefined ? client.quit?.() : client.close()) };
    },
  };
}

/** The types of all three ask for `tls` beside a path. */
function at(path: string): { socket: { path: string; tls: false } } {
  return { socket: { path, tls: false } };
}

/** Every client that is supported, in the ways it can be set up that matter here. */
export const clientKinds: readonly ClientKind[] = [
  ioRedis('ioredis 5', IoRedis5),
  ioRedis('ioredis 6', IoRedis6),
  ioRedis('ioredis 6 with RESP3', IoRedis6, { protocol: 3 }),
  ioRedis('ioredis 6 with a key prefix', IoRedis6, { keyPrefix: 'their*[own]:' }),
  ioRedis('ioredis 5 with numbers as text', IoRedis5, { stringNumbers: true }),
  ioRedis('iovalkey', IoValkey),
  ioRedis('iovalkey with a key prefix', IoValkey, { keyPrefix: 'their:' }),
  nodeRedis('redis 4', true, (path) => redis4.createClient(at(path))),
  nodeRedis('redis 5', true, (path) => redis5.createClient(at(path))),
  nodeRedis('redis 5 with RESP3', true, (path) => redis5.createClient({ ...at(path), RESP: 3 })),
  nodeRedis('redis 5, a pool', false, (path) => redis5.createClientPool(at(path))),
  nodeRedis('redis 6', true, (path) => redis6.createClient(at(path))),
  nodeRedis('redis 6 with RESP2', true, (path) => redis6.createClient({ ...at(path), RESP: 2 })),
  nodeRedis('redis 6, a pool', false, (path) => redis6.createClientPool(at(path))),
  {
    name: 'a function',
    canSubscribe: false,
    open: async (path) => {
      const client = new IoRedis6({ path });
      return { client: ([command, ...args]) => client.call(command!, ...args), close: () => client.quit() };
    },
  },
];
