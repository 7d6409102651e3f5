import { describe, expect, it } from '@jest/globals';
import { digestKeys, memoizeAsync } from 'aiocachetools';
import { redisStore } from 'aiocachetools/redis';
import type { Entry } from '../../lib/store/store.js';

describe('digestKeys', () => {
  it('stores under 88 lower-case hexadecimal digits, those of the name first', async () => {
    const map = new Map<string, Entry<unknown>>();
    const cache = digestKeys(map);
    const f = memoizeAsync(async (id: string) => id, { cache, name: 'f' });
    for (const id of ['a', 'A', 'a'.repeat(600)]) await f(id);
    const keys = [...map.keys()];
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{88}$/);
    expect(new Set(keys.map((key) => key.slice(0, 24))).size).toBe(1);
    expect(new Set(keys).size).toBe(3);
  });

  it('writes the same keys in every process and version', () => {
    const map = new Map<string, Entry<unknown>>();
    void digestKeys(map).set('getUser|#7', { v: 1, storedAt: 0 });
    expect([...map.keys()]).toEqual([
      '250f854af1de282a0daf6c9a4258b79637318a7817b6e84c098b08e0128e991a9e84cf9703dc2a555d0f30eb',
    ]);
  });

  it('clears one name and touches nothing else', async () => {
    const map = new Map<string, Entry<unknown>>([['foreign', { v: 1, storedAt: 0 }]]);
    const cache = digestKeys(map);
    const [f, g] = ['f', 'g'].map((name) => memoizeAsync(async (id: number) => id, { cache, name }));
    await Promise.all([f!(1), f!(2), g!(1)]);
    await f!.clear();
    expect([map.size, await f!.has(1), await g!.has(1)]).toEqual([2, false, true]);
    expect(await g!.delete(1)).toBe(true);
    expect([...map.keys()]).toEqual(['foreign']);
  });

  it('passes a lifetime on where the store takes one', () => {
    const given: unknown[][] = [];
    const store = { get: () => undefined, set: (...args: unknown[]) => given.push(args.slice(2)), delete: () => true };
    void digestKeys(store).set('f|1', { v: 1, storedAt: 0 }, 5);
    void digestKeys({ ...store, takesTtl: true }).set('f|1', { v: 1, storedAt: 0 }, 5);
    expect(given).toEqual([[], [5]]);
  });

  it('cannot clear what cannot be listed, and asks for a whole name', async () => {
    const digested = digestKeys({ get: () => undefined, set: () => {}, delete: () => {} });
    expect(typeof digested.deleteByPrefix).toBe('undefined');
    await expect(digestKeys(new Map()).deleteByPrefix!('f|1')).rejects.toThrow(
      'Expected the prefix to be a name and `|`, got "f|1"',
    );
  });

  it('refuses a store that digests keys itself', () => {
    expect(() => digestKeys(redisStore(async () => 'OK'))).toThrow(
      'Expected `store` to be a store that keeps keys as they are, got one that digests them itself',
    );
  });
});
