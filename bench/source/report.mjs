import { contenders, peerNames } from './contenders/index.mjs';
import { encoders } from './contenders/encoders.mjs';
import { callWorkloads, keyWorkloads, scalingSeries, setups } from './workloads/index.mjs';
import { lack } from './plan.mjs';
import { exponentOf, geometricMean, quantile } from './statistics.mjs';
import { disagreementsOf, mergeRuns } from './summary.mjs';

/** Two runs that differ by more than this are marked with `~`. */
const notable = 0.25;

/** Bytes within which two measurements of a heap are the same. */
const noise = 1;

/** Everything a run has found, as Markdown. */
export function report({ about, runs, footprint }) {
  const merged = mergeRuns(runs);
  const apart = runs.length === 2 ? disagreementsOf(runs) : [];
  const parts = [
    `${about.command}, ${about.date}, commit ${about.commit}${about.isLibraryChanged ? ' with changes in lib/' : ''}, ` +
      `Node ${about.node}, ${about.cores} × ${about.cpu}`,
  ];
  if (merged.calls) {
    const [withSetups, others] = splitBySetups(merged.calls);
    parts.push(
      callsTable('Hits with a ttl', withSetups, apart),
      setupGoals(withSetups),
      callsTable('Calls', others, apart),
      goalsTable(others),
      comparison(merged.calls),
    );
  }
  if (merged.keys) parts.push(keysTable(merged.keys), keyGoals(merged.keys));
  if (merged.options) parts.push(optionsTable(merged.options));
  if (merged.scaling) parts.push(scalingTables(merged.scaling));
  if (footprint) parts.push(footprintTable(footprint));
  parts.push(refusals(merged));
  if (apart.length > 0) parts.push(disagreement(apart));
  return parts.filter((part) => part !== '').join('\n\n');
}

/** What a check of answers has found. Peers may be wrong, and are told so; we, the floors and the harness may not. */
export function reportAnswers(played) {
  const isOurs = ({ contender }) => contender === 'ours' || /^(ours|floor|JSON)/.test(contender);
  const lines = [];
  let failures = 0;
  for (const { job, status, reason } of played) {
    if (status === 'timed') continue;
    const isFailure =
      status === 'failed' || (status === 'wrong' && isOurs(job)) || (status === 'too slow' && isOurs(job));
    if (isFailure) failures += 1;
    const size = job.size === undefined ? '' : ` ${job.size}`;
    lines.push(`${isFailure ? 'FAILED' : 'note'}: ${job.workload}${size} ${job.contender}: ${status}: ${reason}`);
  }
  lines.push(`${played.length - failures} passed, ${failures} failed`);
  return { text: lines.join('\n'), isGood: failures === 0 };
}

/** Workloads where all set-ups of ours play, and the rest. */
function splitBySetups(calls) {
  const part = (hasSetups) =>
    Object.fromEntries(
      Object.entries(calls).filter(([workload]) => (callWorkloads[workload].hasSetups === true) === hasSetups),
    );
  return [part(true), part(false)];
}

function callsTable(title, calls, apart) {
  const workloads = Object.keys(calls);
  if (workloads.length === 0) return '';
  const present = [...new Set(workloads.flatMap((name) => Object.keys(calls[name])))];
  const names = Object.keys(contenders).filter((name) => present.includes(name));
  const isUncertain = (workload, contender) =>
    apart.some((one) => one.name === workload && one.contender === contender && one.share > notable);
  const labelOf = (name) => {
    const hasSetups = workloads.every((workload) => callWorkloads[workload].hasSetups);
    const setup = hasSetups && Object.keys(setups).find((each) => setups[each].contender === name);
    return setup ? `${setup} ${name}` : name;
  };
  const rows = names.map((name) => [
    labelOf(name),
    ...workloads.map((workload) => callCell(workload, name, calls) + (isUncertain(workload, name) ? '~' : '')),
  ]);
  const floors = workloads.map((workload) => {
    const { floor, unit } = callWorkloads[workload];
    const player = floor === undefined ? undefined : calls[workload][floor];
    return unit ?? (player?.value ? `${digits(player.value.median)} ns` : '');
  });
  return `## ${title}: × the floor, whose time is in the first row\n\n${table(['', ...workloads], [['(floor)', ...floors], ...rows])}`;
}

