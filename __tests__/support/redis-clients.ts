import { Cluster as IoRedisCluster6, Redis as IoRedis6 } from 'ioredis';
import { Cluster as IoRedisCluster5, Redis as IoRedis5 } from 'ioredis5';
import { Cluster as IoValkeyCluster, Redis as IoValkey } from 'iovalkey';
import * as redis4 from 'redis4';
import * as redis5 from 'redis5';
import * as redis6 from 'redis';
import type { CallClient, ClusterClient, RedisClient } from 'aiocachetools/redis';

/** A connected client, with what a test needs beside it. */
export interface OpenClient {
  readonly client: RedisClient;
  /** What reaches every node of a cluster, where `client` does not. */
  readonly whole?: RedisClient;
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

/** Every client that is supported, in the ways it can be set up that matter here. ioredis 6 and redis 6 speak RESP3 unasked. */
export const clientKinds: readonly ClientKind[] = [
  ioRedis('ioredis 5', IoRedis5),
  ioRedis('ioredis 6', IoRedis6),
  ioRedis('ioredis 6 with RESP2', IoRedis6, { protocol: 2 }),
  ioRedis('ioredis 6 with replies as RESP3 has them', IoRedis6, { protocol: 3, replyMapping: 'resp3' }),
  ioRedis('ioredis 6 with a key prefix', IoRedis6, { keyPrefix: 'their*[own]:' }),
  ioRedis('ioredis 5 with numbers as text', IoRedis5, { stringNumbers: true }),
  ioRedis('iovalkey', IoValkey),
  ioRedis('iovalkey with a key prefix', IoValkey, { keyPrefix: 'their:' }),
  nodeRedis('redis 4', true, (path) => redis4.createClient(at(path))),
  nodeRedis('redis 5', true, (path) => redis5.createClient(at(path))),
  nodeRedis('redis 5 with RESP3', true, (path) => redis5.createClient({ ...at(path), RESP: 3 })),
  nodeRedis('redis 5, a pool', false, (path) => redis5.createClientPool(at(path))),
  nodeRedis('redis 5, a pool with RESP3', false, (path) => redis5.createClientPool({ ...at(path), RESP: 3 })),
  nodeRedis('redis 6', true, (path) => redis6.createClient(at(path))),
  nodeRedis('redis 6 with RESP2', true, (path) => redis6.createClient({ ...at(path), RESP: 2 })),
  nodeRedis('redis 6, a pool', false, (path) => redis6.createClientPool(at(path))),
  nodeRedis('redis 6, a pool with RESP2', false, (path) => redis6.createClientPool({ ...at(path), RESP: 2 })),
  {
    name: 'a function',
    canSubscribe: false,
    open: async (path) => {
      const client = new IoRedis6({ path });
      return { client: ([command, ...args]) => client.call(command!, ...args), close: () => client.quit() };
    },
  },
];

/** A way to talk to a cluster. */
export interface ClusterKind {
  readonly name: string;
  /** `isLazy`: resolves before the cluster is known, where the client can be used by then. */
  readonly open: (ports: readonly number[], options?: { readonly isLazy?: boolean }) => Promise<OpenClient>;
}

type IoRedisClusterClass = new (nodes: { host: string; port: number }[], options?: never) => unknown;

function ioRedisCluster(name: string, Cluster: IoRedisClusterClass, options: object = {}): ClusterKind {
  return {
    name,
    open: async (ports, { isLazy = false } = {}) => {
      const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
      const client = new Cluster(nodes, options as never) as CallClient & {
        ping(): Promise<unknown>;
        on(event: 'error', listener: () => void): unknown;
        disconnect(): void;
      };
      client.on('error', () => undefined);
      if (!isLazy) await client.ping();
      return { client, close: () => client.disconnect() };
    },
  };
}

interface NodeRedisCluster {
  sendCommand(key: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  on(event: 'error', listener: () => void): unknown;
  destroy?(): unknown;
  disconnect?(): unknown;
}

type CreateCluster = (rootNodes: { url: string }[]) => NodeRedisCluster;

async function connectCluster(create: CreateCluster, ports: readonly number[]) {
  const cluster = create(ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })));
  cluster.on('error', () => undefined);
  await cluster.connect();
  return { cluster, close: () => (cluster.destroy === undefined ? cluster.disconnect?.() : cluster.destroy()) };
}

function nodeRedisCluster(name: string, create: CreateCluster): ClusterKind {
  return {
    name,
    open: async (ports) => {
      const { cluster, close } = await connectCluster(create, ports);
      return { client: cluster as unknown as ClusterClient, close };
    },
  };
}

/** A function that routes each command by its key. A script names its keys after their number. */
function nodeRedisClusterByFunction(name: string, create: CreateCluster): ClusterKind {
  return {
    name: `a function over ${name}`,
    open: async (ports) => {
      const { cluster, close } = await connectCluster(create, ports);
      return {
        client: (args) => cluster.sendCommand(args[0]!.startsWith('eval') ? args[3] : args[1], false, args),
        whole: cluster as unknown as ClusterClient,
        close,
      };
    },
  };
}

const createCluster4: CreateCluster = (rootNodes) => redis4.createCluster({ rootNodes });
const createCluster5: CreateCluster = (rootNodes) => redis5.createCluster({ rootNodes });
const createCluster6: CreateCluster = (rootNodes) => redis6.createCluster({ rootNodes });

/** Every cluster client that is supported. */
export const clusterKinds: readonly ClusterKind[] = [
  ioRedisCluster('ioredis 5', IoRedisCluster5),
  ioRedisCluster('ioredis 6', IoRedisCluster6),
  ioRedisCluster('ioredis 6 with a key prefix', IoRedisCluster6, { keyPrefix: 'their:' }),
  ioRedisCluster('iovalkey', IoValkeyCluster),
  nodeRedisCluster('redis 4', createCluster4),
  nodeRedisCluster('redis 5', createCluster5),
  nodeRedisCluster('redis 5 with RESP3', (rootNodes) => redis5.createCluster({ rootNodes, RESP: 3 })),
  nodeRedisCluster('redis 6', createCluster6),
  nodeRedisCluster('redis 6 with RESP2', (rootNodes) => redis6.createCluster({ rootNodes, RESP: 2 })),
];

/** node-redis clusters behind a plain function, which knows one node at a time. */
export const clusterFunctionKinds: readonly ClusterKind[] = [
  nodeRedisClusterByFunction('redis 4', createCluster4),
  nodeRedisClusterByFunction('redis 5', createCluster5),
  nodeRedisClusterByFunction('redis 6', createCluster6),
];
