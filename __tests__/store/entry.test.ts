import { answersErrors, freshnessOf, isDueEarly, lifetimeOf } from '../../lib/store/freshness.js';
import { describe, expect, it } from '@jest/globals';
import { createEntry, isEntry, markAsWritten } from '../../lib/store/entry.js';
import type { Entry } from '../../lib/store/store.js';

const none = { staleWhileRevalidate: 0, staleIfError: 0 };
const both = { staleWhileRevalidate: 20, staleIfError: 50 };

describe('createEntry', () => {
  it('keeps value, times and version, and nothing that is not known', () => {
    expect(createEntry({ value: 'Ada', ttl: 60 }, 1_000)).toStrictEqual({
      v: 1,
      value: 'Ada',
      storedAt: 1_000,
      freshUntil: 1_060,
    });
    expect(createEntry({ value: 'Ada', ttl: 60, duration: 5 }, 1_000)).toStrictEqual({
      v: 1,
      value: 'Ada',
      storedAt: 1_000,
      freshUntil: 1_060,
      duration: 5,
    });
  });

  it('has no end where `ttl` is endless', () => {
    expect(createEntry({ value: 'Ada', ttl: Infinity, duration: 5 }, 1_000)).toStrictEqual({
      v: 1,
      value: 'Ada',
      storedAt: 1_000,
    });
  });

  it.each([undefined, null, 0, '', false, 'x', [1], { a: 1 }])('makes an entry of %p that survives JSON', (value) => {
    const entry = createEntry({ value: value, ttl: 60 }, 1_000);
    const copy: unknown = JSON.parse(JSON.stringify(entry));
    expect(isEntry(copy)).toBe(true);
    expect((copy as Entry<unknown>).value).toEqual(value);
    expect(structuredClone(entry)).toStrictEqual(entry);
  });

  it('survives JSON without an end', () => {
    const copy: unknown = JSON.parse(JSON.stringify(createEntry({ value: undefined, ttl: Infinity }, 1_000)));
    expect(copy).toStrictEqual({ v: 1, storedAt: 1_000 });
    expect(isEntry(copy)).toBe(true);
    expect(freshnessOf(copy as Entry<unknown>, Number.MAX_SAFE_INTEGER, none)).toBe('fresh');
  });
});

describe('freshnessOf', () => {
  const entry = createEntry({ value: 'Ada', ttl: 100 }, 1_000);

  it.each([
    [1_000, 'fresh'],
    [1_099, 'fresh'],
    [1_099.9, 'fresh'],
    [1_100, 'expired'],
    [9_999_999, 'expired'],
  ] as const)('at %d without stale windows is %s', (now, freshness) => {
    expect(freshnessOf(entry, now, none)).toBe(freshness);
  });

  it.each([
    [1_099, 'fresh'],
    [1_100, 'stale'],
    [1_119, 'stale'],
    [1_120, 'fallback'],
    [1_149, 'fallback'],
    [1_150, 'expired'],
  ] as const)('at %d with both windows, which begin together, is %s', (now, freshness) => {
    expect(freshnessOf(entry, now, both)).toBe(freshness);
  });

  it('never calls a value stale after a shorter window, nor a fallback within a longer one', () => {
    const windows = { staleWhileRevalidate: 50, staleIfError: 20 };
    expect([1_119, 1_120, 1_149, 1_150].map((now) => freshnessOf(entry, now, windows))).toEqual([
      'stale',
      'stale',
      'stale',
      'expired',
    ]);
  });

  it('takes endless windows', () => {
    expect(freshnessOf(entry, 1e15, { staleWhileRevalidate: Infinity, staleIfError: 0 })).toBe('stale');
    expect(freshnessOf(entry, 1e15, { staleWhileRevalidate: 0, staleIfError: Infinity })).toBe('fallback');
  });

  it('takes an entry from a second ahead, and none from further in the future', () => {
    expect(freshnessOf(entry, 0, both)).toBe('fresh');
    expect(freshnessOf(entry, -1, both)).toBe('expired');
  });

  it('takes an entry without an end at any time', () => {
    const endless = createEntry({ value: 'Ada', ttl: Infinity }, 1_000);
    expect([-1e15, 0, 1e15].map((now) => freshnessOf(endless, now, none))).toEqual(['fresh', 'fresh', 'fresh']);
  });
});