function callCell(workload, name, calls) {
  const player = calls[workload][name];
  if (player === undefined) return contenders[name].lacks?.[workload] === undefined ? '' : '–';
  if (player.status !== 'timed') return player.status;
  return digits(callWorkloads[workload].unit === undefined ? player.ratio?.median : player.value.median);
}

/** The set-ups of ours, a goal a row: it is met where it is met at every workload. */
function setupGoals(calls) {
  const workloads = Object.keys(calls);
  if (workloads.length === 0) return '';
  const rows = [];
  const judge = (name, what, goal, found) => {
    const values = workloads.map(found);
    if (values.every((value) => value === undefined)) return;
    const missed = workloads.filter((_, at) => !(values[at] <= goal));
    const verdict = missed.length === 0 ? 'yes' : `no: ${missed.join(', ')}`;
    rows.push([name, what, ...values.map(digits), digits(goal), verdict]);
  };
  for (const [name, { contender, title, goal, within, added }] of Object.entries(setups)) {
    const ratio = (workload, of = contender) => calls[workload][of]?.ratio?.median;
    if (goal !== undefined) judge(name, `${title}, × the floor`, goal, (workload) => ratio(workload));
    if (within !== undefined) {
      judge(name, `× ${within.contender}`, within.goal, (workload) => calls[workload][contender]?.alsoRatio?.median);
    }
    if (added !== undefined) {
      const { contender: other } = setups[added.setup];
      judge(name, `${title}, over ${added.setup}`, added.goal, (workload) => {
        const [own, base] = [ratio(workload), ratio(workload, other)];
        return own === undefined || base === undefined ? undefined : own - base;
      });
    }
  }
  const head = ['', 'set-up', ...workloads, 'goal', 'met'];
  const titles = workloads.map((workload) => `- ${workload}: ${callWorkloads[workload].title}`);
  return rows.length === 0 ? '' : `## Goals with a ttl\n\n${titles.join('\n')}\n\n${table(head, rows)}`;
}

function goalsTable(calls) {
  const rows = [];
  for (const [workload, players] of Object.entries(calls)) {
    const { title, goal, unit, alsoAgainst } = callWorkloads[workload];
    const { ours } = players;
    if (ours === undefined) continue;
    if (ours.status !== 'timed') {
      rows.push([workload, title, ours.status, String(goal), 'no', '', ours.reason]);
      continue;
    }
    const measured = unit === undefined ? ours.ratio : ours.value;
    if (measured === undefined) continue;
    const remarks = [];
    if (ours.details?.hitRatio !== undefined) remarks.push(`hit ratio ${(ours.details.hitRatio * 100).toFixed(1)} %`);
    if (ours.alsoRatio !== undefined) remarks.push(`${digits(ours.alsoRatio.median)} × ${alsoAgainst}`);
    rows.push([
      workload,
      title,
      `${digits(measured.median)} (${digits(measured.lower)}–${digits(measured.upper)})`,
      digits(goal),
      measured.median <= goal + (unit === 'B' ? noise : 0) ? 'yes' : 'no',
      bestPeer(workload, players),
      remarks.join(', '),
    ]);
  }
  if (rows.length === 0) return '';
  return `## Goals\n\n${table(['', 'workload', 'ours (quartiles)', 'goal', 'met', 'best peer', ''], rows)}`;
}

function valueOf(workload, player) {
  if (player?.status !== 'timed') return undefined;
  return callWorkloads[workload].unit === undefined ? player.ratio?.median : player.value.median;
}

function bestPeer(workload, players) {
  const timed = peerNames.filter((name) => valueOf(workload, players[name]) !== undefined);
  if (timed.length === 0) return '';
  const best = timed.reduce((one, other) =>
    valueOf(workload, players[other]) < valueOf(workload, players[one]) ? other : one,
  );
  return `${best} ${digits(valueOf(workload, players[best]))}`;
}

