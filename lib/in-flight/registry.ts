import { Slots } from './slots.js';
import type { Entry } from '../store/store.js';
import type { Flight } from './flight.js';

/** The flights of one name on one store. A flight leaves by its identity, never by its key alone. */
export class Registry<V> {
  /** What a call joins at once. */
  readonly #flights = new Slots<V>();
  /** Refreshes and background runs: a call joins one only if the store has no answer for it. */
  readonly #behind = new Slots<V>();

  /** The flight that a call joins. */
  joinable(key: string): Flight<V> | undefined {
    const flight = this.#flights.get(key);
    return flight?.isEnding === true ? undefined : flight;
  }

  /** The run that goes on while the stored entry answers. */
  behind(key: string): Flight<V> | undefined {
    return this.#behind.get(key);
  }

  /** Whatever a call could wait for. */
  underWay(key: string): Flight<V> | undefined {
    return this.joinable(key) ?? this.behind(key);
  }

  add(flight: Flight<V>): void {
    this.#slotsOf(flight).set(flight);
  }

  remove(flight: Flight<V>): void {
    this.#slotsOf(flight).delete(flight);
  }

  /** Nothing that runs now may be written or joined again; lookups go on and count for nothing. */
  fence(key: string): void {
    const flight = this.#flights.get(key);
    if (flight !== undefined && !voidLookup(flight)) this.#detach(flight);
    const behind = this.#behind.get(key);
    if (behind !== undefined) this.#detach(behind);
  }

  fenceAll(): void {
    for (const key of [...this.#flights.keys(), ...this.#behind.keys()]) this.fence(key);
  }

  /** A fence by a value that somebody brings: `prime` is what calls join now, also those whose lookup is under way. */
  supplant(prime: Flight<V>): void {
    const flight = this.#flights.get(prime.key);
    this.fence(prime.key);
    if (flight?.phase === 'lookup') flight.successor = prime;
    this.add(prime);
  }

  /** A fence by a refresh: runs are detached, calls go on asking the store. */
  overtake(refresh: Flight<V>): void {
    const flight = this.#flights.get(refresh.key);
    if (flight !== undefined && flight.phase !== 'lookup') this.#detach(flight);
    const behind = this.#behind.get(refresh.key);
    if (behind !== undefined) this.#detach(behind);
    this.add(refresh);
  }

  /** A run that goes on behind has ended: this is what a call whose lookup is under way would read if it asked now. */
  offer(key: string, entry: Entry<V> | undefined): void {
    const flight = this.joinable(key);
    if (flight?.phase !== 'lookup') return;
    flight.isLookupVoid = true;
    flight.offered = entry;
  }

  #slotsOf({ kind }: Flight<V>): Slots<V> {
    return kind === 'call' || kind === 'prime' ? this.#flights : this.#behind;
  }

  #detach(flight: Flight<V>): void {
    flight.isFenced = true;
    this.remove(flight);
  }
}

function voidLookup<V>(flight: Flight<V>): boolean {
  if (flight.phase !== 'lookup') return false;
  flight.isLookupVoid = true;
  flight.offered = undefined;
  return true;
}
