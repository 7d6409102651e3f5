// Prometheus: one listener for prom-client, with a gauge that is read when it is scraped.
import { setTimeout as pause } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { createMemoizer } from 'aiocachetools';
import type { MemoizeEvent } from 'aiocachetools';

const registers = [new Registry()];

const events = new Counter({
  name: 'memoize_events_total',
  help: 'What happened, by wrapper.',
  labelNames: ['name', 'type'],
  registers,
});

const runs = new Histogram({
  name: 'memoize_run_seconds',
  help: 'How long runs of the memoized functions took.',
  labelNames: ['name', 'outcome'],
  buckets: [0.001, 1],
  registers,
});

function onEvent(event: MemoizeEvent): void {
  events.inc({ name: event.name, type: event.type });
  if (event.type === 'run') runs.observe({ name: event.name, outcome: event.outcome }, event.duration / 1_000);
}

const memoize = createMemoizer({ onEvent, ttl: 60_000 });

new Gauge({
  name: 'memoize_in_flight',
  help: 'Runs under way.',
  registers,
  collect() {
    this.set(memoize.stats().inFlight);
  },
});

const getUser = memoize(async (id: number) => pause(5, { id }), { name: 'getUser' });

await Promise.all([getUser(7), getUser(7), getUser(7)]);
await getUser(7);
const under = getUser(8);
const scraped = await registers[0]!.metrics();
console.log(scraped.replaceAll(/^#.*\n|.*_sum.*\n|^\n/gmu, ''));
await under;

// Output:
// memoize_events_total{name="getUser",type="miss"} 2
// memoize_events_total{name="getUser",type="join"} 2
// memoize_events_total{name="getUser",type="run"} 1
// memoize_events_total{name="getUser",type="hit"} 1
// memoize_run_seconds_bucket{le="0.001",name="getUser",outcome="fulfilled"} 0
// memoize_run_seconds_bucket{le="1",name="getUser",outcome="fulfilled"} 1
// memoize_run_seconds_bucket{le="+Inf",name="getUser",outcome="fulfilled"} 1
// memoize_run_seconds_count{name="getUser",outcome="fulfilled"} 1
// memoize_in_flight 1
