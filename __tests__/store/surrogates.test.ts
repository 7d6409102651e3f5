import { expect, it } from '@jest/globals';
import { memoizeAsync } from 'aiocachetools';
import type { Entry } from 'aiocachetools';

it('a store that keeps keys as UTF-8 gives no result of another string for one with lone surrogates', async () => {
  const entries = new Map<string, Entry<string>>();
  const utf8 = (key: string): string => new TextDecoder().decode(new TextEncoder().encode(key));
  const cache = {
    get: (key: string) => entries.get(utf8(key)),
    set: (key: string, entry: Entry<string>) => void entries.set(utf8(key), entry),
    delete: (key: string) => entries.delete(utf8(key)),
  };
  const f = memoizeAsync(async (text: string) => JSON.stringify(text), { name: 'f', cache });
  expect(await f('a\uFFFD')).toBe('"a\uFFFD"');
  expect(await f('a\uD800')).toBe('"a\\ud800"');
  expect([await f('a\uFFFD'), await f('a\uD800'), f.stats().runs]).toEqual(['"a\uFFFD"', '"a\\ud800"', 2]);
});
