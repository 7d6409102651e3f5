// Many at once: what concurrent calls ask for goes into one request, and only what is not known yet.
import { batched, memoizeAsync } from 'aiocachetools';

interface Element {
  readonly symbol: string;
  readonly weight: number;
}

const weights = new Map([
  ['H', 1.008],
  ['He', 4.0026],
  ['C', 12.011],
  ['O', 15.999],
]);

/** An API that takes a list. An error in the list is about one item. */
async function loadElements(
  symbols: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<(Element | Error)[]> {
  console.log(`  request for ${symbols.join(', ')}`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  options.signal?.throwIfAborted();
  return symbols.map((symbol) => {
    const weight = weights.get(symbol);
    return weight === undefined ? new RangeError(`no element ${symbol}`) : { symbol, weight };
  });
}

const getElement = memoizeAsync(batched(loadElements, { maxSize: 3 }), { name: 'getElement', ttl: 60_000 });

async function weigh(formula: Readonly<Record<string, number>>): Promise<string> {
  const parts = Object.entries(formula).map(async ([symbol, count]) => (await getElement(symbol)).weight * count);
  return (await Promise.all(parts)).reduce((sum, weight) => sum + weight).toFixed(2);
}

console.log('Two molecules at once, two of three elements in both:');
console.log(await Promise.all([weigh({ C: 1, O: 2 }), weigh({ C: 6, H: 12, O: 6 })]));

console.log('Known by now:');
console.log(await weigh({ H: 2, O: 1 }));

console.log('One of them does not exist:');
const outcomes = await Promise.allSettled([weigh({ He: 1 }), weigh({ H: 2, Xx: 1 })]);
console.log(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))));

console.log('At most three a request:');
await getElement.clear();
await Promise.all(['H', 'He', 'C', 'O'].map((symbol) => getElement(symbol)));

console.log('One caller leaves before the request:');
await getElement.clear();
const leaving = new AbortController();
const left = getElement('H', { signal: leaving.signal }).catch((reason: unknown) => `left: ${String(reason)}`);
const stayed = getElement('He', { signal: new AbortController().signal });
leaving.abort('no time');
console.log([await left, (await stayed).weight]);

// Output:
// Two molecules at once, two of three elements in both:
//   request for C, O, H
// [ '44.01', '180.16' ]
// Known by now:
// 18.02
// One of them does not exist:
//   request for He, Xx
// [ '4.00', 'RangeError: no element Xx' ]
// At most three a request:
//   request for H, He, C
//   request for O
// One caller leaves before the request:
//   request for He
// [ 'left: no time', 4.0026 ]
