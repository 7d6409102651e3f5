import { describe, expect, it, jest } from '@jest/globals';
import { NameCache } from '../../lib/store/name-cache.js';
import { collectedUntil } from '../support/collect-garbage.js';

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
    const sizes: number[] = [];
    let names: WeakRef<object> | undefined;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- `call` gives it its receiver
    const { set } = Map.prototype;
    const spy = jest.spyOn(Map.prototype, 'set').mockImplementation(function (
      this: Map<unknown, unknown>,
      key: unknown,
      value: unknown,
    ) {
      set.call(this, key, value);
      names = new WeakRef(this);
      sizes.push(this.size);
      return this;
    });
    try {
      for (let id = 0; id < 200_000; id += 1) cache.of(`key ${id}`);
      // So that something is held.
      for (let id = 0; id < 100; id += 1) cache.of(`key ${id}`);
    } finally {
      spy.mockRestore();
    }
    expect(Math.min(...sizes.slice(0, 100))).toBe(1);
    expect(sizes.filter((size) => size > 10_000).length).toBeGreaterThan(0);
    expect(sizes.filter((size) => size > 16_384)).toEqual([]);
    cache.forget();
    await collectedUntil(() => names?.deref() === undefined);
  });
});
