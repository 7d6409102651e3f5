import { endEntry } from '../store/entry.js';
import { allMasters } from './all-masters.js';
import { textOf } from './clients/client.js';
import { writeTag } from './codec.js';
import * as scripts from './scripts.js';
import type { Entry } from '../store/store.js';
import type { ServerClock } from './clock.js';
import type { CommandRunner } from './command-runner.js';
import type { Keyspace } from './keyspace.js';

/** When a tag was last invalidated, in microseconds of the server's clock; 0: never. */
interface Mark {
  readonly hard: number;
  readonly soft: number;
  /** The soft one before that. */
  readonly softBefore: number;
}

/** What this process knows of the marks. It holds while `origin` and `version` are those of the server. */
interface Mirror {
  readonly origin: string;
  readonly version: string;
  readonly marks: Map<string, Mark>;
}

/** The marks that were asked for in one tick. */
interface Batch {
  readonly tags: Set<string>;
  readonly mirror: Promise<Mirror>;
}

/** How many marks are remembered. */
const MOST_MARKS = 10_000;

/**
 * Which tags have been invalidated, and when, on the server.
 *
 * A run begins at the server's time of its grant, and an entry keeps that time. It counts only where its run began after the
 * mark of every one of its tags, and the one who reads it judges: so an invalidation is one command, and reaches runs under
 * way, whose tags nobody knows yet. Each tick that reads entries with tags asks for the version of the marks once, beside
 * the entries; only where it has changed are marks read again.
 */
export class SharedMarks {
  readonly #runner: CommandRunner;
  readonly #keyspace: Keyspace;
  readonly #clock: ServerClock;
  #mirror: Mirror | undefined;
  /** The look of this tick. */
  #look: Promise<Mirror | undefined> | undefined;
  #batch: Batch | undefined;

  constructor(runner: CommandRunner, keyspace: Keyspace, clock: ServerClock) {
    this.#runner = runner;
    this.#keyspace = keyspace;
    this.#clock = clock;
  }

  /** To be called before the first run whose result may have tags: what began before the origin is void. */
  async prepare(timeout: number): Promise<void> {
    if (this.#mirror === undefined) await this.#read([], timeout);
  }

  /**
   * Asks for the version of the marks, once in a tick. Resolves with what is known of them; `undefined`: nothing.
   *
   * @param timeout In milliseconds.
   */
  look(timeout: number): Promise<Mirror | undefined> {
    if (this.#look !== undefined) return this.#look;
    const { marks } = this.#keyspace;
    queueMicrotask(() => (this.#look = undefined));
    const looked = this.#runner.send(marks, ['hmget', marks, 'origin', 'version'], { timeout }).then((reply) => {
      const [origin, version] = reply as readonly unknown[];
      if (origin === null || origin === undefined) return undefined;
      return this.#learn(textOf(origin), textOf(version));
    });
    // The entry may have no tags, and then nobody asks for this.
    looked.catch(() => undefined);
    return (this.#look = looked);
  }

  /**
   * The entry as it counts now: `undefined` where it is void, expired where one of its tags was invalidated softly.
   *
   * @param looked A look that was begun with the read of the entry, or after it.
   */
  async judge<V>(entry: Entry<V>, looked: Promise<Mirror | undefined>, timeout: number): Promise<Entry<V> | undefined> {
    const { tags = [], begun = 0 } = entry;
    const known = await looked;
    const mirror =
      known !== undefined && tags.every((tag) => known.marks.has(tag)) ? known : await this.#read(tags, timeout);
    if (begun <= Number(mirror.origin)) return undefined;
    let endsAt = Infinity;
    for (const tag of tags) {
      const { hard, soft, softBefore } = mirror.marks.get(tag)!;
      if (begun <= hard) return undefined;
      // A second one must not lengthen the life of what an earlier one has ended at an unknown time since its run began.
      const end = begun <= softBefore ? begun : begun <= soft ? soft : Infinity;
      if (end !== Infinity) endsAt = Math.min(endsAt, this.#clock.toLocalPast(end / 1_000));
    }
    return endsAt === Infinity ? entry : endEntry(entry, endsAt);
  }

  /** The time of the marks, in microseconds of the server's clock. */
  async invalidate(
    tags: readonly string[],
    sender: string,
    { isSoft, timeout }: { readonly isSoft: boolean; readonly timeout: number },
  ): Promise<number> {
    const { fences, marks } = this.#keyspace;
    const options = { timeout, bypassBreaker: true, isRetried: true };
    const least = this.#runner.client.isCluster ? await this.#latestTime(timeout) : 0;
    const args = [isSoft ? 'soft' : 'hard', String(least), fences, sender, ...tags.map(writeTag)];
    return Number(textOf(await this.#runner.run(scripts.writeMarks, [marks], args, options)));
  }

  /** The clocks of a cluster differ, and a run may have begun by any of them. */
  async #latestTime(timeout: number): Promise<number> {
    const options = { timeout, bypassBreaker: true, isRetried: true };
    const { masters } = await allMasters(this.#runner, this.#keyspace, options);
    const times = await Promise.all(masters.map((master) => this.#runner.sendTo(master, ['time'], options)));
    return Math.max(...times.map((time) => microsecondsOf(time as readonly unknown[])));
  }

  /** Reads the marks of tags, with those that others ask for in this tick. */
  #read(tags: readonly string[], timeout: number): Promise<Mirror> {
    this.#batch ??= this.#openBatch(timeout);
    for (const tag of tags) this.#batch.tags.add(tag);
    return this.#batch.mirror;
  }

  #openBatch(timeout: number): Batch {
    const tags = new Set<string>();
    const mirror = Promise.resolve().then(async () => {
      this.#batch = undefined;
      const asked = [...tags];
      const options = { timeout, isRetried: true };
      const args = asked.map(writeTag);
      const reply = await this.#runner.run(scripts.readMarks, [this.#keyspace.marks], args, options);
      const [origin, version, ...times] = (reply as readonly unknown[]).map(textOf);
      let known = this.#learn(origin!, version!);
      // A new one, for others may be about to look into this one.
      if (known.marks.size + asked.length > MOST_MARKS) known = this.#mirror = { ...known, marks: new Map() };
      const { marks } = known;
      asked.forEach((tag, index) => {
        const [soft = 0, softBefore = 0] = times[2 * index + 1]!.split(' ').map(Number);
        marks.set(tag, { hard: Number(times[2 * index]), soft, softBefore });
      });
      return known;
    });
    return { tags, mirror };
  }

  #learn(origin: string, version: string): Mirror {
    if (this.#mirror?.origin !== origin || this.#mirror.version !== version) {
      this.#mirror = { origin, version, marks: new Map() };
    }
    return this.#mirror;
  }
}

/** Of a reply to TIME. */
function microsecondsOf(time: readonly unknown[]): number {
  const [seconds, micros] = time.map(Number);
  return seconds! * 1e6 + micros!;
}
