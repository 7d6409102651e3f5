import type { Entry, MemoizeEvent, Stats } from 'aiocachetools';
import { Crowd } from './crowd.js';
import { Drawing } from './drawing.js';
import { topics, World } from './world.js';
import type { Freshness } from './drawing.js';
import type { Report, Topic } from './world.js';

/** Milliseconds, as the switches set them. */
const times = {
  ttl: 4_000,
  staleWhileRevalidate: 6_000,
  staleIfError: 20_000,
  softTimeout: 300,
  errorTtl: 2_000,
} as const;

type TimeOption = Exclude<keyof typeof times, 'ttl'>;
const timeOptions: readonly TimeOption[] = ['staleWhileRevalidate', 'staleIfError', 'softTimeout', 'errorTtl'];

const staleWindows = ['staleWhileRevalidate', 'staleIfError'] as const;

/** What is counted, in the order in which it is shown, and the color that it has everywhere. */
const counters = [
  ['calls', ''],
  ['hits', 'hit'],
  ['stale', 'stale'],
  ['joins', 'join'],
  ['misses', 'miss'],
  ['fallbacks', 'fallback'],
  ['errors', 'error'],
  ['aborts', 'left'],
  ['requests', ''],
  ['saved', ''],
] as const satisfies readonly (readonly [keyof Stats | 'calls' | 'requests' | 'saved', string])[];

type Counter = (typeof counters)[number][0];

const labelOf: Partial<Record<Counter, string>> = {
  aborts: 'left',
  requests: 'requests',
  errors: 'failed runs',
  saved: 'saved',
};

const counts = Object.fromEntries(counters.map(([counter]) => [counter, 0])) as Record<Counter, number>;
const world = new World(hear);
const crowd = new Crowd(world);
const drawing = new Drawing(find<HTMLCanvasElement>('canvas'));
const numbers = new Map(counters.map(([counter, color]) => [counter, addCounter(counter, color)]));
const events = find<HTMLOListElement>('ol');

// `#traffic=0`: no callers but those of a stampede.
const { traffic: chosenTraffic } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
if (chosenTraffic !== undefined) control<HTMLInputElement>('traffic').value = chosenTraffic;
applySwitches();
find('aside').addEventListener('input', applySwitches);
control<HTMLButtonElement>('stampede').addEventListener('click', () => stampede(performance.now()));
control<HTMLButtonElement>('clear').addEventListener('click', () => void world.forgetEverything());
find('canvas').addEventListener('click', ({ offsetX, offsetY }) => {
  const topic = drawing.topicAt(offsetX, offsetY);
  if (topic !== undefined) void world.forget(topic);
});
document.addEventListener('keydown', ({ key }) => {
  const topic = topics[Number(key) - 1];
  if (topic !== undefined) void world.forget(topic);
});
let last = performance.now();
let owed = 0;
requestAnimationFrame(frame);

/** `onEvent`: counts, and a line for each. */
function hear(event: MemoizeEvent): void {
  const counter = {
    hit: 'hits',
    stale: 'stale',
    join: 'joins',
    miss: 'misses',
    fallback: 'fallbacks',
    abort: 'aborts',
  }[event.type as string] as Counter | undefined;
  if (counter !== undefined) counts[counter] += 1;
  if (event.type === 'run' && event.outcome === 'rejected') counts.errors += 1;
  log(event);
}

/** The newest event comes first. An event like one of the last three is counted there. */
function log(event: MemoizeEvent): void {
  const text = ` ${event.key} ${detailsOf(event)}`;
  const recent = [...events.children].slice(0, 3) as HTMLElement[];
  const same = recent.find(({ dataset }) => dataset['happening'] === event.type + text);
  if (same !== undefined) {
    const times = Number(same.dataset['times']) + 1;
    same.dataset['times'] = String(times);
    same.lastElementChild!.textContent = ` × ${times}`;
    return;
  }
  const line = document.createElement('li');
  Object.assign(line.dataset, { happening: event.type + text, times: '1' });
  const type = document.createElement('b');
  type.textContent = event.type;
  type.style.setProperty('--color', `var(--${colorNameOf(event)}, var(--strong))`);
  line.append(type, text, document.createElement('i'));
  events.prepend(line);
  while (events.childElementCount > 8) events.lastElementChild?.remove();
}

