import { describe, expect, it } from '@jest/globals';
import { Flight } from '../../lib/in-flight/flight.js';
import { Registry } from '../../lib/in-flight/registry.js';
import { Random, seedOfRun } from '../model/random.js';
import type { FlightKind } from '../../lib/in-flight/flight.js';

const seed = seedOfRun();
const entry = { v: 1, value: 'x', storedAt: 0 } as const;

function rig() {
  const registry = new Registry<string>();
  const add = (kind: FlightKind, key = 'a'): Flight<string> => {
    const flight = new Flight<string>(key, kind);
    if (kind === 'call') flight.run();
    registry.add(flight);
    return flight;
  };
  const addReading = (key = 'a'): Flight<string> => {
    const flight = new Flight<string>(key, 'call');
    registry.add(flight);
    return flight;
  };
  return { registry, add, addReading };
}

function overrideOf({ state }: Flight<string>): unknown {
  return state.name === 'reading' ? state.override : state.name;
}

describe('Registry', () => {
  it('has calls and primes joined at once, refreshes and background runs only where the store has no answer', () => {
    for (const kind of ['call', 'prime', 'refresh', 'background'] as const) {
      const { registry, add } = rig();
      const flight = add(kind);
      const isForeground = kind === 'call' || kind === 'prime';
      expect(registry.joinable('a')).toBe(isForeground ? flight : undefined);
      expect(registry.background('a')).toBe(isForeground ? undefined : flight);
      expect(registry.underWay('a')).toBe(flight);
      expect(registry.underWay('b')).toBeUndefined();
      registry.remove(flight);
      expect(registry.underWay('a')).toBeUndefined();
    }
  });

  it('prefers what can be joined at once', () => {
    const { registry, add } = rig();
    add('background');
    const call = add('call');
    expect(registry.underWay('a')).toBe(call);
  });

  it.each(['call', 'background'] as const)('removes a %s by its identity', (kind) => {
    const { registry, add } = rig();
    const older = add(kind);
    const newer = add(kind);
    registry.remove(older);
    expect(registry.underWay('a')).toBe(newer);
  });

  it('does not let a flight be joined whose leader has settled', () => {
    const { registry, add, addReading } = rig();
    const leader = add('refresh');
    const follower = addReading();
    follower.follow(leader);
    expect(registry.joinable('a')).toBe(follower);
    leader.settle('done');
    expect(registry.joinable('a')).toBeUndefined();
  });

  it('fences the runs of a key: they are detached', () => {
    const { registry, add } = rig();
    const [call, background, other] = [add('call'), add('background'), add('call', 'b')];
    registry.fence('a');
    expect([call.isFenced, background.isFenced, other.isFenced]).toEqual([true, true, false]);
    expect(registry.underWay('a')).toBeUndefined();
    expect(registry.joinable('b')).toBe(other);
    registry.fence('nothing');
  });

  it('fences a follower like a run', () => {
    const { registry, add, addReading } = rig();
    const leader = add('refresh');
    const follower = addReading();
    follower.follow(leader);
    registry.fence('a');
    expect([leader.isFenced, follower.isFenced]).toEqual([true, true]);
    expect(registry.underWay('a')).toBeUndefined();
  });

  it('fences a read: what it brings is ignored, and the flight stays', () => {
    const { registry, addReading } = rig();
    const flight = addReading();
    registry.supply('a', entry);
    registry.fence('a');
    expect(registry.joinable('a')).toBe(flight);
    expect(flight.isFenced).toBe(false);
    expect(overrideOf(flight)).toEqual({ type: 'use', entry: undefined });
  });

  it('fences all keys', () => {
    const { registry, add, addReading } = rig();
    const flights = [add('call'), add('background'), add('call', 'b'), add('refresh', 'c')];
    const reading = addReading('d');
    registry.fenceAll();
    expect(flights.map(({ isFenced }) => isFenced)).toEqual([true, true, true, true]);
    expect(overrideOf(reading)).toEqual({ type: 'use', entry: undefined });
    for (const key of ['a', 'b', 'c']) expect(registry.underWay(key)).toBeUndefined();
  });

  it('has a prime replace runs', () => {
    const { registry, add } = rig();
    const [call, background] = [add('call'), add('background')];
    const prime = new Flight<string>('a', 'prime');
    registry.addPrime(prime);
    expect([call.isFenced, background.isFenced]).toEqual([true, true]);
    expect(call.state.name).toBe('running');
    expect(registry.joinable('a')).toBe(prime);
    expect(registry.background('a')).toBeUndefined();
  });

  it('has a prime replace a read, which follows it', () => {
    const { registry, addReading } = rig();
    const reading = addReading();
    const prime = new Flight<string>('a', 'prime');
    registry.addPrime(prime);
    expect(reading.isFenced).toBe(false);
    expect(overrideOf(reading)).toEqual({ type: 'follow', prime });
    expect(registry.joinable('a')).toBe(prime);
  });

  it('has a refresh detach runs', () => {
    const { registry, add } = rig();
    const [call, background] = [add('call'), add('background')];
    const refresh = new Flight<string>('a', 'refresh');
    registry.addRefresh(refresh);
    expect([call.isFenced, background.isFenced]).toEqual([true, true]);
    expect(registry.joinable('a')).toBeUndefined();
    expect(registry.background('a')).toBe(refresh);
  });

  it('has a refresh leave a read alone', () => {
    const { registry, addReading } = rig();
    const reading = addReading();
    const refresh = new Flight<string>('a', 'refresh');
    registry.addRefresh(refresh);
    expect(reading.isFenced).toBe(false);
    expect(overrideOf(reading)).toBeUndefined();
    expect(registry.joinable('a')).toBe(reading);
    expect(registry.background('a')).toBe(refresh);
  });

  it('has a prime or a refresh begin where nothing is under way', () => {
    const { registry } = rig();
    const [prime, refresh] = [new Flight<string>('a', 'prime'), new Flight<string>('b', 'refresh')];
    registry.addPrime(prime);
    registry.addRefresh(refresh);
    expect(registry.joinable('a')).toBe(prime);
    expect(registry.background('b')).toBe(refresh);
    expect([prime.isFenced, refresh.isFenced]).toEqual([false, false]);
  });

  it('supplies what a refresh brought to a read, and to no other flight', () => {
    const { registry, add, addReading } = rig();
    registry.supply('a', entry);
    const run = add('call');
    registry.supply('a', entry);
    expect(run.state.name).toBe('running');
    const reading = addReading();
    registry.supply('b', entry);
    expect(overrideOf(reading)).toBeUndefined();
    registry.supply('a', entry);
    expect(overrideOf(reading)).toEqual({ type: 'use', entry });
    registry.supply('a', undefined);
    expect(overrideOf(reading)).toEqual({ type: 'use', entry: undefined });
  });

  it('loosens what is under way: it is neither joined nor fenced', () => {
    const { registry, add, addReading } = rig();
    const flights = [add('call'), add('refresh'), addReading('c')];
    const prime = add('prime', 'b');
    registry.loosenAll();
    registry.loosenAll();
    // No run, so no result from before.
    expect(registry.joinable('b')).toBe(prime);
    for (const key of ['a', 'c']) expect(registry.underWay(key)).toBeUndefined();
    expect(flights.map((flight) => [flight.isFenced, registry.holds(flight)])).toEqual(
      flights.map(() => [false, false]),
    );
    for (const flight of flights) registry.remove(flight);
  });

  it('has one that is loose end before a later one is stored, or not be stored', () => {
    const { registry, add, addReading } = rig();
    const [reading, other] = [addReading(), add('call', 'b')];
    registry.loosenAll();
    const older = add('call');
    registry.loosenAll();
    const newer = add('call');
    registry.loosenAll();
    const newest = add('call');
    registry.supersede(newer);
    expect([older, newer, newest, other, reading].map(({ isFenced }) => isFenced)).toEqual([
      ...[true, false, false, false, false],
    ]);
    registry.supersede(newest);
    expect([newer, newest, reading].map(({ isFenced }) => isFenced)).toEqual([true, false, false]);
  });

  it.each(['fence', 'fenceRuns'] as const)('reaches what is loose by a %s', (how) => {
    const { registry, add, addReading } = rig();
    const [reading, other] = [addReading(), add('call', 'b')];
    registry.loosenAll();
    const run = add('call');
    registry.loosenAll();
    registry[how]('a');
    expect([reading, run, other].map(({ isFenced }) => isFenced)).toEqual([false, true, false]);
    expect(overrideOf(reading)).toEqual(how === 'fence' ? { type: 'use', entry: undefined } : undefined);
  });

  it('takes back a read that was loosened', () => {
    const { registry, addReading } = rig();
    const reading = addReading();
    registry.loosenAll();
    registry.add(reading);
    expect([registry.joinable('a'), registry.holds(reading)]).toEqual([reading, true]);
    reading.run();
    registry.fence('a');
    expect([reading.isFenced, registry.holds(reading)]).toEqual([true, false]);
  });

  it(`finds flights as a map does (SEED=${seed})`, () => {
    const random = new Random(seed);
    const { registry } = rig();
    const map = new Map<string, Flight<string>>();
    const known: Flight<string>[] = [new Flight<string>('a', 'call')];
    for (let step = 0; step < 20_000; step += 1) {
      const key = random.of(['a', 'b', 'c']);
      const flight = random.chance(0.5) ? new Flight<string>(key, 'call') : random.of(known.slice(-6));
      if (random.chance(0.5)) {
        registry.add(flight);
        map.set(flight.key, flight);
        known.push(flight);
      } else {
        registry.remove(flight);
        if (map.get(flight.key) === flight) map.delete(flight.key);
      }
      for (const name of ['a', 'b', 'c']) {
        if (registry.joinable(name) !== map.get(name)) throw new Error(`SEED=${seed}, step ${step}`);
      }
    }
    expect(known.length).toBeGreaterThan(1_000);
  });

  it('fences every flight of a random history', () => {
    const random = new Random(seed);
    const { registry, add } = rig();
    const flights = Array.from({ length: 50 }, (_, index) => add(random.of(['call', 'background']), `k${index % 40}`));
    registry.fenceAll();
    const present = flights.filter(({ key }) => registry.underWay(key) !== undefined);
    expect(present).toEqual([]);
  });
});
