// A client module: its reads share one store, and a write makes them forget what it changed.
import { memoizeAsync } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

const upstream = await Upstream.start();

// ---- what would be elements-client.ts ----

const store = new Map<string, never>();

/** Names keep the entries of one function apart from those of another in a store that they share. */
const getElement = memoizeAsync((symbol: string) => request<Element>(`/elements/${symbol}`), {
  cache: store,
  name: 'elements.get',
  ttl: 60_000,
});

const listElements = memoizeAsync(() => request<readonly Element[]>('/elements'), {
  cache: store,
  name: 'elements.list',
  ttl: 60_000,
});

async function putElement(element: Element): Promise<void> {
  await request(`/elements/${element.symbol}`, { method: 'PUT', body: JSON.stringify(element) });
  // After the write, not before it: a read in between would bring the old value back.
  await Promise.all([getElement.delete(element.symbol), listElements.clear()]);
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(upstream.url + path, init);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return (await response.json()) as T;
}

// ---- what uses it ----

const aluminium = await getElement('Al');
await getElement('Fe');
console.log(`${(await listElements()).length} elements, ${aluminium.name} among them; requests: ${upstream.requests}`);

await Promise.all([getElement('Al'), getElement('Fe'), listElements()]);
console.log(`known by now; requests: ${upstream.requests}`);
console.log([...store.keys()]);

await putElement({ ...aluminium, name: 'Aluminum' });
console.log(`spelt the American way; requests: ${upstream.requests}; known: ${[...store.keys()].join(', ')}`);

console.log(`${(await getElement('Al')).name}; requests: ${upstream.requests}`);
await upstream.stop();

// Output:
// 118 elements, Aluminium among them; requests: 3
// known by now; requests: 3
// [ 'elements.get|Al', 'elements.get|Fe', 'elements.list|()' ]
// spelt the American way; requests: 4; known: elements.get|Fe
// Aluminum; requests: 5
