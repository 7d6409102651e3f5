import { Buffer } from 'node:buffer';
import { randomFrom } from './arguments.mjs';
import { collectGarbage, now, WrongAnswer } from './sampling.mjs';

/**
 * Building a key and looking it up: a string put together from parts is flattened and hashed only when somebody reads
 * it, so building alone would flatter whoever concatenates most.
 */
const workloads = {
  W1: { title: 'a number', make: (id) => [id * 7 + 1], distinct: 1_000, batch: 2_000 },
  W2: { title: 'a short string', make: (id) => [freshString(`user-${100_000 + id}-x`)], distinct: 1_000, batch: 2_000 },
  W3: {
    title: 'string, number, boolean',
    make: (id) => [freshString(`tenant-${id % 50}`), id, id % 2 === 0],
    distinct: 1_000,
    batch: 2_000,
  },
  W4: {
    title: 'flat object of 3',
    make: (id) => [{ page: id, limit: 20, sort: freshString(`name-${id % 10}`) }],
    distinct: 1_000,
    batch: 2_000,
  },
  W5: { title: 'fetch-like options', make: makeRequest, distinct: 500, batch: 1_000 },
  W6: {
    title: '100 integers',
    make: (id) => [Array.from({ length: 100 }, (_, index) => id * 101 + index * 13)],
    distinct: 200,
    batch: 200,
  },
  W7: {
    title: '50 small objects',
    make: (id) => [
      Array.from({ length: 50 }, (_, index) => ({
        id: id * 50 + index,
        name: freshString(`product ${index}`),
        price: index + 0.5,
      })),
    ],
    distinct: 50,
    batch: 50,
  },
  W8: { title: 'Date, Map, Set, BigInt, 1 KiB bytes', make: makeExotic, distinct: 100, batch: 100 },
  W9: { title: '10,000 properties', make: makeWide, distinct: 2, batch: 2 },
  W10: { title: '50 objects of random shapes', make: makeShapes, distinct: 10, batch: 20 },
};

export const keyWorkloads = Object.fromEntries(
  Object.entries(workloads).map(([name, { title, ...rest }]) => [name, { title, prepare: keys(rest) }]),
);

/** Nodes of an argument: containers and what they hold. */
export const keysOf = ({ nodes }) =>
  keys({
    make: (id) => [
      Array.from({ length: Math.floor(nodes / 5) }, (_, index) => ({
        id: id * 1_000_000 + index,
        name: freshString(`item ${index}`),
        isOpen: index % 2 === 0,
        size: index + 0.25,
      })),
    ],
    distinct: 2,
    batch: Math.max(2, Math.min(1_000, Math.floor(20_000 / nodes))),
  });

function keys({ make, distinct, batch }) {
  return async ({ build }) => {
    const known = new Map();
    for (let id = 0; id < distinct; id += 1) known.set(build(make(id)), id);
    if (known.size !== distinct) {
      throw new WrongAnswer(`${distinct - known.size} of ${distinct} different argument lists shared a key`);
    }
    for (let id = 0; id < distinct; id += 1) {
      if (known.get(build(make(id))) !== id) throw new WrongAnswer('equal argument lists got different keys');
    }
    let next = 0;
    return {
      async sample(duration) {
        let wrong = 0;
        let calls = 0;
        let elapsed = 0;
        collectGarbage();
        do {
          // Every list is new, so that nobody can recognise an object it has seen.
          const ids = Array.from({ length: batch }, () => next++ % distinct);
          const lists = ids.map((id) => make(id));
          globalThis.gc({ type: 'minor' });
          const start = now();
          for (let at = 0; at < batch; at += 1) if (known.get(build(lists[at])) !== ids[at]) wrong += 1;
          elapsed += now() - start;
          calls += batch;
        } while (elapsed < duration);
        if (wrong > 0) throw new WrongAnswer(`${wrong} of ${calls} keys were not found again`);
        return (elapsed * 1e6) / calls;
      },
      details: () => ({ isCanonical: isCanonical(build, make(1)), confuses: confusedBy(build) }),
    };
  };
}

/** Whether the order of properties makes no difference; `undefined` where there are none. */
function isCanonical(build, args) {
  const turned = reversed(args);
  return build(args) === build(turned);
}

function reversed(value) {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
}

/** Pairs of different arguments that a key should tell apart. */
const lookalikes = [
  [[1], ['1']],
  [[1], [1n]],
  [[0], [-0]],
  [[null], [NaN]],
  [[undefined], [null]],
  [[{ a: undefined }], [{}]],
  [[new Map([['a', 1]])], [new Map([['a', 2]])]],
  [[new Set(['a'])], [new Set(['b'])]],
  [[/a/], [/b/]],
  [[new Date(0)], ['1970-01-01T00:00:00.000Z']],
  [['a'], [{ 0: 'a' }]],
  [[Symbol.for('a')], [Symbol.for('b')]],
];

/** How many of them share a key; whoever refuses one does not confuse it. */
function confusedBy(build) {
  const shared = lookalikes.filter(([one, other]) => {
    try {
      return build(one) === build(other);
    } catch {
      return false;
    }
  });
  return `${shared.length} of ${lookalikes.length}`;
}

/** Flat, and not hashed yet, like a string that has just been read from a request. */
function freshString(text) {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function makeRequest(id) {
  return [
    freshString(`https://api.example.com/v1/collections/${id}/items`),
    {
      method: 'GET',
      headers: {
        accept: 'application/json',
        'accept-language': 'en',
        'user-agent': 'bench',
        'x-tenant': freshString(`tenant-${id % 50}`),
      },
      query: { sort: 'created', order: 'desc', filter: 'active', from: '2024-01-01', to: '2024-12-31' },
      pagination: { page: id, limit: 50 },
    },
  ];
}

function makeExotic(id) {
  const bytes = new Uint8Array(1_024);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 31 + id) & 255;
  return [
    {
      since: new Date(1_700_000_000_000 + id * 1_000),
      limits: new Map([
        ['a', id],
        ['b', 2],
      ]),
      tags: new Set(['x', 'y', `z${id}`]),
      total: 12_345_678_901_234_567_890n + BigInt(id),
      bytes,
    },
  ];
}

function makeWide(id) {
  const random = randomFrom(1_234 + id);
  const wide = {};
  for (let at = 0; at < 10_000; at += 1) wide[`k${Math.floor(random() * 1e9).toString(36)}-${at}`] = at;
  return [wide];
}

function makeShapes(id) {
  const random = randomFrom(99_991 + id * 7);
  return [
    Array.from({ length: 50 }, () => {
      const object = {};
      const size = 3 + Math.floor(random() * 8);
      for (let at = 0; at < size; at += 1) object[`p${Math.floor(random() * 1e6).toString(36)}`] = at;
      return object;
    }),
  ];
}
