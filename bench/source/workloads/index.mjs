import * as hits from './hits.mjs';
import * as joins from './joins.mjs';
import * as memory from './memory.mjs';
import * as misses from './misses.mjs';
import * as turns from './turns.mjs';
import * as wrappers from './wrappers.mjs';
import { keysOf, keyWorkloads } from './keys.mjs';

/**
 * How a user sets the library up for the workloads Ua to Uf, where all of these play beside the same floor and the same
 * peers, in the same rounds. The goal is ours / floor at each of them. `within`: the most that it may be of another
 * contender; `added`: the most that the ratio may be above that of another set-up.
 */
export const setups = {
  U1: { contender: 'ours', title: 'own store', goal: 1.1, within: { contender: 'lru-cache', goal: 1.25 } },
  U2: { contender: 'ours:map', title: 'a Map', goal: 1.35 },
  U3: { contender: 'ours:quick-lru', title: 'a quick-lru', goal: 1.5 },
  U4: { contender: 'ours:lru-cache', title: 'an lru-cache', goal: 1.5 },
  U5: { contender: 'ours:more-options', title: 'more options', added: { setup: 'U1', goal: 0.2 } },
};

const withTtl = { floor: 'floor:clock', alsoAgainst: 'lru-cache', hasSetups: true };

/**
 * What is measured, against which floor, and the goal: ours / floor, or where there is a unit the number itself.
 * `prepare({ wrap, fillLimit, shrink, advance })` brings a contender to the state the workload starts from and resolves
 * with `sample`. `advance` puts the time forward; it is there only where nothing is timed.
 */
export const callWorkloads = {
  Ua: { title: 'ttl, hit of 100 strings', prepare: hits.Ua, ...withTtl },
  Ub: { title: 'ttl, hit of 10,000 strings', prepare: hits.Ub, ...withTtl },
  Uc: { title: 'ttl, hit of 100 (string, number)', prepare: hits.Uc, ...withTtl },
  Ud: { title: 'ttl, hit of 10,000 (string, number)', prepare: hits.Ud, ...withTtl },
  Ue: { title: 'ttl, hit of 100 fresh {page, limit, sort}', prepare: hits.Ue, ...withTtl },
  Uf: { title: 'ttl, hit of 10,000 fresh {…}', prepare: hits.Uf, ...withTtl },
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
  A1: { title: 'ttl, hit in an asynchronous store', prepare: hits.A1, floor: 'floor:store', goal: 1.5 },
  S1: {
    title: 'bytes for each of 100,000 entries',
    prepare: memory.S1,
    unit: 'B',
    goal: 110,
  },
  S1t: { title: 'the same with a ttl', prepare: memory.S1t, unit: 'B', goal: 150 },
  Th: { title: 'microtask turns until a hit is delivered', prepare: turns.Th, unit: 'turns', goal: 1 },
  Tm: { title: 'turns until a miss of an immediate fn is', prepare: turns.Tm, unit: 'turns', goal: 2 },
  N1: { title: 'time to wrap a function', prepare: wrappers.N1, unit: 'µs', goal: 20 },
  N1b: { title: 'bytes for each wrapper', prepare: wrappers.N1b, unit: 'B', goal: 2_000 },
};

const every = ['floor', 'floor:map-value', 'floor:qlru-value', 'ours'];
const withSetups = ['floor:clock', 'floor:qlru-value', ...Object.values(setups).map(({ contender }) => contender)];

/** Who of us and of the floors takes part in what; every peer takes part in everything it can do. */
export const housePlayers = {
  Ua: withSetups,
  Ub: withSetups,
  Uc: withSetups,
  Ud: withSetups,
  Ue: withSetups,
  Uf: withSetups,
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
  N1: every,
  N1b: every,
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
