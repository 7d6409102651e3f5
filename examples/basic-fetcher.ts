// A basic fetcher: concurrent calls share one request, later calls are answered from memory, failures are not kept.
import { memoizeAsync } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

const upstream = await Upstream.start();

const getElement = memoizeAsync(
  async (symbol: string): Promise<Element> => {
    const response = await fetch(`${upstream.url}/elements/${symbol}`);
    if (!response.ok) throw new Error(`${symbol}: HTTP ${response.status}`);
    return (await response.json()) as Element;
  },
  { name: 'getElement', ttl: 60_000 },
);

const [iron, sameIron] = await Promise.all([getElement('Fe'), getElement('Fe')]);
console.log(`${iron.name}, ${iron.weight}; the same object for both callers: ${iron === sameIron}`);
console.log(`requests after two concurrent calls: ${upstream.requests}`);

await getElement('Fe');
console.log(`requests after a third call: ${upstream.requests}`);

await getElement('Au');
console.log(`requests after a call for gold: ${upstream.requests}`);

for (let attempt = 1; attempt <= 2; attempt += 1) {
  await getElement('Xx').catch((error: unknown) => console.log(`attempt ${attempt}:`, (error as Error).message));
}
console.log(`requests after two failures: ${upstream.requests}`);

await getElement.delete('Fe');
await getElement('Fe');
console.log(`requests after forgetting iron: ${upstream.requests}`);

const { hits, joins, misses } = getElement.stats();
console.log({ hits, joins, misses });
await upstream.stop();

// Output:
// Iron, 55.845; the same object for both callers: true
// requests after two concurrent calls: 1
// requests after a third call: 1
// requests after a call for gold: 2
// attempt 1: Xx: HTTP 404
// attempt 2: Xx: HTTP 404
// requests after two failures: 4
// requests after forgetting iron: 5
// { hits: 1, joins: 1, misses: 5 }
