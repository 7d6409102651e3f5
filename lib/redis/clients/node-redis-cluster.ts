import { anyOf, listen } from './client.js';
import { nodeRedisFailureOf, openDuplicate } from './node-redis.js';
import type { Client, Emitter, MessageSource } from './client.js';
import type { NodeRedis } from './node-redis.js';

/** node-redis: a cluster. */
export interface ClusterClient {
  readonly masters: readonly unknown[];
  nodeClient(master: never): unknown;
  sendCommand(key: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
}

interface ClusterNode {
  readonly address?: string;
  /** A client, or a promise of one. */
  readonly client?: unknown;
}

/** The parts of a node-redis cluster that are used. */
export interface NodeRedisCluster extends ClusterClient, Emitter {
  readonly isOpen?: boolean;
  readonly masters: readonly ClusterNode[];
  readonly slots?: readonly ({ readonly master?: ClusterNode } | undefined)[];
  nodeClient(master: unknown): NodeRedis | Promise<NodeRedis>;
}

export function nodeRedisClusterClient(cluster: NodeRedisCluster): Client {
  return {
    send: (key, args) => cluster.sendCommand(key, false, [...args]),
    masters: async () => {
      return Promise.all(
        cluster.masters.map(async (master) => {
          const node = await cluster.nodeClient(master);
          return { name: String(master.address), send: (args: readonly string[]) => node.sendCommand([...args]) };
        }),
      );
    },
    nodeOf: (slot) => cluster.slots?.[slot]?.master?.address,
    isCluster: true,
    hasNodes: true,
    isOrdered: true,
    keyPrefix: '',
    isEnded: () => cluster.isOpen === false,
    failureOf: nodeRedisFailureOf,
    messages: nodeRedisClusterMessages(cluster),
  };
}

/** Connections of our own to one node of the cluster: each node gets every message. */
export function nodeRedisClusterMessages(cluster: NodeRedisCluster): MessageSource {
  /** The node that was duplicated last. */
  let source: NodeRedis | undefined;
  return {
    open: async (handlers) => {
      const isReady = ({ client }: ClusterNode): boolean => isClient(client) && client.isReady === true;
      const node = anyOf(cluster.masters, isReady);
      if (node === undefined) return undefined;
      // To ask for the client of a dead node may take for ever.
      source = isReady(node) ? (node.client as NodeRedis) : await cluster.nodeClient(node);
      return openDuplicate(source, handlers);
    },
    isEnded: () => cluster.isOpen === false,
    onEnd: (listener) => {
      // Not every version reports its own end, but its nodes do. A node may also just leave.
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

function isClient(value: unknown): value is NodeRedis {
  return typeof value === 'object' && value !== null && 'isReady' in value;
}
