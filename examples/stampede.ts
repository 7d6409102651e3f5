// Shows a stampede: 1,000 callers at once, 8 keys, one upstream API. Bare, then memoized, then warm.
//
// npm start                          what one run for all callers saves
// npm start -- --forget-to-ignore    what happens when the request id becomes part of the key (exits 1)
// npm start -- --callers 200         fewer callers; --verbose prints what the logger is told
import { parseArgs } from 'node:util';
import { memoizeAsync } from 'aiocachetools';
import { bar, chart, Progress } from './support/chart.js';
import { Upstream } from './support/upstream.js';
import type { Element } from './support/upstream.js';

interface Logger {
  info(message: string): void;
}

type GetElement = (symbol: string, signal: AbortSignal, logger: Logger, requestId: string) => Promise<Element>;

interface Phase {
  readonly label: string;
  readonly requests: number;
  readonly seconds: number;
}

const { values: flags } = parseArgs({
  options: {
    callers: { type: 'string', default: '1000' },
    'forget-to-ignore': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const symbols = ['H', 'He', 'C', 'N', 'O', 'Fe', 'Ag', 'Au'];
const callers = Number(flags.callers);
if (!Number.isInteger(callers) || callers < symbols.length) {
  throw new RangeError(`Expected --callers to be a whole number >= ${symbols.length}, got ${flags.callers}`);
}
const logger: Logger = { info: (message) => (flags.verbose ? console.error(message) : undefined) };

// A database behind it answers 50 queries at a time, in 80 ms each.
const upstream = await Upstream.start({ delay: 80, capacity: 50 });

const fetchElement: GetElement = async (symbol, signal, log, requestId) => {
  log.info(`${requestId} asks for ${symbol}`);
  const response = await fetch(`${upstream.url}/elements/${symbol}`, {
    signal,
    headers: { 'x-request-id': requestId },
  });
  if (!response.ok) throw new Error(`${symbol}: HTTP ${response.status}`);
  return (await response.json()) as Element;
};

// The signal is no part of the key by itself, and each caller keeps its own. The logger and the request id are listed.
const getElement = memoizeAsync(fetchElement, {
  name: 'getElement',
  ttl: 60_000,
  ignore: flags['forget-to-ignore'] ? [2] : [2, 3],
});

try {
  console.log(`${count(callers)} callers at once, ${symbols.length} keys, one upstream API on ${upstream.url}\n`);
  const bare = await stampede('bare', fetchElement);
  const memoized = await stampede('memoized', getElement);
  const warm = await stampede('warm', getElement);
  report([bare, memoized, warm]);
  judge(memoized, warm);
  suggest();
} finally {
  await upstream.stop();
}

async function stampede(label: string, get: GetElement): Promise<Phase> {
  const requestsBefore = upstream.requests;
  const startedAt = performance.now();
  let answered = 0;
  const requests = (): number => upstream.requests - requestsBefore;
  const progress = new Progress(process.stdout, () => {
    const share = bar(answered / callers, 30).padEnd(30);
    return `${label.padEnd(8)}  ${share}  ${count(answered)} answered, ${count(requests())} upstream requests`;
  });
  const call = async (_: unknown, caller: number): Promise<void> => {
    const symbol = symbols[caller % symbols.length]!;
    const element = await get(symbol, AbortSignal.timeout(60_000), logger, `${label}-${caller}`);
    if (element.symbol !== symbol) throw new Error(`Asked for ${symbol}, got ${element.symbol}`);
    answered += 1;
  };
  try {
    await Promise.all(Array.from({ length: callers }, call));
  } finally {
    progress.stop(`${label.padEnd(8)}  ${count(answered)} answered, ${count(requests())} upstream requests`);
  }
  return { label, requests: requests(), seconds: (performance.now() - startedAt) / 1000 };
}

function report(phases: readonly Phase[]): void {
  const draw = (title: string, read: (phase: Phase) => number, show: (value: number) => string): void => {
    const rows = phases.map((phase) => ({ label: phase.label, value: read(phase), text: show(read(phase)) }));
    console.log(`\n${chart(title, rows)}`);
  };
  draw('Upstream requests', (phase) => phase.requests, count);
  draw(
    'Wall time',
    (phase) => phase.seconds,
    (seconds) => `${count(Math.ceil(seconds * 1000))} ms`,
  );
  draw(
    'Calls a second',
    (phase) => callers / phase.seconds,
    (rate) => count(Math.round(rate)),
  );
}

function judge(memoized: Phase, warm: Phase): void {
  const isOnePerKey = memoized.requests === symbols.length;
  const verdict = isOnePerKey ? 'one for each key' : `where ${symbols.length} keys need ${symbols.length}`;
  console.log(`\nMemoized: ${count(memoized.requests)} requests, ${verdict}. Warm: ${count(warm.requests)}.`);
  if (!isOnePerKey || warm.requests > 0) process.exitCode = 1;
}

function suggest(): void {
  console.log(`
Try next:
  npm start -- --forget-to-ignore            what happens when a request id becomes part of the key
  npm run playground                         the same live in a browser, with stale values and outages
  npm run example:redis                      four processes, one run (needs redis-server)
  docs/step-by-step.md                       what each option saves`);
}

function count(value: number): string {
  return value.toLocaleString('en');
}

// Output:
// 1,000 callers at once, 8 keys, one upstream API on http://127.0.0.1:…
//
// bare      1,000 answered, 1,000 upstream requests
// memoized  1,000 answered, 8 upstream requests
// warm      1,000 answered, 0 upstream requests
//
// Upstream requests
//   bare      ████████████████████████████████████████  1,000
//   memoized  ▍                                             8
//   warm                                                    0
//
// Wall time
//   bare      … ms
//   memoized  … ms
//   warm      … ms
//
// Calls a second
//   bare      …
//   memoized  …
//   warm      …
//
// Memoized: 8 requests, one for each key. Warm: 0.
//
// Try next:
//   npm start -- --forget-to-ignore            what happens when a request id becomes part of the key
//   npm run playground                         the same live in a browser, with stale values and outages
//   npm run example:redis                      four processes, one run (needs redis-server)
//   docs/step-by-step.md                       what each option saves
