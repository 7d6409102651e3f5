import { contenders, optionNames, peerNames } from './contenders/index.mjs';
import { encoderNames, encoders } from './contenders/encoders.mjs';
import { callWorkloads, housePlayers, keyWorkloads, scalingSeries } from './workloads/index.mjs';

/** The workloads at which options are switched on, one at a time. */
export const optionWorkloads = ['H1', 'M1a'];

/**
 * What a run consists of: groups of jobs that are played interleaved. `isHeavy` marks those whose samples are exact or
 * long, so that few are enough.
 */
export function planRun({ only, contenders: chosen, largestSize }) {
  const isWanted = (section, name) => only === undefined || only.has(section) || only.has(name);
  const takesPart = (name) => chosen === undefined || chosen.has(name);
  const groups = [];

  for (const [workload, { floor, alsoAgainst, unit }] of Object.entries(callWorkloads)) {
    if (!isWanted('calls', workload)) continue;
    const names = [...housePlayers[workload], ...peerNames].filter(
      (name) => name === floor || name === alsoAgainst || takesPart(name),
    );
    groups.push({
      section: 'calls',
      name: workload,
      isHeavy: unit !== undefined,
      jobs: names.filter((name) => lack(name, workload) === undefined).map((contender) => call(workload, contender)),
    });
  }

  for (const workload of Object.keys(keyWorkloads)) {
    if (!isWanted('keys', workload)) continue;
    const names = encoderNames.filter((name) => encoders[name].lacks?.[workload] === undefined);
    groups.push({
      section: 'keys',
      name: workload,
      isHeavy: false,
      jobs: names.filter((name) => name === 'ours' || takesPart(name)).map((contender) => key(workload, contender)),
    });
  }

  for (const workload of optionWorkloads) {
    if (!isWanted('options', undefined)) continue;
    groups.push({
      section: 'options',
      name: workload,
      isHeavy: false,
      jobs: ['floor', 'ours', ...optionNames].map((contender) => call(workload, contender)),
    });
  }

  for (const [series, { parameter, sizes, unit }] of Object.entries(scalingSeries)) {
    if (!isWanted('scaling', undefined)) continue;
    for (const size of sizes.filter((each) => each <= largestSize)) {
      const names = parameter === 'nodes' ? ['ours', 'JSON'] : ['floor', 'floor:qlru-value', 'ours'];
      groups.push({
        section: 'scaling',
        name: series,
        size,
        isHeavy: unit === 'B',
        jobs: names.map((contender) => ({ kind: 'series', workload: series, contender, size, parameter })),
      });
    }
  }
  return groups;
}

/** Why a contender has no part in a workload, if it has none. */
export function lack(contender, workload) {
  return contenders[contender].lacks?.[workload];
}

function call(workload, contender) {
  return { kind: 'call', workload, contender };
}

function key(workload, contender) {
  return { kind: 'key', workload, contender };
}
