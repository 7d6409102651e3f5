// A pipe: `memoizeAsync(options)` is one step among others, with remeda and with a `pipe` of one's own.
import { pipe } from 'remeda';
import { memoizeAsync } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

const upstream = await Upstream.start();

const fetchElement = async (symbol: string): Promise<Element> => {
  const response = await fetch(`${upstream.url}/elements/${symbol}`);
  return (await response.json()) as Element;
};

/** A step that takes a function and gives one that picks a field of its result. */
const picking =
  <Field extends keyof Element>(field: Field) =>
  (get: (symbol: string) => Promise<Element>) =>
  async (symbol: string): Promise<Element[Field]> =>
    (await get(symbol))[field];

const getName = pipe(fetchElement, memoizeAsync({ name: 'names', ttl: 60_000 }), picking('name'));
console.log('remeda:', await Promise.all([getName('Ag'), getName('Ag'), getName('Au')]));
console.log('requests:', upstream.requests);

/** All that a plain `pipe` takes. */
const through = <A, B, C>(value: A, first: (value: A) => B, second: (value: B) => C): C => second(first(value));

const getWeight = through(fetchElement, memoizeAsync({ name: 'weights', ttl: 60_000 }), picking('weight'));
console.log('plain pipe:', await Promise.all([getWeight('O'), getWeight('O'), getWeight('H')]));
console.log('requests:', upstream.requests);

// The types come through: `getWeight` gives numbers, and the wrapper in the middle keeps its controls.
const getElement = pipe(fetchElement, memoizeAsync({ name: 'elements' }));
const twice: number = 2 * (await getWeight('O'));
console.log('twice the weight of oxygen:', twice);
console.log('neon is known:', await getElement.has('Ne'));
await upstream.stop();

// Output:
// remeda: [ 'Silver', 'Silver', 'Gold' ]
// requests: 2
// plain pipe: [ 15.999, 15.999, 1.008 ]
// requests: 4
// twice the weight of oxygen: 31.998
// neon is known: false
