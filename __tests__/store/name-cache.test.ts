import { describe, expect, it } from '@jest/globals';
import { NameCache } from '../../lib/store/name-cache.js';
import { collectGarbage } from '../support/collect-garbage.js';

describe('NameCache', () => {
  it('puts the prefix before each key, whatever was asked before', () => {
    const names = new NameCache('f|');
    for (let round = 0; round < 3; round += 1) {
      for (const key of ['a', 'b', '', 'a', '__proto__']) expect(names.of(key)).toBe(`f|${key}`);
    }
  });

  it('seldom asks a store for its size, which may count its entries', () => {
    let asked = 0;
    const names = new NameCache('f|', () => {
      asked += 1;
      return 1_000;
    });
    for (let id = 0; id < 30_000; id += 1) names.of(`key ${id}`);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(30);
  });

  it('stays right when more keys are in use than it holds', () => {
    const names = new NameCache('f|');
    for (let round = 0; round < 4; round += 1) {
      for (let id = 0; id < 40_000; id += 1) if (names.of(`key ${id}`) !== `f|key ${id}`) throw new Error(`at ${id}`);
    }
  });

  it('stays right when it does not help, rests, and helps again', () => {
    const names = new NameCache('f|');
    for (let id = 0; id < 200_000; id += 1) if (names.of(`once ${id}`) !== `f|once ${id}`) throw new Error(`at ${id}`);
    for (let id = 0; id < 200_000; id += 1) {
      const key = `often ${id % 100}`;
      if (names.of(key) !== `f|${key}`) throw new Error(`at ${id}`);
    }
  });

  it('holds a bounded number of names, and none after `forget`', async () => {
    const cache = new NameCache('f|');
    const measure = async (): Promise<number> => {
      await collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const fill = (names: number): void => {
      // Long keys, so that what else comes and goes in the heap does not count.
      for (let id = 0; id < names; id += 1) cache.of(Buffer.alloc(1_000, `${id} `).toString('latin1'));
    };
    fill(10_000);
    cache.forget();
    const empty = await measure();
    fill(10_000);
    const held = (await measure()) - empty;
    expect(held).toBeGreaterThan(8_000_000);
    cache.forget();
    expect((await measure()) - empty).toBeLessThan(held / 2);
    fill(200_000);
    expect((await measure()) - empty).toBeLessThan(4 * held);
  });
});
