import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from 'aiocachetools/redis';

export type Library = 'ioredis' | 'redis';

/** How often the two are measured, one after the other, so that what the machine does meanwhile falls on both. */
const ROUNDS = 15;

/** Calls in a measurement. */
const COUNT = 6_400;

/**
 * Hits through the wrapper in a second, as a share of `JSON.parse(await client.get(k))` on the same connection: the
 * median of several rounds. Outside of Jest, whose modules see every global through a proxy.
 */
export async function hitRatio(library: Library, socket: string, depth: number): Promise<number> {
  const { client, get, set, close } = await open(library, socket);
  const value = { id: 7, text: 'x'.repeat(1_000) };
  const cache = redisStore(client);
  const f = memoizeAsync(async (_id: number) => value, { name: 'hit', ttl: 600_000, cache });
  // Calls of one key at once would join one lookup: so many hits at once need as many keys.
  const ids = Array.from({ length: depth }, (_, id) => id);
  for (const id of ids) await set(`plain ${id}`, JSON.stringify(value));
  await Promise.all(ids.map((id) => f(id)));
  await f.settled();
  const plain = async (id: number): Promise<unknown> => JSON.parse((await get(`plain ${id}`))!) as unknown;
  const { hits } = f.stats();
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) ratios.push((await rate(f, depth)) / (await rate(plain, depth)));
  if (f.stats().hits !== hits + ROUNDS * COUNT) throw new Error('Not every call was a hit');
  await cache.close();
  await close();
  return ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}

async function rate(act: (id: number) => Promise<unknown>, depth: number): Promise<number> {
  const startedAt = performance.now();
  for (let done = 0; done < COUNT; done += depth) {
    await Promise.all(Array.from({ length: depth }, (_, id) => act(id)));
  }
  return COUNT / (performance.now() - startedAt);
}

interface Opened {
  readonly client: RedisClient;
  readonly get: (key: string) => Promise<string | null>;
  readonly set: (key: string, value: string) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

async function open(library: Library, path: string): Promise<Opened> {
  if (library === 'ioredis') {
    const client = new Redis({ path });
    return {
      client,
      get: (key) => client.get(key),
      set: (key, value) => client.set(key, value),
      close: () => client.quit(),
    };
  }
  const client = await createClient({ socket: { path, tls: false } }).connect();
  return {
    client,
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    close: () => client.close(),
  };
}
