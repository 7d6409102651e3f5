import type { Flight } from './flight.js';

/**
 * Flights by key. Mostly there is one at a time, and filling and emptying a map for it would be the dearest step of a miss,
 * so the first has a place of its own.
 */
export class Slots<V> {
  #first: Flight<V> | undefined;
  readonly #others = new Map<string, Flight<V>>();

  get(key: string): Flight<V> | undefined {
    if (this.#first !== undefined && this.#first.key === key) return this.#first;
    return this.#others.size === 0 ? undefined : this.#others.get(key);
  }

  /** Takes the place of the flight that had the key. */
  set(flight: Flight<V>): void {
    const { key } = flight;
    const isItsPlace = this.#first === undefined ? !this.#others.has(key) : this.#first.key === key;
    if (isItsPlace) this.#first = flight;
    else this.#others.set(key, flight);
  }

  /** After a fence a newer flight may own the slot, which stays then. */
  delete(flight: Flight<V>): void {
    if (this.#first === flight) this.#first = undefined;
    else if (this.#others.size !== 0 && this.#others.get(flight.key) === flight) this.#others.delete(flight.key);
  }

  keys(): string[] {
    const others = [...this.#others.keys()];
    return this.#first === undefined ? others : [this.#first.key, ...others];
  }
}
