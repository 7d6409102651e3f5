import { describe, expect, it } from '@jest/globals';
import { Flight } from '../../lib/in-flight/flight.js';
import { Slots } from '../../lib/in-flight/slots.js';
import { Random, seedOfRun } from '../model/random.js';

const seed = seedOfRun();
const flightOf = (key: string): Flight<string> => new Flight<string>(key, 'call', 'run');

describe('Slots', () => {
  it('finds what was set last under a key', () => {
    const slots = new Slots<string>();
    expect(slots.get('a')).toBeUndefined();
    const [a, b, newA, newB] = [flightOf('a'), flightOf('b'), flightOf('a'), flightOf('b')];
    for (const flight of [a, b, newA, newB]) slots.set(flight);
    expect([slots.get('a'), slots.get('b'), slots.get('c')]).toEqual([newA, newB, undefined]);
    expect(slots.keys().sort()).toEqual(['a', 'b']);
  });

  it('deletes a flight, and never the one that took its place', () => {
    const slots = new Slots<string>();
    const [a, b, newA, newB] = [flightOf('a'), flightOf('b'), flightOf('a'), flightOf('b')];
    for (const flight of [a, b, newA, newB]) slots.set(flight);
    slots.delete(a);
    slots.delete(b);
    expect(slots.keys().sort()).toEqual(['a', 'b']);
    slots.delete(newA);
    slots.delete(newB);
    expect(slots.keys()).toEqual([]);
    slots.delete(newB);
  });

  it(`does what a map does (SEED=${seed})`, () => {
    const random = new Random(seed);
    const slots = new Slots<string>();
    const map = new Map<string, Flight<string>>();
    const known: Flight<string>[] = [flightOf('a')];
    for (let step = 0; step < 20_000; step += 1) {
      const flight = random.chance(0.5) ? flightOf(random.of(['a', 'b', 'c'])) : random.of(known.slice(-6));
      if (random.chance(0.5)) {
        slots.set(flight);
        map.set(flight.key, flight);
        known.push(flight);
      } else {
        slots.delete(flight);
        if (map.get(flight.key) === flight) map.delete(flight.key);
      }
      for (const key of ['a', 'b', 'c'])
        if (slots.get(key) !== map.get(key)) throw new Error(`SEED=${seed}, step ${step}`);
      if (slots.keys().sort().join() !== [...map.keys()].sort().join()) throw new Error(`SEED=${seed}, step ${step}`);
    }
    expect(known.length).toBeGreaterThan(1_000);
  });
});
