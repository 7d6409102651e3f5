// Methods: `this` is no part of the key, so `perInstance` gives every object a store of its own.
import { memoizeAsync, perInstance } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

/** One wrapper for all clients. Which store it uses is picked by the client it is called on. */
const getElement = memoizeAsync(
  async function (this: Client, symbol: string): Promise<Element> {
    return this.request(`/elements/${symbol}`);
  },
  { name: 'getElement', cache: perInstance(() => new Map()) },
);

class Client {
  readonly #origin: string;
  readonly getElement = getElement;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async request(path: string): Promise<Element> {
    const response = await fetch(this.#origin + path);
    return (await response.json()) as Element;
  }
}

const [europe, america] = [await Upstream.start(), await Upstream.start()];
const ours = new Client(europe.url);
const theirs = new Client(america.url);

await ours.request('/elements/S'); // not memoized: one request every time
const [sulfur] = await Promise.all([ours.getElement('S'), ours.getElement('S')]);
await ours.getElement('S');
console.log(`${sulfur.name}: ${europe.requests} requests in Europe, ${america.requests} in America`);

await theirs.getElement('S');
console.log(`asked by the other client: ${europe.requests} and ${america.requests}`);

// Controls work on the store of one object.
await getElement.for(ours).delete('S');
await Promise.all([ours.getElement('S'), theirs.getElement('S')]);
console.log(`after ours forgot it: ${europe.requests} and ${america.requests}`);
console.log(`known to ours: ${await getElement.for(ours).has('S')}, to a new client: ${await isKnownToNewClient()}`);

await Promise.all([europe.stop(), america.stop()]);

function isKnownToNewClient(): Promise<boolean> {
  return getElement.for(new Client(europe.url)).has('S');
}

// Output:
// Sulfur: 2 requests in Europe, 0 in America
// asked by the other client: 2 and 1
// after ours forgot it: 3 and 1
// known to ours: true, to a new client: false