function comparison(calls) {
  const lines = [];
  for (const [workload, players] of Object.entries(calls)) {
    const own = valueOf(workload, players.ours);
    if (own === undefined) continue;
    const { unit } = callWorkloads[workload];
    const faster = peerNames
      .filter((name) => valueOf(workload, players[name]) < own - (unit === 'B' ? noise : 0))
      .map((name) => `${name} (${digits(valueOf(workload, players[name]))})`);
    if (faster.length > 0) lines.push(`- ${workload}, ours ${digits(own)}: ${faster.join(', ')}`);
  }
  if (Object.values(calls).every((players) => !peerNames.some((name) => name in players))) return '';
  return `## Peers that are ahead of us\n\n${lines.length === 0 ? 'None.' : lines.join('\n')}`;
}

function keysTable(keys) {
  const workloads = Object.keys(keys);
  const names = Object.keys(encoders).filter((name) => workloads.some((workload) => name in keys[workload]));
  const rows = names.map((name) => [
    name,
    ...workloads.map((workload) => {
      const player = keys[workload][name];
      if (player === undefined) return encoders[name].lacks?.[workload] === undefined ? '' : '–';
      return player.status === 'timed' ? digits(player.ratio?.median) : player.status;
    }),
    remarkOn(workloads.map((workload) => keys[workload][name]).filter((player) => player?.details !== undefined)),
  ]);
  const own = workloads.map((workload) => {
    const { ours } = keys[workload];
    return ours.status === 'timed' ? `${digits(ours.value.median)} ns` : ours.status;
  });
  return `## Keys: building one and one \`Map.get\`, × ours, whose time is in the first row\n\n${table(['', ...workloads, ''], [['(ours)', ...own, ''], ...rows])}`;
}

function remarkOn(players) {
  if (players.length === 0) return '';
  const isCanonical = players.every(({ details }) => details.isCanonical);
  return `${isCanonical ? '' : 'depends on the order of properties, '}confuses ${players[0].details.confuses} lookalikes`;
}

function keyGoals(keys) {
  const ratio = (name, workload) => keys[workload]?.[name]?.ratio?.median;
  const rows = [];
  const judge = (text, name, wanted, least) => {
    const known = wanted.filter((workload) => ratio(name, workload) !== undefined);
    if (known.length === 0) return;
    const lowest = known.reduce((one, other) => (ratio(name, other) < ratio(name, one) ? other : one));
    const found = ratio(name, lowest);
    rows.push([text, `${digits(found)} on ${lowest}`, String(least), found >= least ? 'yes' : 'no']);
  };
  const firstSeven = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'W7'];
  judge('object-hash / ours, W1–W8', 'object-hash', [...firstSeven, 'W8'], 25);
  judge('object-hash / ours, W9, W10', 'object-hash', ['W9', 'W10'], 5);
  judge('safe-stable-stringify / ours, W1–W7', 'safe-stable-stringify', firstSeven, 1.5);
  judge('safe-stable-stringify / ours, W8', 'safe-stable-stringify', ['W8'], 20);
  judge('safe-stable-stringify / ours, W9, W10', 'safe-stable-stringify', ['W9', 'W10'], 1);
  judge('object-identity / ours', 'object-identity', Object.keys(keyWorkloads), 1);
  const json = firstSeven.map((workload) => ratio('JSON', workload));
  if (json.every((value) => value !== undefined)) {
    const mean = 1 / geometricMean(json);
    rows.push(['ours / JSON.stringify, geometric mean of W1–W7', digits(mean), '<= 0.65', mean <= 0.65 ? 'yes' : 'no']);
  }
  return rows.length === 0 ? '' : table(['lowest ratio', 'found', 'goal', 'met'], rows);
}

function optionsTable(options) {
  const workloads = Object.keys(options);
  const names = Object.keys(contenders).filter((name) => name === 'ours' || name.startsWith('ours:'));
  const rows = names
    .filter((name) => workloads.some((workload) => name in options[workload]))
    .map((name) => [
      name === 'ours' ? 'none' : contenders[name].title,
      ...workloads.flatMap((workload) => {
        const player = options[workload][name];
        if (player?.status !== 'timed') return [player?.status ?? '', ''];
        const added = player.value.median - options[workload].ours.value.median;
        return [digits(player.ratio.median), `${added < 0 ? '' : '+'}${Math.round(added)} ns`];
      }),
    ]);
  const head = ['option', ...workloads.flatMap((workload) => [`${workload} × ours`, 'added'])];
  return `## Options, one at a time\n\n${table(head, rows)}`;
}

