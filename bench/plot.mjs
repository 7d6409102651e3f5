import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { callWorkloads, setups } from './source/workloads/index.mjs';
import { contenders, peerNames } from './source/contenders/index.mjs';
import { mergeRuns } from './source/summary.mjs';
import { benchFolder, resultsFolder } from './source/paths.mjs';

/**
 * Draws the latest results: for each workload a bar per contender, the ratio to the floor on a logarithmic axis.
 *
 *   node bench/plot.mjs [results.json [picture.svg]]
 */
const [given, picture] = process.argv.slice(2);
const file = given ?? [`${resultsFolder}latest.json`, `${resultsFolder}short.json`].find((each) => existsSync(each));
if (file === undefined) {
  console.error('No results yet: npm run bench');
  process.exit(1);
}
const { about, runs } = JSON.parse(readFileSync(file, 'utf8'));
const { calls } = mergeRuns(runs);
const target = picture ?? `${benchFolder}ratios.svg`;
writeFileSync(target, draw());
console.log(target);

function draw() {
  const panels = Object.entries(callWorkloads)
    .filter(([name, { unit }]) => unit === undefined && calls?.[name] !== undefined)
    .map(([name, workload]) => panelOf(name, workload));
  if (panels.length === 0) throw new Error(`${file} holds no ratios`);
  const least = Math.min(0.5, ...panels.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const most = Math.max(...panels.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const axis = { from: Math.floor(Math.log10(least) * 2) / 2, to: Math.ceil(Math.log10(most) * 2) / 2 };

  const columns = 3;
  const size = { width: 330, label: 118, plot: 160, row: 13, head: 34, foot: 26, gap: 14, top: 76 };
  const rowsOfPanels = [];
  for (let at = 0; at < panels.length; at += columns) rowsOfPanels.push(panels.slice(at, at + columns));
  let y = size.top;
  const body = [];
  for (const row of rowsOfPanels) {
    body.push(
      ...row.map((panel, column) => drawPanel(panel, size.gap + column * (size.width + size.gap), y, size, axis)),
    );
    y += Math.max(...row.map(({ bars }) => bars.length)) * size.row + size.head + size.foot;
  }
  const width = columns * (size.width + size.gap) + size.gap;
  const title = 'Time of a call, as a multiple of a hand-written Map of promises';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 8}" width="${width}" height="${y + 8}" role="img" aria-label="${title}">
<style>
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --ours: #0969da; --peer: #9aa4ae; --house: #c4ccd4; --goal: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d; --ours: #4493f8; --peer: #656c76; --house: #3d444d; --goal: #f0883e; }
  }
  text { font: 11px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
  .paper { fill: var(--paper); } .title { font-size: 15px; font-weight: 600; } .name { font-weight: 600; }
  .faint { fill: var(--faint); font-size: 10px; } .own { fill: var(--ours); font-weight: 600; }
  .ours { fill: var(--ours); } .peer { fill: var(--peer); } .house { fill: var(--house); }
  .grid { stroke: var(--line); } .floor { stroke: var(--ink); } .goal { stroke: var(--goal); stroke-width: 2; }
</style>
<rect class="paper" width="100%" height="100%"/>
<text class="title" x="${size.gap}" y="24">${title}</text>
<text class="faint" x="${size.gap}" y="42">Logarithmic, less is better. 1 is the floor, the orange mark the goal; pale bars are other ways to write it by hand. ${text(about.command)}, Node ${text(about.node)}, ${text(about.date)}, commit ${text(about.commit)}.</text>
<text class="faint" x="${size.gap}" y="56">Ua to Uf and A1: with a ttl, and a floor that looks at the clock. Blue is aiocachetools: ${text(listOfSetups())}.</text>
${body.join('\n')}
</svg>
`;
}

function listOfSetups() {
  return Object.entries(setups)
    .map(([name, { title }]) => `${name} ${title}`)
    .join(', ');
}

function panelOf(name, { title, floor, goal, hasSetups }) {
  const bars = Object.entries(calls[name])
    .filter(([, { ratio }]) => ratio !== undefined)
    .map(([contender, { ratio }]) => barOf(contender, ratio.median, { floor, goal, hasSetups }))
    .filter((bar) => bar !== undefined)
    .sort((one, other) => one.ratio - other.ratio);
  const missing = peerNames.filter((contender) => calls[name][contender]?.ratio === undefined);
  return { name, title, bars, missing };
}

/** `undefined` for what the picture leaves out. */
function barOf(contender, ratio, { floor, goal, hasSetups }) {
  if (contender === floor || contender === 'floor:none') return undefined;
  if (contender.startsWith('floor')) return { kind: 'house', label: contenders[contender].title, ratio };
  if (peerNames.includes(contender)) return { kind: 'peer', label: contender, ratio };
  if (!hasSetups) return contender === 'ours' ? { kind: 'ours', label: 'aiocachetools', ratio, goal } : undefined;
  const [name, setup] = Object.entries(setups).find(([, each]) => each.contender === contender);
  return { kind: 'ours', label: `${name} ${setup.title}`, ratio, goal: setup.goal };
}

function drawPanel({ name, title, bars, missing }, x, y, size, axis) {
  const left = x + size.label;
  const at = (ratio) => left + ((Math.log10(ratio) - axis.from) / (axis.to - axis.from)) * size.plot;
  const top = y + size.head - 8;
  const bottom = top + bars.length * size.row;
  const parts = [
    `<text class="name" x="${x}" y="${y + 12}">${text(name)} <tspan class="faint">${text(title)}</tspan></text>`,
  ];
  for (let decade = Math.ceil(axis.from); decade <= axis.to; decade += 1) {
    const tick = at(10 ** decade).toFixed(1);
    parts.push(
      `<line class="${decade === 0 ? 'floor' : 'grid'}" x1="${tick}" x2="${tick}" y1="${top}" y2="${bottom}"/>`,
      `<text class="faint" text-anchor="middle" x="${tick}" y="${bottom + 11}">${(10 ** decade).toLocaleString('en')}</text>`,
    );
  }
  bars.forEach(({ kind, label, ratio, goal }, row) => {
    const middle = top + row * size.row + size.row / 2;
    const [from, to] = [at(1), at(ratio)].sort((one, other) => one - other);
    parts.push(
      `<text${kind === 'ours' ? ' class="own"' : ''} text-anchor="end" x="${left - 4}" y="${middle + 4}">${text(label)}</text>`,
      `<rect class="${kind}" x="${from.toFixed(1)}" y="${(middle - 4.5).toFixed(1)}" width="${Math.max(1, to - from).toFixed(1)}" height="9"><title>${text(label)}: ${inWords(ratio)} × the floor</title></rect>`,
      `<text class="${kind === 'ours' ? 'own' : 'faint'}" x="${(Math.max(to, at(1)) + 4).toFixed(1)}" y="${middle + 4}">${inWords(ratio)}</text>`,
    );
    if (goal !== undefined) {
      const mark = at(goal).toFixed(1);
      parts.push(`<line class="goal" x1="${mark}" x2="${mark}" y1="${middle - 6.5}" y2="${middle + 6.5}"/>`);
    }
  });
  if (missing.length > 0) {
    parts.push(
      `<text class="faint" x="${x}" y="${bottom + 22}"><title>${text(missing.join(', '))}</title>${text(shortList(missing))}</text>`,
    );
  }
  return `<g>${parts.join('')}</g>`;
}

/** What does not fit under a panel is counted; the table of the run names all. */
function shortList(names) {
  const list = `not there: ${names.join(', ')}`;
  return list.length <= 62 ? list : `not there: ${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}

function inWords(ratio) {
  return ratio >= 100 ? Math.round(ratio).toLocaleString('en') : ratio.toFixed(ratio >= 10 ? 1 : 2);
}

function text(raw) {
  return String(raw).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
