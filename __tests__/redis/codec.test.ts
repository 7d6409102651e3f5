import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import { describeRedis, TestServer } from '../support/redis-server.js';
import type { Codec } from 'aiocachetools/redis';

/** Both modes of Jest can load them like this. */
const loadDevalue = () => import('devalue');
const loadSuperjson = () => import('superjson');

const rich = {
  at: new Date(0),
  map: new Map<unknown, unknown>([['a', new Set([1, undefined])]]),
  big: 2n ** 70n,
  nothing: undefined,
  notANumber: NaN,
  pattern: /a/g,
};

describeRedis('a codec', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start();
  });

  afterAll(() => server.close());

  const codecs: [string, () => Promise<Codec>][] = [
    [
      'devalue',
      async () => {
        const { parse, stringify } = await loadDevalue();
        return { encode: stringify, decode: parse };
      },
    ],
    [
      'superjson',
      async () => {
        const { default: superjson } = await loadSuperjson();
        return { encode: (entry) => superjson.stringify(entry), decode: (text) => superjson.parse(text) };
      },
    ],
  ];

  it.each(codecs)('of %s carries Dates, Maps, Sets, BigInts and undefined', async (name, load) => {
    const codec = await load();
    const client = server.client();
    const make = (own: typeof client) =>
      memoizeAsync(async () => rich, { name, ttl: 60_000, cache: redisStore(own, { codec }) });
    const writer = make(client);
    await writer();
    await writer.settled();
    const reader = make(server.client());
    expect(await reader()).toEqual(rich);
    expect(reader.stats()).toMatchObject({ hits: 1, runs: 0 });
  });

  it('that reads nothing of another one takes its entries for misses, once', async () => {
    const client = server.client();
    const { parse, stringify } = await loadDevalue();
    const strange: Codec = { encode: stringify, decode: parse };
    const one = memoizeAsync(async () => 'json', { name: 'shared', cache: redisStore(client) });
    await one();
    await one.settled();
    const other = memoizeAsync(async () => 'devalue', {
      name: 'shared',
      cache: redisStore(client, { codec: strange }),
    });
    expect(await other()).toBe('devalue');
    await other.settled();
    expect(await other()).toBe('devalue');
    expect(other.stats()).toMatchObject({ runs: 1, hits: 1 });
  });
});