function scalingTables(scaling) {
  const parts = [];
  for (const [series, { sizes, unit, work }] of Object.entries(scalingSeries)) {
    const measured = sizes.filter((size) => `${series}: ${size}` in scaling);
    if (measured.length === 0) continue;
    const at = (size) => scaling[`${series}: ${size}`];
    const rows = Object.keys(at(measured[0])).map((name) => {
      const timed = measured.filter((size) => at(size)[name]?.status === 'timed');
      const points = timed.map((size) => [size, at(size)[name].value.median * work(size)]);
      return [
        name,
        ...measured.map((size) => {
          const player = at(size)[name];
          return player.status === 'timed' ? `${digits(player.value.median)} ${unit}` : player.status;
        }),
        points.length > 1 ? exponentOf(points).toFixed(2) : '',
      ];
    });
    parts.push(`### Scaling: ${series}\n\n${table(['', ...measured.map(String), 'exponent of the whole'], rows)}`);
  }
  return parts.join('\n\n');
}

function footprintTable({ packages, core, limit }) {
  const rows = packages.map(({ name, importTime, installed, count, minified, gzip }) => [
    name,
    importTime === undefined ? '' : digits(importTime),
    installed === undefined ? '' : `${Math.round(installed / 1_000).toLocaleString('en')} (${count})`,
    (minified / 1_000).toFixed(1),
    (gzip / 1_000).toFixed(1),
  ]);
  const head = ['', 'import ms', 'installed kB (packages)', 'bundle kB', 'gzip kB'];
  const own = core.map(
    ({ name, minified, gzip }) =>
      `- ${name}: ${(minified / 1_000).toFixed(1)} kB, gzip ${(gzip / 1_000).toFixed(2)} kB`,
  );
  const isMet = core[0].gzip <= limit;
  own.push(`- goal for all public names: at most ${limit / 1_000} kB gzip: ${isMet ? 'met' : 'not met'}`);
  return `## Footprint\n\n${table(head, rows)}\n\nOwn code, without quick-lru, object-hash and debug:\n${own.join('\n')}`;
}

function refusals(merged) {
  const lines = [];
  for (const groups of Object.values(merged)) {
    for (const [name, players] of Object.entries(groups)) {
      for (const [contender, { status, reason }] of Object.entries(players)) {
        if (status !== 'timed') lines.push(`- ${name} ${contender}: ${status}: ${reason}`);
      }
    }
  }
  for (const workload of Object.keys(merged.calls ?? {})) {
    for (const name of peerNames.filter((peer) => Object.values(merged.calls).some((players) => peer in players))) {
      const reason = lack(name, workload);
      if (reason !== undefined) lines.push(`- ${workload} ${name}: ${reason}`);
    }
  }
  return lines.length === 0 ? '' : `## Not timed\n\n${lines.join('\n')}`;
}

function disagreement(apart) {
  const shares = apart.map(({ share }) => share);
  const percent = (share) => `${(share * 100).toFixed(0)} %`;
  const worst = apart
    .slice(-5)
    .reverse()
    .map(({ name, contender, share }) => `${name} ${contender} ${percent(share)}`);
  const many = shares.filter((share) => share > notable).length;
  return (
    `## The two runs\n\n${shares.length} ratios were measured twice. They disagree by ${percent(quantile(shares, 0.5))} in the ` +
    `median and by at most ${percent(quantile(shares, 0.9))} for nine in ten; ${many} by more than ${percent(notable)} (\`~\`). ` +
    `Furthest apart: ${worst.join(', ')}.`
  );
}

function table(head, rows) {
  const all = [head, ...rows.map((row) => row.map((cell) => cell ?? ''))];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => String(row[column]).length)));
  const isText = (column) => column === 0 || ['', 'workload', 'set-up', 'met'].includes(head[column]);
  const line = (row) => {
    const cells = row.map((cell, column) =>
      isText(column) ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]),
    );
    return `| ${cells.join(' | ')} |`;
  };
  const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(all[0]), `| ${rule.join(' | ')} |`, ...all.slice(1).map(line)].join('\n');
}

/** Three digits that count. */
function digits(value) {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) return 'no turn';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
