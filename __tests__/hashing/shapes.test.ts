import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeShape, namesOf, ShapeTable } from '../../lib/hashing/shapes.js';
import type { ShapeNode } from '../../lib/hashing/shapes.js';

/** The node of a list of names, or `undefined` where the table does not hold it. */
function nodeOf(table: ShapeTable, names: readonly string[]): ShapeNode | undefined {
  return names.reduce<ShapeNode | undefined>((node, name) => node && table.step(node, name), table.root);
}

/** A table with as many nodes as it holds. */
function full(): ShapeTable {
  const table = new ShapeTable();
  for (let i = 0; i < 1024; i++) expect(nodeOf(table, [`n${i}`])).toBeDefined();
  return table;
}

describe('ShapeTable', () => {
  it('has one node and one shape for one list of names', () => {
    const table = new ShapeTable();
    const [ab, ba] = [nodeOf(table, ['a', 'b'])!, nodeOf(table, ['b', 'a'])!];
    expect(nodeOf(table, ['a', 'b'])).toBe(ab);
    expect(nodeOf(table, ['b', 'a'])).toBe(ba);
    expect(ab).not.toBe(ba);
    expect([namesOf(ab), namesOf(ba), namesOf(table.root)]).toEqual([['a', 'b'], ['b', 'a'], []]);
    expect(table.shapeOf(ab)).toEqual({ header: '{2"1:a"1:b', order: undefined });
    expect(table.shapeOf(ba)).toEqual({ header: '{2"1:a"1:b', order: [1, 0] });
    expect(table.shapeOf(ab)).toBe(table.shapeOf(ab));
  });

  it('keeps the last step of a node', () => {
    const table = new ShapeTable();
    const { root } = table;
    const b = table.step(root, 'b');
    const a = table.step(root, 'a');
    expect(root).toMatchObject({ lastName: 'a', lastNode: a });
    table.step(root, 'b');
    expect(root).toMatchObject({ lastName: 'b', lastNode: b });
  });

  it('remembers lists of up to 40 names of up to 64 characters', () => {
    const table = new ShapeTable();
    const names = Array.from({ length: 41 }, (_, i) => `n${i}`);
    expect(nodeOf(table, names.slice(1))).toBeDefined();
    expect(nodeOf(table, names)).toBeUndefined();
    expect(nodeOf(table, ['n'.repeat(64)])).toBeDefined();
    expect(nodeOf(table, ['n'.repeat(65)])).toBeUndefined();
  });

  it('holds 1,024 nodes, and finds them when it is full', () => {
    const table = full();
    expect(nodeOf(table, ['more'])).toBeUndefined();
    expect(nodeOf(table, ['n0'])).toBeDefined();
    expect(nodeOf(table, ['n1023'])).toBeDefined();
  });

  it('starts afresh after 4,096 unknown names, and again', () => {
    const table = full();
    for (let round = 0; round < 2; round++) {
      const { root } = table;
      for (let i = 0; i < 4095; i++) expect(nodeOf(table, ['more'])).toBeUndefined();
      expect(table.root).toBe(root);
      expect(nodeOf(table, ['more'])).toBeUndefined();
      expect(table.root).not.toBe(root);
      expect(namesOf(table.root)).toEqual([]);
      for (let i = 0; i < 1024; i++) expect(nodeOf(table, [`other${round}-${i}`])).toBeDefined();
    }
  });
});

describe('describeShape', () => {
  it('sorts by code unit, and returns the position of each name', () => {
    expect(describeShape([])).toEqual({ header: '{0', order: undefined });
    expect(describeShape(['b', 'a', 'Z'])).toEqual({ header: '{3"1:Z"1:a"1:b', order: [2, 1, 0] });
    expect(describeShape(['a', 'c', 'b'])).toEqual({ header: '{3"1:a"1:b"1:c', order: [0, 2, 1] });
    expect(describeShape(['', 'a', 'é'])).toEqual({ header: '{3"0:"1:a"1:é', order: undefined });
  });

  const letters = fc.constantFrom('', 'a', 'b', 'B', '0', '~', '\u007f', '\u0000', 'é', '\ud800', '\uffff', 'common ');
  const name = fc.array(letters, { maxLength: 9 }).map((parts) => parts.join(''));

  it('sorts as `Array.prototype.sort` does, for any number of names and any common start', () => {
    const few = fc.uniqueArray(name, { maxLength: 24 });
    const many = fc.uniqueArray(name, { minLength: 25, maxLength: 60 });
    const lists = fc.tuple(fc.oneof(few, many), fc.constantFrom('', 'common ', 'é'));
    fc.assert(
      fc.property(lists, ([own, start]) => {
        const names = own.map((each) => start + each);
        expectSorted(names);
        expectSorted(names.toReversed());
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['24 names', 24, (i: number) => `k${(i * 7) % 24}`],
    ['25 names', 25, (i: number) => `k${(i * 7) % 25}`],
    ['100,000 names', 100_000, (i: number) => `k${i * 7919}`],
  ])('sorts %s', (_, count, nameOf) => {
    expectSorted(Array.from({ length: count }, (__, i) => nameOf(i)));
  });

  // Compared as a whole: printing so many names takes longer than the test.
  function expectSorted(names: readonly string[]): void {
    const { header, order } = describeShape(names);
    const sorted = [...names].sort();
    const found = order?.map((index) => names[index]) ?? names;
    expect(found.length === sorted.length && sorted.every((each, index) => each === found[index])).toBe(true);
    expect(header === `{${sorted.length}${sorted.map((each) => `"${each.length}:${each}`).join('')}`).toBe(true);
  }
});
