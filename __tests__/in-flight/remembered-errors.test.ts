import { describe, expect, it } from '@jest/globals';
import { RememberedErrors } from '../../lib/in-flight/remembered-errors.js';

describe('RememberedErrors', () => {
  it('recalls an error until its time is up, and forgets it then', () => {
    const errors = new RememberedErrors();
    errors.remember('a', 'down', 100);
    expect(errors.recall('a', 99)).toMatchObject({ error: 'down' });
    expect(errors.recall('b', 99)).toBeUndefined();
    expect(errors.size).toBe(1);
    expect(errors.recall('a', 100)).toBeUndefined();
    expect(errors.size).toBe(0);
  });

  it('recalls an error that is undefined', () => {
    const errors = new RememberedErrors();
    errors.remember('a', undefined, 100);
    expect(errors.recall('a', 0)).toMatchObject({ error: undefined });
  });

  it('forgets one, or all', () => {
    const errors = new RememberedErrors();
    errors.forget('a');
    for (const key of ['a', 'b', 'c']) errors.remember(key, key, 100);
    errors.forget('a');
    expect([errors.recall('a', 0), errors.size]).toEqual([undefined, 2]);
    errors.forgetAll();
    expect(errors.size).toBe(0);
  });

  it('holds 1,000: the one that was remembered longest ago goes first', () => {
    const errors = new RememberedErrors();
    for (let index = 0; index < 1_000; index += 1) errors.remember(`${index}`, index, 100);
    expect(errors.size).toBe(1_000);
    errors.remember('0', 'again', 100);
    expect(errors.size).toBe(1_000);
    errors.remember('new', 'new', 100);
    expect(errors.size).toBe(1_000);
    expect(errors.recall('1', 0)).toBeUndefined();
    expect(errors.recall('0', 0)).toMatchObject({ error: 'again' });
    expect(errors.recall('2', 0)).toMatchObject({ error: 2 });
  });
});
