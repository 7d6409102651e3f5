export { jsonCodec } from './codec.js';
export { redisStore } from './redis-store.js';

export type { CommandFunction } from './clients/function.js';
export type { CallClient } from './clients/ioredis.js';
export type { ClusterClient } from './clients/node-redis-cluster.js';
export type { SentinelClient } from './clients/node-redis-sentinel.js';
export type { SendCommandClient } from './clients/node-redis.js';
export type { RedisClient } from './clients/detect-client.js';
export type { Codec } from './codec.js';
export type { RedisStoreOptions } from './options.js';
export type { RedisStore } from './redis-store.js';
