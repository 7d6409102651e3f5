import { walk } from './crowd.js';
import { latency, topics } from './world.js';
import type { Caller, Crowd, Fate } from './crowd.js';
import type { Run, Topic, World } from './world.js';

/** The same colors as in style.css. */
export const colorOf: Record<Fate, string> = {
  hit: '#4ade80',
  stale: '#fbbf24',
  join: '#60a5fa',
  miss: '#c084fc',
  fallback: '#fb923c',
  error: '#f87171',
  left: '#94a3b8',
};

const ink = { strong: '#e6edf7', soft: '#8b9bb4', faint: '#22304a', panel: '#0f1a2e' } as const;

/** All lengths are those of a canvas of this size. */
const size = { width: 960, height: 590 } as const;
const gate = 430;
const upstream = { left: 752, right: 930 } as const;
const radius = 34;

const outcomeColor = {
  fulfilled: colorOf.hit,
  rejected: colorOf.error,
  aborted: colorOf.left,
  discarded: colorOf.left,
};

/** How long a result is seen on its way back from the upstream. */
const flight = 320;

export interface Freshness {
  /** Shares of the ttl and of the stale window that are left. */
  readonly fresh: number;
  readonly stale: number;
}

export class Drawing {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d')!;
  }

  draw(world: World, crowd: Crowd, freshnessOf: (topic: Topic) => Freshness, now: number): void {
    const context = this.#fit();
    context.clearRect(0, 0, size.width, size.height);
    this.#upstream(world);
    topics.forEach((topic, index) => {
      const y = laneOf(index);
      this.#lane(y, topic);
      const runs = world.runs.filter((run) => run.topic === topic);
      this.#runs(runs, y, now);
      this.#entry(y, world.entryOf(topic)?.value?.version, freshnessOf(topic), world.isMemoized);
      this.#callers(
        crowd.callers.filter((caller) => caller.topic === topic),
        y,
        now,
      );
      this.#caption(y, crowd.waitingFor(topic), world.isMemoized);
    });
  }

  /** The topic whose disk is there, in pixels of the page. */
  topicAt(x: number, y: number): Topic | undefined {
    const scale = size.width / this.#canvas.clientWidth;
    return topics.find((_topic, index) => Math.hypot(x * scale - gate, y * scale - laneOf(index)) <= radius);
  }

  /** The canvas in the pixels of the screen. */
  #fit(): CanvasRenderingContext2D {
    const { clientWidth } = this.#canvas;
    const scale = (clientWidth * devicePixelRatio) / size.width;
    const [width, height] = [Math.round(size.width * scale), Math.round(size.height * scale)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    return this.#context;
  }

  #lane(y: number, topic: Topic): void {
    this.#line(0, gate - radius, y, ink.faint, 1);
    this.#text(topic, 18, y - 44, ink.soft, '600 15px');
  }

  #upstream({ upstream: state, runs }: World): void {
    const context = this.#context;
    const color = state.isBroken ? colorOf.error : state.isSlow ? colorOf.stale : colorOf.hit;
    context.fillStyle = ink.panel;
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    context.roundRect(upstream.left, 30, upstream.right - upstream.left, size.height - 60, 18);
    context.fill();
    context.stroke();
    const middle = (upstream.left + upstream.right) / 2;
    this.#text('upstream', middle, 60, ink.strong, '600 17px', 'center');
    const pace = state.isSlow ? latency.slow : latency.healthy;
    this.#text(
      state.isBroken ? 'broken: 503' : `answers in ${pace / 1_000} s`,
      middle,
      82,
      color,
      '500 14px',
      'center',
    );
    const active = runs.filter(({ outcome }) => outcome === 'running').length;
    const isCrowded = active > topics.length + 3;
    const count = laneOf(1) - 80;
    this.#text(String(active), middle, count, isCrowded ? colorOf.error : ink.strong, '600 34px', 'center');
    this.#text(active === 1 ? 'request now' : 'requests now', middle, count + 20, ink.soft, '500 13px', 'center');
  }

  /** Each run is a line to the upstream; what came of it travels back. */
  #runs(runs: readonly Run[], y: number, now: number): void {
    const running = runs.filter(({ outcome }) => outcome === 'running').slice(0, 24);
    running.forEach((run, index) => {
      const row = y + rowOf(index, running.length);
      const color = run.isBehind ? colorOf.stale : colorOf.miss;
      const context = this.#context;
      context.setLineDash([7, 7]);
      context.lineDashOffset = -now / 22;
      this.#line(gate + radius, upstream.left, row, color, 2, y);
      context.setLineDash([]);
      context.lineDashOffset = 0;
      const turn = (now - run.startedAt) / 260;
      context.strokeStyle = color;
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(upstream.left + 22, row, Math.min(8, 60 / running.length + 2), turn, turn + 4.2);
      context.stroke();
    });
    const behind = running.filter(({ isBehind }) => isBehind).length;
    if (running.length > 0) {
      const words =
        behind === running.length ? 'refresh behind' : running.length === 1 ? 'one run' : `${running.length} runs`;
      this.#text(
        words,
        (gate + upstream.left) / 2 + 10,
        y - 14 + rowOf(0, running.length),
        ink.soft,
        '500 13px',
        'center',
      );
    }
    for (const { outcome, endedAt } of runs) {
      const share = (now - endedAt) / flight;
      if (outcome === 'running' || share > 1) continue;
      const x = upstream.left + (gate + radius - upstream.left) * ease(share);
      this.#dot(x, y, 7, outcomeColor[outcome], outcome === 'discarded' ? 1 - share : 1);
    }
  }

  /** An entry is a disk; its rim shows how much of its time is left, fresh first, then stale. */
  #entry(y: number, version: number | undefined, { fresh, stale }: Freshness, isMemoized: boolean): void {
    const context = this.#context;
    context.globalAlpha = isMemoized ? 1 : 0.25;
    context.fillStyle = ink.panel;
    context.beginPath();
    context.arc(gate, y, radius, 0, 2 * Math.PI);
    context.fill();
    this.#ring(y, 1, ink.faint);
    this.#ring(y, stale, colorOf.stale);
    this.#ring(y, fresh, colorOf.hit);
    const isUsable = fresh > 0 || stale > 0;
    const label = version === undefined ? 'empty' : `v${version}`;
    const font = version === undefined ? '500 13px' : '600 19px';
    this.#text(label, gate, y + 6, isUsable ? ink.strong : ink.soft, font, 'center');
    context.globalAlpha = 1;
  }

  #ring(y: number, share: number, color: string): void {
    if (share <= 0) return;
    const context = this.#context;
    context.strokeStyle = color;
    context.lineWidth = 5;
    context.lineCap = 'round';
    context.beginPath();
    context.arc(gate, y, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(share, 0.9999));
    context.stroke();
    context.lineCap = 'butt';
  }

  #callers(callers: readonly Caller[], y: number, now: number): void {
    for (const caller of callers) {
      const { x, y: offset, alpha } = placeOf(caller, now);
      this.#dot(x, y + offset, 4, caller.fate === undefined ? ink.strong : colorOf[caller.fate], alpha);
    }
  }

  #caption(y: number, waiting: number, isMemoized: boolean): void {
    if (waiting < 2) return;
    const words = isMemoized ? `${waiting} share one run` : `${waiting} wait, each for a request`;
    this.#text(words, gate - radius - 68, y - 72, isMemoized ? colorOf.join : colorOf.miss, '600 14px', 'center');
  }

  #dot(x: number, y: number, r: number, color: string, alpha: number): void {
    const context = this.#context;
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.beginPath();
    context.arc(x, y, r, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
  }

  /** From one height to another, level at both ends. */
  #line(from: number, to: number, y: number, color: string, width: number, start = y): void {
    const context = this.#context;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(from, start);
    context.bezierCurveTo((from + to) / 2, start, (from + to) / 2, y, to, y);
    context.stroke();
  }

  #text(words: string, x: number, y: number, color: string, font: string, align: CanvasTextAlign = 'left'): void {
    const context = this.#context;
    context.fillStyle = color;
    context.font = `${font} system-ui, sans-serif`;
    context.textAlign = align;
    context.fillText(words, x, y);
  }
}

