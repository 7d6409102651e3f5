import { functionClient } from './function.js';
import { ioRedisClient, ioRedisSubscriber } from './ioredis.js';
import { nodeRedisClusterClient } from './node-redis-cluster.js';
import { nodeRedisClient, nodeRedisSubscriber } from './node-redis.js';
import type { Client, Subscriber, SubscriberHandlers } from './client.js';
import type { CommandFunction } from './function.js';
import type { CallClient, IoRedis } from './ioredis.js';
import type { ClusterClient, NodeRedisCluster } from './node-redis-cluster.js';
import type { NodeRedis, SendCommandClient } from './node-redis.js';

/** What `redisStore` can send commands through. */
export type RedisClient = CommandFunction | ClusterClient | CallClient | SendCommandClient;

/** @throws {TypeError} for anything that is no client. */
export function detectClient(given: unknown): Client {
  if (typeof given === 'function') return functionClient(given as CommandFunction);
  if (isObject(given)) {
    if ('masters' in given && 'nodeClient' in given)
      return nodeRedisClusterClient(given as unknown as NodeRedisCluster);
    if (typeof given['call'] === 'function') return ioRedisClient(given as unknown as IoRedis);
    if (typeof given['sendCommand'] === 'function') return nodeRedisClient(given as unknown as NodeRedis);
  }
  throw new TypeError(
    'Expected a client of ioredis, iovalkey or node-redis, or a function that sends a command, got ' +
      (given === null ? 'null' : typeof given),
  );
}

/** Attaches to a connection for messages that the user has opened. @throws {TypeError} for a client that cannot subscribe. */
export function attachSubscriber(given: unknown, handlers: SubscriberHandlers): Subscriber {
  if (isObject(given) && 'subscribe' in given) {
    if (typeof given['call'] === 'function') return ioRedisSubscriber(given as unknown as IoRedis, handlers, false);
    if (typeof given['sendCommand'] === 'function')
      return nodeRedisSubscriber(given as unknown as NodeRedis, handlers, false);
  }
  throw new TypeError(`Expected \`subscriber\` to be a client of ioredis, iovalkey or node-redis, got ${typeof given}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
