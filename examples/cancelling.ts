// Cancelling: a caller who leaves takes nothing from the others; the last one who leaves ends the request.
import { memoizeAsync } from 'aiocachetools';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

const upstream = await Upstream.start({ delay: 50 });

const getElement = memoizeAsync(
  async (symbol: string, { signal }: { signal?: AbortSignal } = {}): Promise<Element> => {
    // This signal is the run's own: it aborts when the last caller has left.
    signal?.addEventListener('abort', () => console.log(`  the request for ${symbol} is given up`));
    const response = await fetch(`${upstream.url}/elements/${symbol}`, { ...(signal && { signal }) });
    return (await response.json()) as Element;
  },
  { name: 'getElement', ttl: 60_000 },
);

const impatient = new AbortController();
const patient = new AbortController();
const answers = Promise.allSettled([
  getElement('Pt', { signal: impatient.signal }),
  getElement('Pt', { signal: patient.signal }),
]);
impatient.abort(new Error('no time'));
for (const answer of await answers)
  console.log(answer.status === 'fulfilled' ? answer.value.name : String(answer.reason));
console.log(`requests: ${upstream.requests}`);

const [first, second] = [new AbortController(), new AbortController()];
const both = Promise.allSettled([
  getElement('Pd', { signal: first.signal }),
  getElement('Pd', { signal: second.signal }),
]);
first.abort(new Error('the first has left'));
second.abort(new Error('so has the second'));
for (const answer of await both) console.log(answer.status === 'rejected' ? String(answer.reason) : answer.value.name);

console.log(`asked again: ${(await getElement('Pd')).name}`);
const { aborts, runs } = getElement.stats();
console.log({ aborts, runs });
await upstream.stop();

// Output:
// Error: no time
// Platinum
// requests: 1
//   the request for Pd is given up
// Error: the first has left
// Error: so has the second
// asked again: Palladium
// { aborts: 3, runs: 3 }