function laneOf(index: number): number {
  return 130 + index * 178;
}

function rowOf(index: number, rows: number): number {
  return rows === 1 ? 0 : (index / (rows - 1) - 0.5) * Math.min(120, rows * 14);
}

/** Where a caller is now, seen from the middle of its lane. */
function placeOf(caller: Caller, now: number): { x: number; y: number; alpha: number } {
  const elapsed = now - caller.since;
  const spread = caller.lane * 30;
  const door = gate - radius - 10;
  if (caller.phase === 'coming') {
    const share = Math.max(0, elapsed / walk.coming);
    return { x: share * (door - 12), y: spread * (1 - share * 0.55), alpha: 1 };
  }
  if (caller.phase === 'waiting') return { ...seatAt(caller.seat), alpha: 1 };
  const share = Math.min(1, elapsed / walk.going);
  return { x: door * (1 - ease(share)), y: spread * 0.45 + Math.sign(caller.lane) * share * 34, alpha: 1 - share ** 3 };
}

/** Seats as in a sunflower: dense, and without rows. */
function seatAt(seat: number): { x: number; y: number } {
  const angle = seat * 2.399963;
  const distance = 6.2 * Math.sqrt(seat);
  return { x: gate - radius - 68 + distance * Math.cos(angle), y: distance * Math.sin(angle) * 0.9 };
}

function ease(share: number): number {
  return share < 0.5 ? 2 * share ** 2 : 1 - (2 - 2 * share) ** 2 / 2;
}
