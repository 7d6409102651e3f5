// Many functions: a client module with one store, one prefix, one `clear()` after a write and one `stats()`.
import { createMemoizer, memoizeMethods } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

const upstream = await Upstream.start();
const store = new Map();

async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(upstream.url + path, init);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return (await response.json()) as T;
}

// ---- functions: what would be elements-client.ts ----

const memoize = createMemoizer({ name: 'elements', cache: store, ttl: 60_000 });

const getElement = memoize((symbol: string) => request<Element>(`/elements/${symbol}`), { name: 'get' });
const listElements = memoize(() => request<readonly Element[]>('/elements'), { name: 'list', ttl: 5_000 });

async function putElement(element: Element): Promise<void> {
  await request(`/elements/${element.symbol}`, { method: 'PUT', body: JSON.stringify(element) });
  // Runs that began before are not written either.
  await memoize.clear();
}

const [, silver] = await Promise.all([listElements(), getElement('Ag'), listElements(), getElement('Ag')]);
console.log([...store.keys()], 'requests:', upstream.requests);

await putElement({ ...silver, name: 'Argentum' });
console.log((await getElement('Ag')).name, [...store.keys()], 'requests:', upstream.requests);

const { misses, joins, runs } = memoize.stats();
console.log({ misses, joins, runs });

// ---- a class: its methods are memoized from outside ----

class ElementsClient {
  readonly #base = '/elements';

  get(symbol: string, _options?: { readonly trace: string }): Promise<Element> {
    return request<Element>(`${this.#base}/${symbol}`);
  }

  describe({ name, weight }: Element): string {
    return `${name} weighs ${weight} u`;
  }
}

const elements = memoizeMethods(
  new ElementsClient(),
  { get: { ignore: ['trace'] } },
  { name: 'client', cache: store, ttl: 60_000 },
);

const [gold] = await Promise.all([elements.get('Au', { trace: 'a' }), elements.get('Au', { trace: 'b' })]);
console.log(elements.describe(gold), [...store.keys()], 'requests:', upstream.requests);
console.log(elements instanceof ElementsClient, await elements.get.delete('Au', { trace: 'c' }));

// Before the process ends, or in a `waitUntil`.
await Promise.all([memoize.settled(), elements.get.settled()]);
await upstream.stop();

// Output:
// [ 'elements.list|()', 'elements.get|Ag' ] requests: 2
// Argentum [ 'elements.get|Ag' ] requests: 4
// { misses: 3, joins: 2, runs: 3 }
// Gold weighs 196.97 u [ 'elements.get|Ag', 'client.get|"2:Au{0' ] requests: 5
// true true
