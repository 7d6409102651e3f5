import { anyOf, listen } from './client.js';
import { isNodeRedisReply, openDuplicate } from './node-redis.js';
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
  nodeClient(master: unknown): NodeRedis | Promise<NodeRedis>;
}

export function nodeRedisClusterClient(cluster: NodeRedisCluster): Client {
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
    isReply: isNodeRedisReply,
    canDuplicate: true,
    // Every node of a cluster gets every message, so one connection to one node is enough.
    openSubscriber: async (handlers) => {
      source = await cluster.nodeClient(anyOf(cluster.masters));
      return openDuplicate(source, handlers);
    },
  };
}
