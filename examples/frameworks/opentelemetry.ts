// OpenTelemetry: one listener turns events into a counter of calls, a histogram of runs, and a span for each run.
import { setTimeout as pause } from 'node:timers/promises';
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createMemoizer } from 'aiocachetools';
import type { MemoizeEvent } from 'aiocachetools';

// ---- what an application has set up anyway ----

const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter });
const spanExporter = new InMemorySpanExporter();
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] }));

// ---- the listener ----

const meter = metrics.getMeter('aiocachetools');
const tracer = trace.getTracer('aiocachetools');
const calls = meter.createCounter('memoize.calls');
const runs = meter.createHistogram('memoize.run.duration', { unit: 'ms' });

// The key is no attribute: there may be millions of them, and they tell what users asked for.
function onEvent(event: MemoizeEvent): void {
  switch (event.type) {
    case 'hit':
    case 'stale':
    case 'join':
    case 'miss':
      return calls.add(1, { name: event.name, received: event.type });
    case 'run': {
      const { name, outcome, duration } = event;
      runs.record(duration, { name, outcome });
      const span = tracer.startSpan(`run ${name}`, { startTime: Date.now() - duration, attributes: { outcome } });
      if (outcome !== 'fulfilled') span.setStatus({ code: SpanStatusCode.ERROR });
      return span.end();
    }
  }
}

const memoize = createMemoizer({ name: 'users', onEvent, ttl: 60_000 });

const getUser = memoize(
  async (id: number) => {
    await pause(5);
    if (id < 0) throw new Error(`no user ${id}`);
    return { id };
  },
  { name: 'getUser' },
);

await Promise.allSettled([getUser(7), getUser(7), getUser(7), getUser(-1)]);
await getUser(7);

await reader.forceFlush();
for (const metric of metricExporter
  .getMetrics()
  .flatMap((exported) => exported.scopeMetrics)
  .flatMap((scope) => scope.metrics)) {
  for (const { attributes, value } of metric.dataPoints) {
    const count = typeof value === 'object' && 'count' in value ? `${value.count} measured` : value;
    console.log(metric.descriptor.name, attributes, count);
  }
}
console.log(spanExporter.getFinishedSpans().map((span) => [span.name, span.attributes['outcome'], span.status.code]));
await reader.shutdown();

// Output:
// memoize.calls { name: 'users.getUser', received: 'miss' } 2
// memoize.calls { name: 'users.getUser', received: 'join' } 2
// memoize.calls { name: 'users.getUser', received: 'hit' } 1
// memoize.run.duration { name: 'users.getUser', outcome: 'fulfilled' } 1 measured
// memoize.run.duration { name: 'users.getUser', outcome: 'rejected' } 1 measured
// [
//   [ 'run users.getUser', 'fulfilled', 0 ],
//   [ 'run users.getUser', 'rejected', 2 ]
// ]
