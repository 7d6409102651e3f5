export { jsonCodec } from './codec.js';
export { redisStore } from './redis-store.js';

export type { Codec } from './codec.js';
export type { CallClient, ClusterClient, CommandFunction, RedisClient, SendCommandClient } from './commands.js';
export type { RedisStoreOptions } from './options.js';
export type { RedisStore } from './redis-store.js';
