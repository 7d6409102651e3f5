// One service, one option at a time: what each saves during a minute with an outage. The clock is simulated.
import { mock } from 'node:test';
import { memoizeAsync } from 'aiocachetools';
import type { MemoizeOptions } from 'aiocachetools';

const SECOND = 1_000;
/** Ten callers come every 100 ms for a minute. The upstream takes 200 ms, and is down from second 30 to second 45. */
const traffic = { callers: 10, interval: 100, duration: 60 * SECOND } as const;
const upstream = { latency: 200, downFrom: 30 * SECOND, downUntil: 45 * SECOND } as const;

interface Prices {
  readonly madeAt: number;
}

type Fetch = () => Promise<Prices>;

const steps: readonly (readonly [label: string, wrap: (fetch: Fetch) => Fetch])[] = [
  ['bare', (fetch) => fetch],
  ['cache: null', withOptions({ cache: null })],
  ['ttl: 5 s', withOptions({ ttl: 5 * SECOND })],
  ['+ staleWhileRevalidate: 5 s', withOptions({ ttl: 5 * SECOND, staleWhileRevalidate: 5 * SECOND })],
  [
    '+ staleIfError: 60 s',
    withOptions({ ttl: 5 * SECOND, staleWhileRevalidate: 5 * SECOND, staleIfError: 60 * SECOND }),
  ],
  [
    '+ errorTtl: 2 s',
    withOptions({ ttl: 5 * SECOND, staleWhileRevalidate: 5 * SECOND, staleIfError: 60 * SECOND, errorTtl: 2 * SECOND }),
  ],
  [
    'earlyRefresh: 1 in place of SWR',
    withOptions({ ttl: 5 * SECOND, earlyRefresh: 1, staleIfError: 60 * SECOND, errorTtl: 2 * SECOND }),
  ],
];

// Node calls its simulated timers experimental.
process.removeAllListeners('warning');
console.log(row('', 'requests', 'failed', 'waited', 'oldest'));
for (const [label, wrap] of steps) {
  const { requests, failed, waited, oldest } = await simulate(wrap);
  console.log(row(label, count(requests), count(failed), count(waited), `${(oldest / SECOND).toFixed(1)} s`));
}

function withOptions(options: MemoizeOptions<Fetch>): (fetch: Fetch) => Fetch {
  return (fetch) => memoizeAsync(fetch, { name: 'prices', ...options });
}

/** The same minute for each step: `Date.now`, `setTimeout` and `Math.random` are simulated. */
async function simulate(wrap: (fetch: Fetch) => Fetch) {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 0 });
  const clock = mock.method(performance, 'now', () => Date.now());
  const random = mock.method(Math, 'random', seededRandom(1));
  const totals = { requests: 0, failed: 0, waited: 0, oldest: 0 };
  const getPrices = wrap(async () => {
    totals.requests += 1;
    await new Promise((resolve) => setTimeout(resolve, upstream.latency));
    const isDown = Date.now() >= upstream.downFrom && Date.now() < upstream.downUntil;
    if (isDown) throw new Error('503');
    return { madeAt: Date.now() };
  });
  const call = async (): Promise<void> => {
    const calledAt = Date.now();
    try {
      const { madeAt } = await getPrices();
      totals.oldest = Math.max(totals.oldest, Date.now() - madeAt);
    } catch {
      totals.failed += 1;
    }
    if (Date.now() > calledAt) totals.waited += 1;
  };
  const calls: Promise<void>[] = [];
  while (Date.now() < traffic.duration) {
    for (let caller = 0; caller < traffic.callers; caller += 1) calls.push(call());
    await new Promise(setImmediate);
    mock.timers.tick(traffic.interval);
    await new Promise(setImmediate);
  }
  mock.timers.tick(upstream.latency);
  await Promise.all(calls);
  random.mock.restore();
  clock.mock.restore();
  mock.timers.reset();
  return totals;
}

/** A linear congruential generator: the same numbers in each run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

function row(label: string, ...cells: readonly string[]): string {
  return label.padEnd(32) + cells.map((cell) => cell.padStart(9)).join('');
}

function count(value: number): string {
  return value.toLocaleString('en');
}

// Output:
//                                  requests   failed   waited   oldest
// bare                                6,000    1,500    6,000    0.0 s
// cache: null                           300    1,500    6,000    0.0 s
// ttl: 5 s                               77    1,360    1,540    4.9 s
// + staleWhileRevalidate: 5 s            77      860      900    9.9 s
// + staleIfError: 60 s                   77        0      900   18.6 s
// + errorTtl: 2 s                        16        0      120   20.3 s
// earlyRefresh: 1 in place of SWR        19        0      160   20.2 s
