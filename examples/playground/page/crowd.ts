import type { Reception, Topic, World } from './world.js';

/** What became of a caller: how it was answered, or that it still waits. */
export type Fate = Reception | 'fallback' | 'error' | 'left';

export interface Caller {
  readonly topic: Topic;
  /** Where in its lane it walks, from -1 to 1. */
  readonly lane: number;
  phase: 'coming' | 'waiting' | 'going';
  /** When the phase began, in milliseconds of the page. */
  since: number;
  fate: Fate | undefined;
  /** Its place in the crowd that waits. */
  seat: number;
}

/** Milliseconds from the edge to the cache, and back. */
export const walk = { coming: 650, going: 900 } as const;

/** How long an impatient caller waits. */
const patience = 1_500;

/** Callers on their way to the cache, waiting there, and going home with an answer. */
export class Crowd {
  callers: Caller[] = [];
  isImpatient = false;
  readonly #world: World;
  /** Seats taken by those who wait. */
  readonly #seats = new Map<Topic, Set<number>>();

  constructor(world: World) {
    this.#world = world;
  }

  send(topic: Topic, now: number): void {
    const lane = Math.random() * 2 - 1;
    this.callers.push({ topic, lane, phase: 'coming', since: now, fate: undefined, seat: -1 });
  }

  waitingFor(topic: Topic): number {
    return this.#seats.get(topic)?.size ?? 0;
  }

  step(now: number): void {
    for (const caller of this.callers) {
      if (caller.phase === 'coming' && now - caller.since >= walk.coming) void this.#ask(caller, now);
    }
    this.callers = this.callers.filter(({ phase, since }) => phase !== 'going' || now - since < walk.going);
  }

  async #ask(caller: Caller, now: number): Promise<void> {
    caller.phase = 'waiting';
    caller.since = now;
    const { reception, report } = this.#world.call(
      caller.topic,
      this.isImpatient ? AbortSignal.timeout(patience) : undefined,
    );
    caller.fate = reception;
    if (reception === 'hit' || reception === 'stale') this.#goHome(caller, now);
    else this.#sit(caller);
    const before = this.#world.entryOf(caller.topic)?.value?.version;
    try {
      const { version } = await report;
      // The version that was there before the run is an old one: the run has failed or is late.
      if (caller.phase === 'waiting' && version === before) caller.fate = 'fallback';
    } catch (error) {
      caller.fate = error instanceof DOMException ? 'left' : 'error';
    }
    this.#goHome(caller, performance.now());
  }

  #sit(caller: Caller): void {
    const seats = this.#seats.get(caller.topic) ?? new Set();
    this.#seats.set(caller.topic, seats);
    let seat = 0;
    while (seats.has(seat)) seat += 1;
    seats.add(seat);
    caller.seat = seat;
  }

  #goHome(caller: Caller, now: number): void {
    if (caller.phase === 'going') return;
    this.#seats.get(caller.topic)?.delete(caller.seat);
    caller.phase = 'going';
    caller.since = now;
  }
}
