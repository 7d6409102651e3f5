import { contenders, optionNames, peerNames } from './contenders/index.mjs';
import { encoderNames, encoders } from './contenders/encoders.mjs';
import { callWorkloads, housePlayers, keyWorkloads, scalingSeries, setups } from './workloads/index.mjs';

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

  const { workloads: ofSetups, leftOut } = planSetups(only);
  for (const [workload, { floor, alsoAgainst, unit, hasSetups }] of Object.entries(callWorkloads)) {
    if (!isWanted('calls', workload) && !ofSetups.has(workload)) continue;
    const names = [...housePlayers[workload], ...peerNames].filter((name) => {
      if (name === floor || name === alsoAgainst) return true;
      return takesPart(name) && !(hasSetups && leftOut.has(name));
    });
    groups.push({
      section: 'calls',
      name: workload,
      // Time of a wrapper is measured in slices as that of calls is; bytes and turns are not.
      isHeavy: unit === 'B' || unit === 'turns',
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

/**
 * A set-up that is named plays at those workloads for set-ups that are named too, else at all of them. `leftOut`: the
 * contenders of the others.
 */
function planSetups(only) {
  const named = Object.keys(setups).filter((name) => only?.has(name));
  if (named.length === 0) return { workloads: new Set(), leftOut: new Set() };
  const all = Object.keys(callWorkloads).filter((name) => callWorkloads[name].hasSetups);
  const chosen = all.filter((name) => only.has(name));
  // One that is judged by another cannot do without it.
  const playing = new Set(named.flatMap((name) => [name, setups[name].added?.setup ?? name]));
  const others = Object.keys(setups).filter((name) => !playing.has(name));
  return {
    workloads: new Set(chosen.length > 0 ? chosen : all),
    leftOut: new Set(others.map((name) => setups[name].contender)),
  };
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
