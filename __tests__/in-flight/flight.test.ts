import { describe, expect, it, jest } from '@jest/globals';
import { Flight } from '../../lib/in-flight/flight.js';
import { flush } from '../support/call-recorder.js';
import type { FlightKind, FlightState } from '../../lib/in-flight/flight.js';

type StateName = FlightState<string>['name'];

const names: readonly StateName[] = ['reading', 'running', 'following', 'settled'];
const signals = [new AbortController().signal];

/** A flight in each state. */
function flightIn(state: StateName): Flight<string> {
  const flight = new Flight<string>('a', 'call');
  if (state !== 'reading') enter(flight, state);
  return flight;
}

function enter(flight: Flight<string>, state: StateName): void {
  if (state === 'reading') flight.override({ type: 'use', entry: undefined });
  if (state === 'running') flight.run();
  if (state === 'following') flight.follow(new Flight<string>('a', 'background'));
  if (state === 'settled') flight.settle('done');
}

function runningFlight(kind: FlightKind = 'refresh') {
  const flight = new Flight<string>('a', kind);
  if (kind === 'call') flight.run();
  const abandoned = jest.fn();
  flight.onAbandoned = abandoned;
  return { flight, abandoned };
}

describe('the states of a Flight', () => {
  it('allow these transitions, and no other', () => {
    const possible: string[] = [];
    for (const from of names) {
      for (const to of names) {
        const flight = flightIn(from);
        try {
          enter(flight, to);
        } catch (error) {
          expect(String(error)).toBe(`Error: Expected a flight that can go on to \`${to}\`, got one that is ${from}`);
          expect(flight.state.name).toBe(from);
          continue;
        }
        expect(flight.state.name).toBe(to);
        possible.push(`${from} → ${to}`);
      }
    }
    expect(possible.sort()).toEqual([
      'following → following',
      'following → running',
      'following → settled',
      'reading → following',
      'reading → reading',
      'reading → running',
      'reading → settled',
      'running → settled',
    ]);
  });

  it.each([
    ['call', 'reading'],
    ['refresh', 'running'],
    ['prime', 'running'],
    ['background', 'running'],
  ] as const)('begin for a %s with %s', (kind, name) => {
    const flight = new Flight('a', kind);
    expect(flight.state.name).toBe(name);
    expect(flight.isReading).toBe(name === 'reading');
    expect([flight.isSettled, flight.isEnding, flight.isFenced, flight.isAwaited]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each(['done', 'failed', 'timed-out', 'abandoned'] as const)('tell how it settled: %s', (how) => {
    const { flight } = runningFlight();
    flight.settle(how);
    expect(flight.isSettled).toBe(true);
    expect(flight.state).toEqual({ name: 'settled', how });
  });

  it('hold what overrides a read', () => {
    const flight = flightIn('reading');
    const prime = new Flight<string>('a', 'prime');
    const entry = { v: 1, value: 'x', storedAt: 0 } as const;
    flight.override({ type: 'use', entry });
    expect(flight.state).toEqual({ name: 'reading', override: { type: 'use', entry } });
    flight.override({ type: 'follow', prime });
    expect(flight.state).toEqual({ name: 'reading', override: { type: 'follow', prime } });
  });

  it('name the flight that is followed', () => {
    const flight = flightIn('reading');
    const [first, second] = [new Flight<string>('a', 'prime'), new Flight<string>('a', 'refresh')];
    expect(flight.leader).toBeUndefined();
    flight.follow(first);
    expect(flight.leader).toBe(first);
    flight.follow(second);
    expect(flight.leader).toBe(second);
    flight.run();
    expect(flight.leader).toBeUndefined();
  });

  it('tell a follower whose leader has settled', () => {
    const leader = new Flight<string>('a', 'refresh');
    const flight = flightIn('reading');
    flight.follow(leader);
    expect(flight.isEnding).toBe(false);
    leader.settle('done');
    expect(flight.isEnding).toBe(true);
    flight.run();
    expect(flight.isEnding).toBe(false);
  });
});

describe('Flight', () => {
  it('has all callers share one promise', async () => {
    const { flight } = runningFlight();
    expect(flight.promise).toBe(flight.promise);
    flight.resolve('value');
    await expect(flight.promise).resolves.toBe('value');
  });

  it('adopts a promise before callers share another one', async () => {
    const { flight } = runningFlight();
    const promise = Promise.resolve('value');
    flight.adopt(promise);
    expect(flight.promise).toBe(promise);
    flight.resolve('ignored');
    await expect(flight.promise).resolves.toBe('value');
  });

  it('keeps the promise that callers share already', async () => {
    const { flight } = runningFlight();
    const { promise } = flight;
    flight.adopt(Promise.resolve('late'));
    expect(flight.promise).toBe(promise);
    flight.resolve('value');
    await expect(promise).resolves.toBe('value');
  });

  it('rejects, also where no caller waits', async () => {
    runningFlight().flight.reject(new Error('no promise was made'));
    const { flight } = runningFlight();
    const { promise } = flight;
    flight.reject(new Error('down'));
    await flush();
    await expect(promise).rejects.toThrow('down');
  });

  it('gives later callers another promise after the fallback was served', async () => {
    const { flight } = runningFlight();
    const early = flight.promise;
    flight.resolve('old');
    flight.isFallbackServed = true;
    flight.reopen();
    expect(flight.isFallbackServed).toBe(false);
    const late = flight.promise;
    expect(late).not.toBe(early);
    flight.resolve('new');
    await expect(Promise.all([early, late])).resolves.toEqual(['old', 'new']);
  });

  it('rejects after it was reopened, also where no caller came since', async () => {
    const { flight } = runningFlight();
    const early = flight.promise;
    flight.resolve('old');
    flight.reopen();
    expect(() => flight.reject(new Error('down'))).not.toThrow();
    await expect(early).resolves.toBe('old');
  });

  it('can be abandoned as long as all its callers can leave', () => {
    const { flight } = runningFlight();
    expect(flight.canBeAbandoned).toBe(true);
    flight.admit(signals);
    expect(flight.canBeAbandoned).toBe(true);
    flight.admit(undefined);
    expect(flight.canBeAbandoned).toBe(false);
  });

  it('is abandoned when its last caller leaves, with that reason', () => {
    const { flight, abandoned } = runningFlight('call');
    flight.admit(signals);
    flight.admit(signals);
    expect(flight.isAwaited).toBe(true);
    flight.leave('one');
    expect(flight.isAwaited).toBe(true);
    expect(abandoned).not.toHaveBeenCalled();
    flight.leave('two');
    expect(flight.isAwaited).toBe(false);
    expect(abandoned.mock.calls).toEqual([['two']]);
  });

  it('is not abandoned once a caller without a signal has joined', () => {
    const { flight, abandoned } = runningFlight('call');
    flight.admit(signals);
    flight.admit(undefined);
    flight.leave('one');
    expect(flight.isAwaited).toBe(true);
    expect(abandoned).not.toHaveBeenCalled();
  });

  it.each([
    ['call', 'settled', 0],
    ['background', 'running', 0],
    ['refresh', 'running', 1],
  ] as const)('of a %s that is %s is abandoned %d times', (kind, state, times) => {
    const { flight, abandoned } = runningFlight(kind);
    flight.admit(signals);
    if (state === 'settled') flight.settle('done');
    flight.leave('one');
    expect(abandoned).toHaveBeenCalledTimes(times);
  });

  it('can be left by its last caller where there is nothing to abandon', () => {
    const flight = new Flight<string>('a', 'prime');
    flight.admit(signals);
    expect(() => flight.leave('one')).not.toThrow();
  });

  it('is one caller of its leader', () => {
    const { flight: leader, abandoned } = runningFlight();
    const flight = flightIn('reading');
    flight.admit(signals);
    flight.admit(signals);
    flight.follow(leader);
    expect(leader.isAwaited).toBe(true);
    leader.leave('the follower');
    expect(abandoned.mock.calls).toEqual([['the follower']]);
  });

  it.each(['before', 'after'])('pins its leader when a caller without a signal joins %s', (when) => {
    const { flight: leader, abandoned } = runningFlight();
    const flight = flightIn('reading');
    leader.admit(signals);
    if (when === 'before') flight.admit(undefined);
    else flight.admit(signals);
    flight.follow(leader);
    if (when === 'after') flight.admit(undefined);
    leader.leave('one');
    leader.leave('two');
    expect(abandoned).not.toHaveBeenCalled();
  });

  it('stops its timers when it settles', () => {
    const { flight } = runningFlight();
    const soft = { stop: jest.fn() };
    const hard = { stop: jest.fn(), fire: jest.fn(), firedAt: undefined, wasBusy: false, isOverdue: false };
    flight.setTimers(soft, hard);
    expect(soft.stop).not.toHaveBeenCalled();
    flight.settle('done');
    expect(soft.stop).toHaveBeenCalledTimes(1);
    expect(hard.stop).toHaveBeenCalledTimes(1);
    const bare = runningFlight().flight;
    bare.setTimers(undefined, undefined);
    expect(() => bare.settle('done')).not.toThrow();
  });
});
