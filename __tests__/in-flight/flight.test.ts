import { describe, expect, it, jest } from '@jest/globals';
import { Flight } from '../../lib/in-flight/flight.js';
import { flush } from '../support/call-recorder.js';
import type { FlightKind } from '../../lib/in-flight/flight.js';

function flightOf(kind: FlightKind = 'call') {
  const flight = new Flight<string>('a', kind, 'run');
  const abandoned = jest.fn();
  flight.onAbandoned = abandoned;
  return { flight, abandoned };
}

const signals = [new AbortController().signal];

describe('Flight', () => {
  it('starts unfenced, unheard and unawaited', () => {
    expect(new Flight('a', 'call', 'lookup')).toMatchObject({
      key: 'a',
      kind: 'call',
      phase: 'lookup',
      isFenced: false,
      isLookupVoid: false,
      isAnsweredEarly: false,
      isRunning: false,
      hasTimedOut: false,
      hasFailed: false,
      isEnding: false,
      isAwaited: false,
      startedAt: undefined,
      askedAt: undefined,
    });
  });

  it('gives all who ask one answer', async () => {
    const { flight } = flightOf();
    expect(flight.answer).toBe(flight.answer);
    flight.resolve('value');
    await expect(flight.answer).resolves.toBe('value');
    expect(flight.hasFailed).toBe(false);
  });

  it('lets a promise stand for the answer that nobody asked for yet', async () => {
    const { flight } = flightOf();
    const promise = Promise.resolve('value');
    flight.answerWith(promise);
    expect(flight.answer).toBe(promise);
    flight.resolve('ignored');
    await expect(flight.answer).resolves.toBe('value');
  });

  it('keeps the answer that callers wait for already', async () => {
    const { flight } = flightOf();
    const { answer } = flight;
    flight.answerWith(Promise.resolve('late'));
    expect(flight.answer).toBe(answer);
    flight.resolve('value');
    await expect(answer).resolves.toBe('value');
  });

  it('fails, also where nobody waits', async () => {
    const { flight } = flightOf();
    flight.reject(new Error('nobody asked'));
    expect(flight.hasFailed).toBe(true);
    const asked = flightOf().flight;
    const { answer } = asked;
    asked.reject(new Error('down'));
    await flush();
    await expect(answer).rejects.toThrow('down');
  });

  it('opens again after an early answer', async () => {
    const { flight } = flightOf();
    const early = flight.answer;
    flight.resolve('old');
    flight.isAnsweredEarly = true;
    flight.reopen();
    expect(flight.isAnsweredEarly).toBe(false);
    const late = flight.answer;
    expect(late).not.toBe(early);
    flight.resolve('new');
    await expect(Promise.all([early, late])).resolves.toEqual(['old', 'new']);
  });

  it('may fail after it was opened again, though nobody has asked since', async () => {
    const { flight } = flightOf();
    const early = flight.answer;
    flight.resolve('old');
    flight.reopen();
    expect(() => flight.reject(new Error('down'))).not.toThrow();
    expect(flight.hasFailed).toBe(true);
    await expect(early).resolves.toBe('old');
  });

  it('may be abandoned as long as all its callers can leave', () => {
    const { flight } = flightOf();
    expect(flight.mayBeAbandoned).toBe(true);
    flight.admit(signals);
    expect(flight.mayBeAbandoned).toBe(true);
    flight.admit(undefined);
    expect(flight.mayBeAbandoned).toBe(false);
  });

  it('says whose run it waits for', () => {
    const [{ flight }, { flight: leader }] = [flightOf(), flightOf()];
    expect(flight.leader).toBeUndefined();
    flight.follow(leader);
    expect(flight.leader).toBe(leader);
    flight.unfollow();
    expect(flight.leader).toBeUndefined();
  });

  it('is abandoned by the last of its callers, with its reason', () => {
    const { flight, abandoned } = flightOf();
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

  it('is never abandoned once a caller came who cannot leave', () => {
    const { flight, abandoned } = flightOf();
    flight.admit(signals);
    flight.admit(undefined);
    flight.leave('one');
    expect(flight.isAwaited).toBe(true);
    expect(abandoned).not.toHaveBeenCalled();
  });

  it('is never abandoned when it is over, or goes on for the sake of the store', () => {
    for (const kind of ['call', 'background'] as const) {
      const { flight, abandoned } = flightOf(kind);
      flight.admit(signals);
      if (kind === 'call') flight.end();
      flight.leave('one');
      expect(abandoned).not.toHaveBeenCalled();
    }
    const { flight, abandoned } = flightOf('refresh');
    flight.admit(signals);
    flight.leave('one');
    expect(abandoned).toHaveBeenCalledTimes(1);
  });

  it('can be left by the last caller where nobody has to be told', () => {
    const flight = new Flight<string>('a', 'prime', 'run');
    flight.admit(signals);
    expect(() => flight.leave('one')).not.toThrow();
  });

  it('is a caller of the flight that it follows', () => {
    const { flight: leader, abandoned } = flightOf('refresh');
    const { flight } = flightOf();
    flight.admit(signals);
    flight.admit(signals);
    flight.follow(leader);
    expect(leader.isAwaited).toBe(true);
    leader.leave('the follower');
    expect(abandoned.mock.calls).toEqual([['the follower']]);
  });

  it.each(['before', 'after'])('holds the flight that it follows when a caller came %s that cannot leave', (when) => {
    const { flight: leader, abandoned } = flightOf('refresh');
    const { flight } = flightOf();
    leader.admit(signals);
    if (when === 'before') flight.admit(undefined);
    else flight.admit(signals);
    flight.follow(leader);
    if (when === 'after') flight.admit(undefined);
    leader.leave('one');
    leader.leave('two');
    expect(abandoned).not.toHaveBeenCalled();
  });

  it('is ending when the flight that it follows is over, unless it follows no more', () => {
    const { flight: leader } = flightOf('refresh');
    const { flight } = flightOf();
    flight.follow(leader);
    expect(flight.isEnding).toBe(false);
    leader.end();
    expect(flight.isEnding).toBe(true);
    flight.unfollow();
    expect(flight.isEnding).toBe(false);
  });

  it('stops its timers when it ends', () => {
    const { flight } = flightOf();
    const [soft, hard] = [{ stop: jest.fn() }, { stop: jest.fn() }];
    flight.limit(soft, hard);
    expect(soft.stop).not.toHaveBeenCalled();
    flight.end();
    expect(flight.phase).toBe('over');
    expect(soft.stop).toHaveBeenCalledTimes(1);
    expect(hard.stop).toHaveBeenCalledTimes(1);
    const bare = flightOf().flight;
    bare.limit(undefined, undefined);
    expect(() => bare.end()).not.toThrow();
  });
});
