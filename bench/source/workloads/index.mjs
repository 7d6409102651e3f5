import * as hits from './hits.mjs';
import * as joins from './joins.mjs';
import * as memory from './memory.mjs';
import * as misses from './misses.mjs';
import * as turns from './turns.mjs';
import { keysOf, keyWorkloads } from './keys.mjs';

/**
 * What is measured, against which floor, and the goal: ours / floor, or for bytes and turns the number itself.
 * `prepare({ wrap, fillLimit })` brings a contender to the state the workload starts from and resolves with `sample`.
 */
export const callWorkloads = {
  H1: { title: 'warm hit, one string key', prepare: hits.H1, floor: 'floor', goal: 1.7 },
  H2: { title: 'warm hit, 10,000 string keys', prepare: hits.H2, floor: 'floor', goal: 1.45 },
  H2f: { title: 'the same, string built afresh', prepare: hits.H2f, floor: 'floor', goal: 1.4 },
  H3: { title: 'warm hit, (string, number), 1,000 pairs', prepare: hits.H3, floor: 'floor', goal: 1.75 },
  H4: { title: 'warm hit, fresh {page, limit, sort}', prepare: hits.H4, floor: 'floor', goal: 1.65 },
  H5: { title: 'warm hit, fresh (url, {method, headers, query})', prepare: hits.H5, floor: 'floor', goal: 1.15 },
  M1a: { title: 'all misses, capacity 1,000', prepare: misses.M1a, floor: 'floor', goal: 2.1 },
  M1b: { title: 'all misses, capacity 100,000', prepare: misses.M1b, floor: 'floor', goal: 1.7 },
  C1: {
    title: '10,000 callers on one flight',
    prepare: joins.C1,
    floor: 'floor:promise',
    alsoAgainst: 'floor',
    goal: 1.4,
  },
  C1b: { title: 'bytes for each caller of C1', prepare: joins.C1b, unit: 'B', goal: 0 },
  C2: { title: '1,000 keys × 100 callers', prepare: joins.C2, floor: 'floor', goal: 1.2 },
  Z1: {
    title: 'zipf(0.99), 100,000 keys, capacity 10,000',
    prepare: misses.Z1,
    floor: 'floor:unbounded',
    alsoAgainst: 'floor',
    goal: 1.3,
  },
  A1: { title: 'warm hit in an asynchronous store', prepare: hits.A1, floor: 'floor:store', goal: 1.1 },
  S1: {
    title: 'bytes for each of 100,000 entries',
    prepare: memory.S1,
    unit: 'B',
    goal: 110,
  },
  S1t: { title: 'the same with a ttl', prepare: memory.S1t, unit: 'B', goal: 150 },
  Th: { title: 'microtask turns until a hit is delivered', prepare: turns.Th, unit: 'turns', goal: 1 },
  Tm: { title: 'turns until a miss of an immediate fn is', prepare: turns.Tm, unit: 'turns', goal: 2 },
};

const every = ['floor', 'floor:map-value', 'floor:qlru-value', 'ours'];

/** Who of us and of the floors takes part in what; every peer takes part in everything it can do. */
export const housePlayers = {
  H1: [...every, 'ours:quick-lru', 'ours:map'],
  H2: [...every, 'ours:quick-lru', 'ours:map'],
  H2f: [...every, 'ours:quick-lru', 'ours:map'],
  H3: [...every, 'ours:quick-lru', 'ours:map'],
  H4: [...every, 'ours:quick-lru', 'ours:map'],
  H5: [...every, 'ours:quick-lru', 'ours:map'],
  M1a: [...every, 'floor:none', 'ours:quick-lru'],
  M1b: [...every, 'floor:none', 'ours:quick-lru'],
  C1: ['floor:promise', ...every],
  C1b: every,
  C2: every,
  Z1: ['floor:unbounded', ...every, 'ours:quick-lru'],
  A1: ['floor:store', 'ours'],
  S1: [...every, 'ours:map', 'ours:quick-lru'],
  S1t: ['ours', 'ours:map', 'ours:quick-lru'],
  Th: every,
  Tm: every,
};

/** Series: one workload at growing sizes. The exponent is that of the whole work, so 1 is linear. */
export const scalingSeries = {
  'hits, by keys in the store': {
    parameter: 'keys',
    sizes: [1e3, 1e4, 1e5, 1e6],
    prepare: hits.hitsOf,
    unit: 'ns',
    work: (n) => n,
  },
  'bytes, by keys in the store': {
    parameter: 'keys',
    sizes: [1e3, 1e4, 1e5, 1e6],
    prepare: memory.bytesOf,
    unit: 'B',
    work: (n) => n,
  },
  'joins, by callers on one flight': {
    parameter: 'callers',
    sizes: [1, 10, 1e2, 1e3, 1e4, 1e5],
    prepare: joins.joinsOf,
    unit: 'ns',
    work: (n) => n,
  },
  'keys, by nodes of the arguments': {
    parameter: 'nodes',
    sizes: [10, 1e2, 1e3, 1e4, 1e5],
    prepare: keysOf,
    unit: 'ns',
    work: () => 1,
  },
};

export { keyWorkloads };
