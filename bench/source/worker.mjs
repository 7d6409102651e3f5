import { contenders } from './contenders/index.mjs';
import { encoders } from './contenders/encoders.mjs';
import { advance, fakeTime } from './fake-time.mjs';
import { callWorkloads, keyWorkloads, scalingSeries } from './workloads/index.mjs';
import { chooseClock, TooSlow, WrongAnswer } from './workloads/sampling.mjs';

/**
 * One contender at one workload, in a process of its own: its own heap, and code that is optimized for nobody else.
 * Driven by messages; by hand, `node --expose-gc --cpu-prof source/worker.mjs H1 ours [milliseconds]` profiles it.
 */
async function prepareJob(job, { fillLimit, clock, shrinkBy, hasFakeTime }) {
  chooseClock(clock);
  if (hasFakeTime) fakeTime();
  const prepare = workloadOf(job);
  if (job.kind === 'key' || job.parameter === 'nodes') return prepare({ build: await encoders[job.contender].load() });
  const contender = contenders[job.contender];
  const loaded = await contender.load?.();
  return prepare({
    wrap: (fn, options) => contender.wrap(fn, options, loaded),
    fillLimit,
    advance: hasFakeTime ? advance : undefined,
    shrink: (size) => Math.ceil(size / shrinkBy),
  });
}

function workloadOf({ kind, workload, size, parameter }) {
  if (kind === 'call') return callWorkloads[workload].prepare;
  if (kind === 'key') return keyWorkloads[workload].prepare;
  return scalingSeries[workload].prepare({ [parameter]: size });
}

function refusal(error) {
  if (error instanceof WrongAnswer) return { type: 'refused', status: 'wrong', reason: error.message };
  if (error instanceof TooSlow) return { type: 'refused', status: 'too slow', reason: error.message };
  return { type: 'refused', status: 'failed', reason: String(error?.message ?? error).split('\n')[0] };
}

function obeyParent() {
  let prepared;
  process.on('message', async ({ type, job, settings, duration }) => {
    try {
      if (type === 'prepare') {
        prepared = await prepareJob(job, settings);
        process.send({ type: 'ready' });
      } else if (type === 'sample') {
        process.send({ type: 'sampled', value: await prepared.sample(duration) });
      } else {
        process.send({ type: 'finished', details: prepared.details?.() ?? {} });
      }
    } catch (error) {
      process.send(refusal(error));
    }
  });
}

async function runAlone([workload, contender, duration = '2000']) {
  const kind = workload in callWorkloads ? 'call' : 'key';
  const prepared = await prepareJob(
    { kind, workload, contender },
    {
      fillLimit: 30_000,
      clock: 'wall',
      shrinkBy: 1,
      hasFakeTime: false,
    },
  );
  await prepared.sample(200);
  console.log(
    `${workload} ${contender}: ${await prepared.sample(Number(duration))} ${callWorkloads[workload]?.unit ?? 'ns'}`,
  );
  process.exit(0);
}

if (process.send !== undefined) obeyParent();
else await runAlone(process.argv.slice(2));
