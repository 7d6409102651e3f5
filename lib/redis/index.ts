export { jsonCodec } from './codec.js';
export { redisStore } from './redis-store.js';

export type { Codec } from './codec.js';
export type { CallClient, ClusterClient, CommandFunction, RedisClient, SendCommandClient } from './commands.js';
export type { RedisStore, RedisStoreOptions } from './redis-store.js';
