import { Flight } from './flight.js';
import type { Entry } from '../store/store.js';

/**
 * The flights of one name on one store. A flight is removed by its identity, never by its key alone: after a fence a newer
 * flight may have the key.
 */
export class Registry<V> {
  /** Calls and primes: what a call joins at once. */
  readonly #foreground = new FlightMap<V>();
  /** Refreshes and background runs: a call joins one only if the store has no answer. */
  readonly #background = new FlightMap<V>();
  /**
   * Flights that no later call joins, by key, in the order in which they began. The result of each is stored, unless its key
   * changes or that of a later one is stored before it ends.
   */
  #loose: Map<string, Set<Flight<V>>> | undefined;
  /** The key whose store is asked right now, in this very turn. */
  #readKey: string | undefined;
  /** Flights of such keys that a store asked for meanwhile, by calling the wrapper. */
  #reentered: Map<string, Flight<V>> | undefined;

  /** The flight that a call joins. */
  joinable(key: string): Flight<V> | undefined {
    if (key === this.#readKey) this.#enterRead(key);
    // A call during the read of its key waits for that read, also where a prime has taken the place of its flight and ended.
    const flight = this.#foreground.get(key) ?? this.#reentered?.get(key);
    return flight?.isEnding === true ? undefined : flight;
  }

  /** A store is asked. It may call the wrapper for the same key before it answers; such a call joins. */
  beginRead(key: string): void {
    if (this.#readKey !== undefined) this.#enterRead(this.#readKey);
    this.#readKey = key;
  }

  /** The flight of the key, if one was made during the read: by a call that joined, a fence, or a read of another key. */
  endRead(key: string): Flight<V> | undefined {
    this.#readKey = undefined;
    if (this.#reentered === undefined) return undefined;
    const flight = this.#reentered.get(key);
    this.#reentered.delete(key);
    return flight;
  }

  /** The run that refreshes the stored entry while that answers. */
  background(key: string): Flight<V> | undefined {
    return this.#background.get(key);
  }

  /** Any flight that a call could wait for. */
  underWay(key: string): Flight<V> | undefined {
    return this.joinable(key) ?? this.background(key);
  }

  #enterRead(key: string): void {
    const flight = new Flight<V>(key, 'call');
    this.#readKey = undefined;
    (this.#reentered ??= new Map<string, Flight<V>>()).set(key, flight);
    this.add(flight);
  }

  add(flight: Flight<V>): void {
    if (this.#loose !== undefined) this.#leaveLoose(flight, this.#loose);
    this.#mapOf(flight).set(flight);
  }

  /** True where later calls find the flight. */
  holds(flight: Flight<V>): boolean {
    return this.#mapOf(flight).get(flight.key) === flight;
  }

  remove(flight: Flight<V>): void {
    if (this.#loose !== undefined) this.#leaveLoose(flight, this.#loose);
    this.#mapOf(flight).delete(flight);
  }

  /** Detaches the flights of the key: no later call joins them, and their results are not stored. A read goes on, and its entry is ignored. */
  fence(key: string): void {
    if (key === this.#readKey) this.#enterRead(key);
    for (const flight of this.#looseOf(key)) fenceOne(flight);
    const flight = this.#foreground.get(key);
    if (flight !== undefined && !fenceOne(flight)) this.remove(flight);
    const background = this.#background.get(key);
    if (background !== undefined) this.detach(background);
  }

  fenceAll(): void {
    if (this.#readKey !== undefined) this.#enterRead(this.#readKey);
    const keys = [...this.#foreground.keys(), ...this.#background.keys(), ...(this.#loose?.keys() ?? [])];
    for (const key of keys) this.fence(key);
  }

  /** Tags were invalidated: no later call joins what is under way, and its result tells whether it may be stored. */
  loosenAll(): void {
    const loose = (this.#loose ??= new Map<string, Set<Flight<V>>>());
    for (const map of [this.#foreground, this.#background]) {
      for (const key of map.keys()) {
        const flight = map.get(key)!;
        // A primed value is no result of a run that began before: calls get it until it is there.
        if (flight.kind === 'prime') continue;
        map.delete(flight);
        const others = loose.get(key);
        if (others === undefined) loose.set(key, new Set([flight]));
        else others.add(flight);
      }
    }
  }

  /** The result of `flight` is to be stored: no older one may take its place. */
  supersede(flight: Flight<V>): void {
    if (this.#loose === undefined) return;
    for (const older of this.#looseOf(flight.key)) {
      if (older === flight) return;
      if (!older.isReading) older.isFenced = true;
    }
  }

  /** The result of a loose flight is stored: later runs fall back on it, and no longer on what was there before. */
  offer({ key }: Flight<V>, entry: Entry<V>): void {
    for (const other of [...this.#looseOf(key), this.#foreground.get(key)]) {
      if (other?.fallback !== undefined && !other.isFenced) other.fallback = entry;
    }
  }

  #looseOf(key: string): Iterable<Flight<V>> {
    return this.#loose?.get(key) ?? [];
  }

  #leaveLoose(flight: Flight<V>, loose: Map<string, Set<Flight<V>>>): void {
    const others = loose.get(flight.key);
    if (others?.delete(flight) === true && others.size === 0) loose.delete(flight.key);
  }

  /** A fence by a primed value: calls join `prime` from now on, and a call that reads the store follows it. */
  addPrime(prime: Flight<V>): void {
    this.fence(prime.key);
    const flight = this.#foreground.get(prime.key);
    if (flight?.isReading === true) flight.override({ type: 'follow', prime });
    this.add(prime);
  }

  /** A fence by a refresh: runs are detached, calls still ask the store. */
  addRefresh(refresh: Flight<V>): void {
    this.fenceRuns(refresh.key);
    this.add(refresh);
  }

  /** Detaches runs only: what a call reads still counts. */
  fenceRuns(key: string): void {
    for (const flight of this.#looseOf(key)) if (!flight.isReading) flight.isFenced = true;
    const flight = this.#foreground.get(key);
    if (flight !== undefined && !flight.isReading) this.detach(flight);
    const background = this.#background.get(key);
    if (background !== undefined) this.detach(background);
  }

  /**
   * A refresh or background run has a result: a call that reads the store uses `entry` in place of what it reads.
   * `undefined`: no entry.
   */
  supply(key: string, entry: Entry<V> | undefined): void {
    const flight = this.joinable(key);
    if (flight?.isReading === true) flight.override({ type: 'use', entry });
  }

  /** The run goes on for its callers; it is neither joined again nor written. */
  detach(flight: Flight<V>): void {
    flight.isFenced = true;
    this.remove(flight);
  }

  #mapOf({ kind }: Flight<V>): FlightMap<V> {
    return kind === 'call' || kind === 'prime' ? this.#foreground : this.#background;
  }
}

/** True for a flight that reads, which goes on. */
function fenceOne<V>(flight: Flight<V>): boolean {
  if (flight.isReading) flight.override({ type: 'use', entry: undefined });
  else flight.isFenced = true;
  return flight.isReading;
}

/** Flights by key. The first has a field of its own: one flight at a time is common, and a map would cost a miss 65 %. */
class FlightMap<V> {
  #first: Flight<V> | undefined;
  #others: Map<string, Flight<V>> | undefined;

  get(key: string): Flight<V> | undefined {
    if (this.#first !== undefined && this.#first.key === key) return this.#first;
    return this.#others === undefined || this.#others.size === 0 ? undefined : this.#others.get(key);
  }

  /** Replaces the flight that has the key. */
  set(flight: Flight<V>): void {
    const { key } = flight;
    const isFirst = this.#first === undefined ? this.#others?.has(key) !== true : this.#first.key === key;
    if (isFirst) this.#first = flight;
    else (this.#others ??= new Map()).set(key, flight);
  }

  delete(flight: Flight<V>): void {
    if (this.#first === flight) this.#first = undefined;
    else if (this.#others?.get(flight.key) === flight) this.#others.delete(flight.key);
  }

  keys(): string[] {
    const others = [...(this.#others?.keys() ?? [])];
    return this.#first === undefined ? others : [this.#first.key, ...others];
  }
}
