import { callWorkloads } from './workloads/index.mjs';
import { geometricMean, median, ratiosOf, summarize } from './statistics.mjs';

/** What a group of jobs came to: per contender the value, and its ratio to the floor of the same rounds. */
export function summarizeGroup(group, played) {
  const floor = floorOf(group);
  const floorValues = played.find(({ job }) => job.contender === floor)?.values ?? [];
  const { alsoAgainst } = (group.section === 'calls' && callWorkloads[group.name]) || {};
  const otherValues = played.find(({ job }) => job.contender === alsoAgainst)?.values ?? [];
  return Object.fromEntries(
    played.map(({ job, status, reason, values, details }) => {
      if (status !== 'timed') return [job.contender, { status, reason }];
      const ratios = floorValues.length > 0 ? summarize(ratiosOf(values, floorValues)) : undefined;
      const others = otherValues.length > 0 ? summarize(ratiosOf(values, otherValues)) : undefined;
      const kept = Object.keys(details).length > 0 ? details : undefined;
      return [job.contender, { status, value: summarize(values), ratio: ratios, alsoRatio: others, details: kept }];
    }),
  );
}

/** Ratios are to the floor; those of keys and of options are to ours. */
function floorOf({ section, name }) {
  if (section === 'calls') return callWorkloads[name].floor;
  if (section === 'scaling') return undefined;
  return 'ours';
}

/** Several runs as one: the geometric mean of their medians. A contender that was refused in one is refused. */
export function mergeRuns(runs) {
  const merged = {};
  for (const [section, groups] of Object.entries(runs[0] ?? {})) {
    merged[section] = {};
    for (const [name, players] of Object.entries(groups)) {
      merged[section][name] = {};
      for (const contender of Object.keys(players)) {
        const each = runs.map((run) => run[section][name][contender]);
        const refused = each.find(({ status }) => status !== 'timed');
        merged[section][name][contender] = refused ?? mergeOne(each);
      }
    }
  }
  return merged;
}

function mergeOne(each) {
  const mean = (part) => {
    if (each[0][part] === undefined) return undefined;
    const by = (name) => meanOf(each.map((one) => one[part][name]));
    return { median: by('median'), lower: by('lower'), upper: by('upper') };
  };
  return { ...each[0], value: mean('value'), ratio: mean('ratio'), alsoRatio: mean('alsoRatio') };
}

function meanOf(values) {
  return values.every((value) => value > 0 && value < Infinity) ? geometricMean(values) : median(values);
}

/** How far two runs are apart, as shares of the smaller ratio: the sorted list of all that were timed in both. */
export function disagreementsOf([first, second]) {
  const apart = [];
  for (const section of ['calls', 'keys', 'options']) {
    for (const [name, players] of Object.entries(first[section] ?? {})) {
      for (const [contender, one] of Object.entries(players)) {
        const ratios = [one, second[section][name][contender]].map((player) => player.ratio?.median);
        if (ratios.some((ratio) => !(ratio > 0 && ratio < Infinity))) continue;
        apart.push({ section, name, contender, share: Math.max(...ratios) / Math.min(...ratios) - 1 });
      }
    }
  }
  return apart.sort((one, other) => one.share - other.share);
}
