// Keyv on SQLite: results survive the process that fetched them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import KeyvSqlite from '@keyv/sqlite';
import { Keyv } from 'keyv';
import { memoizeAsync } from 'aiocachetools';
import { Upstream } from '../support/upstream.js';
import type { Element } from '../support/upstream.js';

const upstream = await Upstream.start();
const folder = await mkdtemp(join(tmpdir(), 'elements-'));

/** What a process does: open the file, look up an element, and leave when everything is written. */
async function visit(symbol: string): Promise<string> {
  const cache = new Keyv({ store: new KeyvSqlite(`sqlite://${join(folder, 'elements.sqlite')}`) });
  const getElement = memoizeAsync(fetchElement, { cache, name: 'getElement', ttl: 86_400_000 });
  try {
    const { name } = await getElement(symbol);
    // Callers do not wait for writes. Before the store is closed, wait for them here.
    await getElement.settled();
    const { hits, misses } = getElement.stats();
    return `${name}: ${hits} hits, ${misses} misses, ${upstream.requests} requests so far`;
  } finally {
    await cache.disconnect();
  }
}

async function fetchElement(symbol: string): Promise<Element> {
  const response = await fetch(`${upstream.url}/elements/${symbol}`);
  return (await response.json()) as Element;
}

try {
  console.log(await visit('W'));
  console.log(await visit('W'));
  console.log(await visit('Hg'));
} finally {
  await rm(folder, { recursive: true });
  await upstream.stop();
}

// Output:
// Tungsten: 0 hits, 1 misses, 1 requests so far
// Tungsten: 1 hits, 0 misses, 1 requests so far
// Mercury: 0 hits, 1 misses, 2 requests so far
