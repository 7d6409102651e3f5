import { functionClient } from './function.js';
import { givenIoRedis, ioRedisClient, ioRedisMessages } from './ioredis.js';
import { nodeRedisClusterClient, nodeRedisClusterMessages } from './node-redis-cluster.js';
import { nodeRedisSentinelClient } from './node-redis-sentinel.js';
import { givenNodeRedis, nodeRedisClient } from './node-redis.js';
import type { Client, MessageSource } from './client.js';
import type { CommandFunction } from './function.js';
import type { CallClient, IoRedis } from './ioredis.js';
import type { ClusterClient, NodeRedisCluster } from './node-redis-cluster.js';
import type { NodeRedisSentinel, SentinelClient } from './node-redis-sentinel.js';
import type { NodeRedis, SendCommandClient } from './node-redis.js';

/** What `redisStore` can send commands through. */
export type RedisClient = CommandFunction | ClusterClient | CallClient | SentinelClient | SendCommandClient;

/** @throws {TypeError} for anything that is no client. */
export function detectClient(given: unknown): Client {
  if (typeof given === 'function') return functionClient(given as CommandFunction);
  if (isNodeRedisCluster(given)) return nodeRedisClusterClient(given);
  if (isIoRedis(given)) return ioRedisClient(given);
  if (isNodeRedisSentinel(given)) return nodeRedisSentinelClient(given);
  if (isNodeRedis(given)) return nodeRedisClient(given);
  throw new TypeError(
    'Expected a client of ioredis, iovalkey or node-redis, or a function that sends a command, got ' +
      (given === null ? 'null' : typeof given),
  );
}

/**
 * The connections for messages of what the user has given for that: a single client is used itself, and a cluster, whose own
 * subscription may move without notice, tells where to connect.
 *
 * @throws {TypeError} for anything that cannot subscribe.
 */
export function detectMessages(given: unknown): MessageSource {
  if (isNodeRedisCluster(given)) return nodeRedisClusterMessages(given);
  if (isIoRedis(given)) {
    if (given.isCluster === true) return ioRedisMessages(given);
    if (typeof given.subscribe === 'function') return givenIoRedis(given);
  } else if (
    isNodeRedis(given) &&
    !isNodeRedisSentinel(given) &&
    typeof given.subscribe === 'function' &&
    typeof given.ping === 'function'
  ) {
    return givenNodeRedis(given);
  }
  throw new TypeError(
    `Expected \`subscriber\` to be a client of ioredis, iovalkey or node-redis that can subscribe, got ${typeof given}`,
  );
}

function isNodeRedisCluster(given: unknown): given is NodeRedisCluster {
  return isObject(given) && 'masters' in given && 'nodeClient' in given;
}

function isIoRedis(given: unknown): given is IoRedis {
  return isObject(given) && typeof given['call'] === 'function';
}

function isNodeRedisSentinel(given: unknown): given is NodeRedisSentinel {
  return isNodeRedis(given) && typeof (given as { getMasterNode?: unknown }).getMasterNode === 'function';
}

function isNodeRedis(given: unknown): given is NodeRedis {
  return isObject(given) && typeof given['sendCommand'] === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
