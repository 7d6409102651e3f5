import { describe, expect, it } from '@jest/globals';
import { runInNewContext } from 'node:vm';
import { Temporal as secondPolyfill } from '@js-temporal/polyfill';
import { Temporal as polyfill } from 'temporal-polyfill';
import { createKeyBuilder } from '../support/create-key-builder.js';

type Temporal = typeof polyfill;

const keyFor = createKeyBuilder({ name: 'f' });
const key = (...args: unknown[]): string => keyFor(undefined, args);

const builtIn = (globalThis as { Temporal?: Temporal }).Temporal;
const foreign = runInNewContext('globalThis.Temporal') as Temporal | undefined;
const makers = [
  ['temporal-polyfill', polyfill],
  ['@js-temporal/polyfill', secondPolyfill as unknown as Temporal],
  ['the built-in, where there is one', builtIn ?? polyfill],
  ['the built-in of another realm', foreign ?? polyfill],
] as const;

describe.each(makers)('Temporal of %s', (_, temporal) => {
  it.each<[string, (t: Temporal) => unknown, string]>([
    ['an Instant', (t) => t.Instant.from('2026-01-02T03:04:05.000000006Z'), '@T"7:Instant"30:2026-01-02T03:04:05.000000006Z'],
    ['a ZonedDateTime', (t) => t.ZonedDateTime.from('2026-07-01T12:00+02:00[Europe/Berlin]'), '@T"13:ZonedDateTime"40:2026-07-01T12:00:00+02:00[Europe/Berlin]'],
    ['a PlainDate', (t) => t.PlainDate.from('2026-01-02'), '@T"9:PlainDate"10:2026-01-02'],
    ['a PlainDate of another calendar', (t) => t.PlainDate.from('2026-01-02[u-ca=gregory]'), '@T"9:PlainDate"24:2026-01-02[u-ca=gregory]'],
    ['a PlainTime', (t) => t.PlainTime.from('03:04'), '@T"9:PlainTime"8:03:04:00'],
    ['a PlainDateTime', (t) => t.PlainDateTime.from('2026-01-02T03:04:05.6'), '@T"13:PlainDateTime"21:2026-01-02T03:04:05.6'],
    ['a PlainYearMonth', (t) => t.PlainYearMonth.from('2026-01'), '@T"14:PlainYearMonth"7:2026-01'],
    ['a PlainMonthDay', (t) => t.PlainMonthDay.from('01-02'), '@T"13:PlainMonthDay"5:01-02'],
    ['a Duration', (t) => t.Duration.from({ hours: 36, seconds: 90, milliseconds: 5 }), '@T"8:Duration"12:PT36H90.005S'],
    ['one in an object', (t) => ({ since: t.PlainDate.from('2026-01-02') }), '{1"5:since@T"9:PlainDate"10:2026-01-02'],
    ['one in a Map', (t) => new Map([[t.PlainTime.from('03:04'), 1]]), '@M1@T"9:PlainTime"8:03:04:00#1'],
  ])('writes %s by its kind and its text', (_name, make, expected) => {
    expect(key(make(temporal))).toBe(expected);
  }); // prettier-ignore

  it('tells kinds and texts apart', () => {
    const values = [
      temporal.PlainDate.from('2026-01-02'),
      temporal.PlainDate.from('2026-01-03'),
      temporal.PlainDateTime.from('2026-01-02'),
      '2026-01-02',
      ['PlainDate', '2026-01-02'],
    ];
    expect(new Set(values.map((value) => key(value))).size).toBe(values.length);
  });

  it.each<[string, (t: Temporal) => object, string]>([
    ['only the prototype', (t) => Object.create(t.PlainDate.prototype) as object, 'Temporal.PlainDate without its internal state'],
    ['a Proxy', (t) => new Proxy(t.Instant.from('2026-01-02T00:00Z'), {}), 'Temporal.Instant without its internal state'],
    ['own properties', (t) => Object.assign(t.PlainDate.from('2026-01-02'), { extra: 1 }), 'Temporal.PlainDate with properties of its own'],
    ['an instance of a subclass', (t) => new (class Holiday extends t.PlainDate {})(2026, 1, 2), 'Holiday'],
    ['a module', (t) => t.Now, 'Temporal.Now'],
  ])('is refused: %s', (_name, make, reason) => {
    expect(() => key(make(temporal))).toThrow(`argument 0 (${reason}`);
  }); // prettier-ignore
});

describe('an object that calls itself Temporal', () => {
  const tag = { value: 'Temporal.PlainDate' };
  const text = { value: () => '2026-01-02' };
  const branded = { value: () => { throw new TypeError('no state'); } }; // prettier-ignore

  /** A class with these properties on its prototype. */
  function instance(properties: PropertyDescriptorMap & ThisType<unknown>, from?: unknown): object {
    class PlainDate {
      static from = from;
    }
    Object.defineProperties(PlainDate.prototype, properties);
    return new PlainDate();
  }

  it.each<[string, () => object]>([
    ['a plain object', () => Object.defineProperties({}, { [Symbol.toStringTag]: tag, toString: text })],
    ['a class with the tag', () => instance({ [Symbol.toStringTag]: tag, toString: text }, () => 1)],
    ['a class without `from`', () => instance({ [Symbol.toStringTag]: tag, toString: branded })],
    ['a class without `toString`', () => instance({ [Symbol.toStringTag]: tag }, () => 1)],
    ['a class with a getter', () => instance({ [Symbol.toStringTag]: { get: () => tag.value }, toString: branded }, () => 1)],
    ['a tag that can be assigned', () => instance({ [Symbol.toStringTag]: { ...tag, writable: true }, toString: branded }, () => 1)],
    ['a prototype without a class', () => Object.create(Object.defineProperties({}, { [Symbol.toStringTag]: tag, toString: branded })) as object],
    ['another kind', () => instance({ [Symbol.toStringTag]: { value: 'Temporal.Calendar' }, toString: branded }, () => 1)],
  ])('is refused: %s', (_, make) => {
    expect(() => key({ a: make() })).toThrow(/argument 0 at `\.a`/);
  }); // prettier-ignore
});
