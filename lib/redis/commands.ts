/** Any client that takes whole commands: HTTP clients, wrappers, clusters that need a key to route by. */
export type CommandFunction = (args: string[]) => Promise<unknown>;

/** ioredis, iovalkey and their clusters. */
export interface CallClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** node-redis: a client or a pool. */
export interface SendCommandClient {
  sendCommand(args: string[]): Promise<unknown>;
}

/** node-redis: a cluster. */
export interface ClusterClient {
  readonly masters: readonly unknown[];
  nodeClient(master: never): unknown;
  sendCommand(key: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
}

/** What `redisStore` can talk through. */
export type RedisClient = CommandFunction | ClusterClient | CallClient | SendCommandClient;

export type Send = (args: readonly string[]) => Promise<unknown>;

/** One way to talk to every client: commands in lower case, numbers as strings, replies as they come. */
export interface Commands {
  /** @param key What a cluster finds the node by. */
  send(key: string, args: readonly string[]): Promise<unknown>;
  /** Whoever must be asked to see all keys. */
  masters(): Promise<readonly Send[]>;
  /** True where keys are spread, so that one command takes one key. */
  readonly isCluster: boolean;
  /** True where commands reach the server in the order in which they are sent. */
  readonly isOrdered: boolean;
  /** What the client puts before keys. */
  readonly keyPrefix: string;
  /** True where the client has been closed for good. */
  isEnded(): boolean;
  readonly canDuplicate: boolean;
  /** A client of its own for subscriptions, not connected by us yet; `undefined` where none can be had. */
  duplicate(): unknown;
  /** Call `listener` when the client is closed. Returns what stops it. */
  onEnd(listener: () => void): () => void;
}

/** @throws {TypeError} for what is no client. */
export function commandsOf(client: unknown): Commands {
  if (typeof client === 'function') return ofFunction(client as CommandFunction);
  if (isObject(client)) {
    if ('masters' in client && 'nodeClient' in client) return ofRedisCluster(client as unknown as RedisCluster);
    if (typeof client['call'] === 'function') return ofCallClient(client as unknown as IoRedis);
    if (typeof client['sendCommand'] === 'function') return ofSendCommandClient(client as unknown as NodeRedis);
  }
  throw new TypeError(
    'Expected a client of ioredis, iovalkey or node-redis, or a function that sends a command, got ' +
      (client === null ? 'null' : typeof client),
  );
}

function ofFunction(client: CommandFunction): Commands {
  const send: Send = (args) => client([...args]);
  return {
    send: (_key, args) => send(args),
    masters: async () => {
      if (await isClusterNode(send)) {
        throw new TypeError(
          '`clear` cannot reach every node of a cluster through a function: give `redisStore` the cluster client itself',
        );
      }
      return [send];
    },
    isCluster: true,
    isOrdered: false,
    keyPrefix: '',
    isEnded: () => false,
    canDuplicate: false,
    duplicate: () => undefined,
    onEnd: () => () => undefined,
  };
}

/** The parts of ioredis and iovalkey that are used; a cluster has `nodes`. */
interface IoRedis extends CallClient, Events {
  readonly status?: string;
  readonly options?: { readonly keyPrefix?: unknown };
  readonly isCluster?: boolean;
  nodes?(role: 'master'): IoRedis[];
  duplicate?(options: object): unknown;
}

function ofCallClient(client: IoRedis): Commands {
  const isCluster = client.isCluster === true && typeof client.nodes === 'function';
  const sendTo =
    (node: IoRedis): Send =>
    ([command, ...args]) =>
      node.call(command!, ...args);
  const send = sendTo(client);
  return {
    send: (_key, args) => send(args),
    masters: async () => (isCluster ? client.nodes!('master').map(sendTo) : [send]),
    isCluster,
    isOrdered: true,
    keyPrefix: textOf(client.options?.keyPrefix ?? ''),
    isEnded: () => client.status === 'end',
    canDuplicate: isCluster || typeof client.duplicate === 'function',
    duplicate: () => {
      // Every node of a cluster hears every message, so one plain connection will do.
      const source = isCluster ? anyOf(client.nodes!('master')) : client;
      return source?.duplicate?.({
        enableOfflineQueue: true,
        lazyConnect: false,
        autoResubscribe: false,
        readOnly: false,
      });
    },
    onEnd: (listener) => listen(client, 'end', listener),
  };
}

/** The parts of node-redis that are used. A pool counts its clients, and has no `duplicate`. */
interface NodeRedis extends SendCommandClient, Events {
  readonly isOpen?: boolean;
  readonly totalClients?: number;
  duplicate?(): unknown;
}

function ofSendCommandClient(client: NodeRedis): Commands {
  const send: Send = (args) => client.sendCommand([...args]);
  return {
    send: (_key, args) => send(args),
    masters: async () => [send],
    isCluster: false,
    isOrdered: client.totalClients === undefined,
    keyPrefix: '',
    isEnded: () => client.isOpen === false,
    canDuplicate: typeof client.duplicate === 'function',
    duplicate: () => client.duplicate?.(),
    onEnd: (listener) => listen(client, 'end', listener),
  };
}

interface RedisCluster extends ClusterClient, Events {
  readonly isOpen?: boolean;
  nodeClient(master: unknown): NodeRedis | Promise<NodeRedis>;
}

function ofRedisCluster(cluster: RedisCluster): Commands {
  /** The node that was duplicated last. */
  let source: NodeRedis | undefined;
  return {
    send: (key, args) => cluster.sendCommand(key, false, [...args]),
    masters: async () => {
      const nodes = await Promise.all(cluster.masters.map(async (master) => cluster.nodeClient(master)));
      return nodes.map((node) => (args: readonly string[]) => node.sendCommand([...args]));
    },
    isCluster: true,
    isOrdered: true,
    keyPrefix: '',
    isEnded: () => cluster.isOpen === false,
    canDuplicate: true,
    // Every node of a cluster hears every message, so one plain connection will do.
    duplicate: async () => {
      source = await cluster.nodeClient(anyOf(cluster.masters));
      return source.duplicate?.();
    },
    onEnd: (listener) => {
      // Not all versions say so themselves, but their nodes do; a node may also just leave.
      const stopListening = listen(source ?? {}, 'end', () => {
        if (cluster.isOpen !== true) listener();
      });
      const stopListeningToCluster = listen(cluster, 'disconnect', listener);
      return () => {
        stopListening();
        stopListeningToCluster();
      };
    },
  };
}

/** A server that does not know the section is no cluster node; one that cannot be asked is found out by what follows. */
async function isClusterNode(send: Send): Promise<boolean> {
  const info = await send(['info', 'cluster']).then(textOf, () => '');
  return /cluster_enabled:1/.test(info);
}

/** A reply as text, be it a string, a number, a bigint or a buffer. */
export function textOf(reply: unknown): string {
  return typeof reply === 'string' ? reply : String(reply);
}

export interface Events {
  on?(event: string, listener: (...args: never[]) => void): unknown;
  off?(event: string, listener: (...args: never[]) => void): unknown;
}

/** Returns what stops it. */
export function listen(emitter: Events, event: string, listener: (...args: never[]) => void): () => void {
  emitter.on?.(event, listener);
  return () => void emitter.off?.(event, listener);
}

function anyOf<T>(items: readonly T[]): T | undefined {
  return items[Math.floor(Math.random() * items.length)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