function colorNameOf(event: MemoizeEvent): string {
  if (event.type === 'run') return event.outcome === 'fulfilled' ? 'hit' : 'error';
  return event.type === 'abort' ? 'left' : event.type;
}

function detailsOf(event: MemoizeEvent): string {
  if (event.type === 'run') return `${event.outcome} after ${Math.round(event.duration)} ms`;
  return event.type === 'fallback' ? `old value, reason: ${event.reason}` : '';
}

function applySwitches(): void {
  Object.assign(world.upstream, { isSlow: isOn('slow'), isBroken: isOn('broken') });
  world.isMemoized = isOn('memoized');
  crowd.isImpatient = isOn('impatient');
  const chosen = timeOptions.filter(isOn);
  const options = Object.fromEntries((['ttl', ...chosen] as const).map((option) => [option, times[option]]));
  world.configure(options);
  showCode(chosen);
  control<HTMLOutputElement>('traffic-value').textContent = `${traffic()} calls a second`;
}

function isOn(name: string): boolean {
  return control<HTMLInputElement>(name).checked;
}

/** The code that does what is seen. */
function showCode(chosen: readonly TimeOption[]): void {
  const pre = find('pre');
  pre.textContent = world.isMemoized
    ? 'const getReport = memoizeAsync(fetchReport, {\n'
    : 'const getReport = fetchReport;\n';
  if (world.isMemoized) {
    for (const option of ['ttl', ...chosen] as const) {
      const line = document.createElement('b');
      line.textContent = `  ${option}: ${times[option].toLocaleString('en').replace(',', '_')},\n`;
      pre.append(line);
    }
    pre.append('});\n');
  }
  const call = crowd.isImpatient ? "getReport('news', AbortSignal.timeout(1_500));" : "getReport('news');";
  pre.append(`\nawait ${call}`);
}

function traffic(): number {
  return control<HTMLInputElement>('traffic').valueAsNumber;
}

function stampede(now: number): void {
  // Later ones start to walk later: they arrive within a third of a second.
  for (let caller = 0; caller < 100; caller += 1) send('news', now + Math.random() * 330);
}

function send(topic: Topic, now: number): void {
  counts.calls += 1;
  crowd.send(topic, now);
}

function frame(): void {
  const now = performance.now();
  owed += (traffic() * Math.min(now - last, 250)) / 1_000;
  last = now;
  for (; owed >= 1; owed -= 1) send(pickTopic(), now);
  crowd.step(now);
  world.forgetRuns(now - 1_000);
  counts.requests = world.requests;
  counts.saved = counts.calls === 0 ? 0 : Math.max(0, Math.floor(100 - (100 * counts.requests) / counts.calls));
  drawing.draw(world, crowd, freshnessOf, now);
  for (const [counter, number] of numbers) number.textContent = `${counts[counter]}${counter === 'saved' ? ' %' : ''}`;
  requestAnimationFrame(frame);
}

/** The first topic is asked for the most. */
function pickTopic(): Topic {
  const roll = Math.random();
  return topics[roll < 0.55 ? 0 : roll < 0.85 ? 1 : 2];
}

function freshnessOf(topic: Topic): Freshness {
  const entry: Entry<Report> | undefined = world.entryOf(topic);
  if (entry?.freshUntil === undefined) return { fresh: 0, stale: 0 };
  const left = entry.freshUntil - Date.now();
  const window = Math.max(0, ...staleWindows.filter(isOn).map((option) => times[option]));
  return { fresh: left / times.ttl, stale: window === 0 ? 0 : Math.min(1, (left + window) / window) };
}

function addCounter(counter: Counter, color: string): HTMLElement {
  const box = document.createElement('div');
  if (color !== '') box.style.setProperty('--color', `var(--${color})`);
  const number = document.createElement('b');
  number.dataset['count'] = counter;
  const label = document.createElement('span');
  label.textContent = labelOf[counter] ?? counter;
  box.append(number, label);
  find('.counters').append(box);
  return number;
}

/** An element that index.html has. */
function find<E extends HTMLElement = HTMLElement>(selector: string): E {
  return document.querySelector<E>(selector)!;
}

function control<E extends HTMLElement>(name: string): E {
  return document.querySelector<E>(`[name='${name}']`)!;
}
