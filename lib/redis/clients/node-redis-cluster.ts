import { anyOf, listen } from './client.js';
import { nodeRedisFailureOf, openDuplicate } from './node-redis.js';
import type { Client, Emitter } from './client.js';
import type { NodeRedis } from './node-redis.js';

/** node-redis: a cluster. */
export interface ClusterClient {
  readonly masters: readonly unknown[];
  nodeClient(master: never): unknown;
  sendCommand(key: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>;
}

/** The parts of a node-redis cluster that are used. */
export interface NodeRedisCluster extends ClusterClient, Emitter {
  readonly isOpen?: boolean;
  readonly masters: readonly { readonly address?: string }[];
  readonly slots?: readonly ({ readonly master?: { readonly address?: string } } | undefined)[];
  nodeClient(master: unknown): NodeRedis | Promise<NodeRedis>;
}

export function nodeRedisClusterClient(cluster: NodeRedisCluster): Client {
  /** The node that was duplicated last. */
  let source: NodeRedis | undefined;
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
    isOrdered: true,
    keyPrefix: '',
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
    failureOf: nodeRedisFailureOf,
    canDuplicate: true,
    // Every node of a cluster gets every message, so one connection to one node is enough.
    openSubscriber: async (handlers) => {
      source = await cluster.nodeClient(anyOf(cluster.masters));
      return openDuplicate(source, handlers);
    },
  };
}
