import { describe, expect, it } from '@jest/globals';
import { Flight } from '../../lib/in-flight/flight.js';
import { Registry } from '../../lib/in-flight/registry.js';
import type { FlightKind, FlightPhase } from '../../lib/in-flight/flight.js';

function rig() {
  const registry = new Registry<string>();
  const add = (kind: FlightKind, phase: FlightPhase = 'run', key = 'a'): Flight<string> => {
    const flight = new Flight<string>(key, kind, phase);
    registry.add(flight);
    return flight;
  };
  return { registry, add };
}

const entry = { v: 1, value: 'x', storedAt: 0 } as const;

describe('Registry', () => {
  it('has calls and primes joined at once, refreshes and background runs only where nothing else answers', () => {
    for (const kind of ['call', 'prime', 'refresh', 'background'] as const) {
      const { registry, add } = rig();
      const flight = add(kind);
      const isAhead = kind === 'call' || kind === 'prime';
      expect(registry.joinable('a')).toBe(isAhead ? flight : undefined);
      expect(registry.behind('a')).toBe(isAhead ? undefined : flight);
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

  it('removes a flight by its identity', () => {
    for (const kind of ['call', 'background'] as const) {
      const { registry, add } = rig();
      const older = add(kind);
      const newer = add(kind);
      registry.remove(older);
      expect(registry.underWay('a')).toBe(newer);
    }
  });

  it('does not let a flight be joined whose leader is over', () => {
    const { registry, add } = rig();
    const leader = add('refresh');
    const follower = add('call');
    follower.follow(leader);
    expect(registry.joinable('a')).toBe(follower);
    leader.end();
    expect(registry.joinable('a')).toBeUndefined();
  });

  it('fences runs of a key: detached and not to be written', () => {
    const { registry, add } = rig();
    const [call, background, other] = [add('call'), add('background'), add('call', 'run', 'b')];
    registry.fence('a');
    expect([call.isFenced, background.isFenced, other.isFenced]).toEqual([true, true, false]);
    expect(registry.underWay('a')).toBeUndefined();
    expect(registry.joinable('b')).toBe(other);
    registry.fence('nothing');
  });

  it('fences lookups of a key: what they read is void, but they stay', () => {
    const { registry, add } = rig();
    const lookup = add('call', 'lookup');
    lookup.offered = entry;
    registry.fence('a');
    expect(registry.joinable('a')).toBe(lookup);
    expect(lookup).toMatchObject({ isFenced: false, isLookupVoid: true, offered: undefined });
  });

  it('fences all keys', () => {
    const { registry, add } = rig();
    const flights = [add('call'), add('background'), add('call', 'run', 'b'), add('refresh', 'run', 'c')];
    const lookup = add('call', 'lookup', 'd');
    registry.fenceAll();
    expect(flights.map(({ isFenced }) => isFenced)).toEqual([true, true, true, true]);
    expect(lookup.isLookupVoid).toBe(true);
    for (const key of ['a', 'b', 'c']) expect(registry.underWay(key)).toBeUndefined();
  });

  it('has a prime take the place of runs', () => {
    const { registry, add } = rig();
    const [call, background] = [add('call'), add('background')];
    const prime = new Flight<string>('a', 'prime', 'run');
    registry.supplant(prime);
    expect([call.isFenced, background.isFenced]).toEqual([true, true]);
    expect(call.successor).toBeUndefined();
    expect(registry.joinable('a')).toBe(prime);
    expect(registry.behind('a')).toBeUndefined();
  });

  it('has a prime take the place of a lookup, which follows it', () => {
    const { registry, add } = rig();
    const lookup = add('call', 'lookup');
    const prime = new Flight<string>('a', 'prime', 'run');
    registry.supplant(prime);
    expect(lookup).toMatchObject({ isFenced: false, isLookupVoid: true, successor: prime });
    expect(registry.joinable('a')).toBe(prime);
  });

  it('has a refresh detach runs and leave lookups alone', () => {
    for (const phase of ['run', 'lookup'] as const) {
      const { registry, add } = rig();
      const [call, background] = [add('call', phase), add('background')];
      const refresh = new Flight<string>('a', 'refresh', 'run');
      registry.overtake(refresh);
      expect(background.isFenced).toBe(true);
      expect(registry.behind('a')).toBe(refresh);
      expect(call).toMatchObject({ isFenced: phase === 'run', isLookupVoid: false });
      expect(registry.joinable('a')).toBe(phase === 'run' ? undefined : call);
    }
  });

  it('has a prime or a refresh begin where nothing is under way', () => {
    const { registry } = rig();
    const [prime, refresh] = [new Flight<string>('a', 'prime', 'run'), new Flight<string>('b', 'refresh', 'run')];
    registry.supplant(prime);
    registry.overtake(refresh);
    expect(registry.joinable('a')).toBe(prime);
    expect(registry.behind('b')).toBe(refresh);
    expect([prime.isFenced, refresh.isFenced]).toEqual([false, false]);
  });

  it('offers what a refresh brought to a lookup, and to nothing else', () => {
    const { registry, add } = rig();
    registry.offer('a', entry);
    const run = add('call', 'run');
    registry.offer('a', entry);
    expect(run).toMatchObject({ isLookupVoid: false, offered: undefined });
    const lookup = add('call', 'lookup');
    registry.offer('b', entry);
    expect(lookup.isLookupVoid).toBe(false);
    registry.offer('a', entry);
    expect(lookup).toMatchObject({ isLookupVoid: true, offered: entry });
    registry.offer('a', undefined);
    expect(lookup).toMatchObject({ isLookupVoid: true, offered: undefined });
  });
});
