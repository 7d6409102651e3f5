import { contenders } from './contenders/index.mjs';
import { encoderNames } from './contenders/encoders.mjs';
import { callWorkloads, keyWorkloads, setups } from './workloads/index.mjs';

export const sections = ['calls', 'keys', 'options', 'scaling', 'footprint'];

export const usage = `npm run bench -- [--full | --check] [--only NAMES] [--contenders NAMES] [--clock NAME] [--out FILE]

  (nothing)      everything once, in short slices: some minutes
  --full         everything twice, in long slices, and how far the two runs disagree
  --check        right values and right numbers of runs, also after a ttl; nothing is timed
  --only         workloads (${Object.keys(callWorkloads).join(' ')} ${Object.keys(keyWorkloads).join(' ')}),
                 set-ups of ours (${Object.keys(setups).join(' ')}), or sections (${sections.join(' ')}), separated by commas
  --contenders   by name, separated by commas; the floor of a workload always takes part:
                 ${[...new Set([...Object.keys(contenders), ...encoderNames])].join(' ')}
  --clock        wall, or cpu: the time of the process itself, for a machine that is busy with other things
  --out          where the results go as JSON; a whole run goes to bench/results/ by itself`;

/** The forms of a run. Times are milliseconds. */
const forms = {
  short: {
    runs: 1,
    rounds: 5,
    slowRounds: 1,
    heavyRounds: 1,
    duration: 10,
    warmUp: 60,
    fillLimit: 1_500,
    largestSize: 1e5,
    imports: 5,
    shrinkBy: 1,
    hasFakeTime: false,
  },
  full: {
    runs: 2,
    rounds: 11,
    slowRounds: 3,
    heavyRounds: 3,
    duration: 40,
    warmUp: 200,
    fillLimit: 20_000,
    largestSize: 1e6,
    imports: 15,
    shrinkBy: 1,
    hasFakeTime: false,
  },
  check: {
    runs: 1,
    rounds: 1,
    slowRounds: 1,
    heavyRounds: 1,
    duration: 1,
    warmUp: 0,
    fillLimit: 20_000,
    largestSize: 1e3,
    imports: 0,
    shrinkBy: 50,
    hasFakeTime: true,
  },
};

export function parseArguments(argv) {
  const parsed = {
    form: 'short',
    only: undefined,
    contenders: undefined,
    out: undefined,
    clock: 'wall',
    isHelp: false,
  };
  const rest = [...argv];
  const namesAfter = (flag) => {
    const names = rest.shift()?.split(',').filter(Boolean) ?? [];
    if (names.length === 0) throw new TypeError(`Expected names after ${flag}, separated by commas`);
    return names;
  };
  while (rest.length > 0) {
    const flag = rest.shift();
    if (flag === '--full') parsed.form = 'full';
    else if (flag === '--check') parsed.form = 'check';
    else if (flag === '--help') parsed.isHelp = true;
    else if (flag === '--only') parsed.only = knownNames(namesAfter(flag), knownWorkloads());
    else if (flag === '--contenders') parsed.contenders = knownNames(namesAfter(flag), knownContenders());
    else if (flag === '--clock') parsed.clock = clockNamed(rest.shift());
    else if (flag === '--out' && rest.length > 0) parsed.out = rest.shift();
    else throw new TypeError(`Unknown argument ${flag}\n\n${usage}`);
  }
  return { ...parsed, ...forms[parsed.form] };
}

function clockNamed(name) {
  if (name !== 'wall' && name !== 'cpu') throw new TypeError(`Expected wall or cpu after --clock, got ${name}`);
  return name;
}

const knownWorkloads = () => [
  ...sections,
  ...Object.keys(setups),
  ...Object.keys(callWorkloads),
  ...Object.keys(keyWorkloads),
];
const knownContenders = () => [...Object.keys(contenders), ...encoderNames];

function knownNames(names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new TypeError(`Unknown: ${unknown.join(', ')}. Known: ${known.join(' ')}`);
  return new Set(names);
}