describe('answersErrors', () => {
  const entry = createEntry({ value: 'Ada', ttl: 100 }, 1_000);

  it('is true until `staleIfError` has passed, whatever `staleWhileRevalidate` is', () => {
    expect([1_000, 1_100, 1_149, 1_150].map((now) => answersErrors(entry, now, both))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(answersErrors(entry, 1_100, { staleWhileRevalidate: 1_000, staleIfError: 0 })).toBe(false);
  });

  it('is true for an entry without an end, and false for one from more than a second ahead', () => {
    expect(answersErrors(createEntry({ value: 'Ada', ttl: Infinity }, 1_000), 1e15, none)).toBe(true);
    expect([answersErrors(entry, 0, both), answersErrors(entry, -1, both)]).toEqual([true, false]);
  });
});

describe('isDueEarly', () => {
  const entry = createEntry({ value: 'Ada', ttl: 100, duration: 10 }, 1_000);

  it('is true where `duration * beta * -ln(random)` reaches the end', () => {
    // -ln(e ** -5) * 10 = 50, so from 1050 on.
    expect(isDueEarly(entry, 1_049, 1, Math.exp(-5))).toBe(false);
    expect(isDueEarly(entry, 1_050.001, 1, Math.exp(-5))).toBe(true);
    expect(isDueEarly(entry, 1_000.001, 2, Math.exp(-5))).toBe(true);
    expect(isDueEarly(entry, 1_000, 1, 0)).toBe(true);
    expect(isDueEarly(entry, 1_099, 1, 0.999)).toBe(false);
    const due = 1_100 + 10 * Math.log(0.5);
    expect([isDueEarly(entry, due - 1e-6, 1, 0.5), isDueEarly(entry, due, 1, 0.5)]).toEqual([false, true]);
  });

  it('is false without a run time or an end', () => {
    expect(isDueEarly(createEntry({ value: 'Ada', ttl: 100 }, 1_000), 1_099, 1, 0)).toBe(false);
    expect(isDueEarly({ v: 1, value: 'Ada', storedAt: 1_000, duration: 10 }, 1_099, 1, 0)).toBe(false);
    expect(isDueEarly(createEntry({ value: 'Ada', ttl: 100, duration: 0 }, 1_000), 1_099, 1, 0)).toBe(false);
  });
});

describe('lifetimeOf', () => {
  it('is `ttl` and the longer stale window, in whole milliseconds, rounded up', () => {
    expect(lifetimeOf(100, none)).toBe(100);
    expect(lifetimeOf(100, both)).toBe(150);
    expect(lifetimeOf(100, { staleWhileRevalidate: 70, staleIfError: 50 })).toBe(170);
    expect(lifetimeOf(99.2, { staleWhileRevalidate: 0.1, staleIfError: 0 })).toBe(100);
  });

  it('has no end where one of them has none', () => {
    expect(lifetimeOf(Infinity, none)).toBeUndefined();
    expect(lifetimeOf(100, { staleWhileRevalidate: Infinity, staleIfError: 0 })).toBeUndefined();
    expect(lifetimeOf(100, { staleWhileRevalidate: 0, staleIfError: Infinity })).toBeUndefined();
  });
});

describe('isEntry', () => {
  const entry = { v: 1, value: 'Ada', storedAt: 1_000, freshUntil: 1_100, duration: 5 };

  it.each([
    [entry],
    [{ v: 1, storedAt: 0 }],
    [{ v: 1, storedAt: -5, freshUntil: -10, duration: 0 }],
    [Object.assign(Object.create(null) as object, entry)],
    [{ ...entry, extra: true }],
    [{ ...entry, value: { then: 5 } }],
  ])('is true for %p', (found) => {
    expect(isEntry(found)).toBe(true);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', JSON.stringify(entry)],
    ['a number', 1],
    ['a function', Object.assign(() => undefined, entry)],
    ['a list', [entry]],
    ['nothing', {}],
    ['another version', { ...entry, v: 2 }],
    ['a version that is text', { ...entry, v: '1' }],
    ['no time', { v: 1, value: 'Ada' }],
    ['a time that is no number', { ...entry, storedAt: new Date() }],
    ['a time that is NaN', { ...entry, storedAt: NaN }],
    ['a time that is endless', { ...entry, storedAt: -Infinity }],
    ['an end that is null', { ...entry, freshUntil: null }],
    ['an end that is endless', { ...entry, freshUntil: Infinity }],
    ['a duration that is null', { ...entry, duration: null }],
    ['a duration that is negative', { ...entry, duration: -1 }],
    ['a value that is a promise', { ...entry, value: Promise.resolve() }],
    ['a value that can be awaited', { ...entry, value: { then: () => undefined } }],
    ['a value that is a function that can be awaited', { ...entry, value: Object.assign(() => 1, { then: () => 1 }) }],
  ])('is false for %s', (_, found) => {
    expect(isEntry(found)).toBe(false);
  });
});

describe('an entry that this process has written', () => {
  it('is known by an invisible mark, which no copy has', () => {
    const entry = createEntry({ value: 'Ada', ttl: 60 }, 1_000);
    const before = structuredClone(entry);
    markAsWritten(entry);
    markAsWritten(entry);
    expect(entry).toEqual(before);
    expect(Reflect.ownKeys(entry)).toEqual(Reflect.ownKeys(before));
    // Not looked at again: it is the object that was checked when it was made.
    (entry as { storedAt: unknown }).storedAt = 'damaged';
    expect(isEntry(entry)).toBe(true);
    for (const copy of [
      { ...entry },
      structuredClone(entry),
      JSON.parse(JSON.stringify(entry)),
      new Proxy(entry, {}),
    ]) {
      expect(isEntry(copy)).toBe(false);
    }
  });

  it('may be frozen', () => {
    const entry = Object.freeze(createEntry({ value: 'Ada', ttl: 60 }, 1_000));
    markAsWritten(entry);
    expect(isEntry(entry)).toBe(true);
  });
});
