import { initOf, optionsOf, shapes, uniformOrder, urlOf } from './arguments.mjs';
import { callsPerTurn, expectRight, expectRuns, fill, timePerCall } from './sampling.mjs';

/**
 * Warm hits, awaited one after another. Every loop takes its arguments in its own way, so that no list of arguments is
 * made for the call that the call would not make.
 */
const loops = {
  async string(call, { lists, order }, from) {
    const mask = order.length - 1;
    let wrong = 0;
    for (let at = from; at < from + callsPerTurn; at += 1) {
      const id = order[at & mask];
      const value = await call(lists[id][0]);
      if (value.id !== id) wrong += 1;
    }
    return wrong;
  },
  async freshString(call, { order }, from) {
    const mask = order.length - 1;
    let wrong = 0;
    for (let at = from; at < from + callsPerTurn; at += 1) {
      const id = order[at & mask];
      const value = await call(`user:${id}`);
      if (value.id !== id) wrong += 1;
    }
    return wrong;
  },
  async pair(call, { lists, order }, from) {
    const mask = order.length - 1;
    let wrong = 0;
    for (let at = from; at < from + callsPerTurn; at += 1) {
      const id = order[at & mask];
      const list = lists[id];
      const value = await call(list[0], list[1]);
      if (value.id !== id) wrong += 1;
    }
    return wrong;
  },
  async options(call, { order, hold }, from) {
    const mask = order.length - 1;
    let wrong = 0;
    for (let at = from; at < from + callsPerTurn; at += 1) {
      const id = order[at & mask];
      const options = optionsOf(id);
      // Arguments that escape: else they would never exist for a contender that is inlined, and always for the others.
      hold.last = options;
      const value = await call(options);
      if (value.id !== id) wrong += 1;
    }
    return wrong;
  },
  async request(call, { order, hold }, from) {
    const mask = order.length - 1;
    let wrong = 0;
    for (let at = from; at < from + callsPerTurn; at += 1) {
      const id = order[at & mask];
      const init = initOf(id);
      hold.last = init;
      const value = await call(urlOf(id), init);
      if (value.id !== id) wrong += 1;
    }
    return wrong;
  },
};

function hits({ shape, keys: wantedKeys, capacity, loop, ttl, hasAsyncStore = false }) {
  return async ({ wrap, fillLimit, shrink, advance }) => {
    const { make, idOf } = shapes[shape];
    const keys = shrink(wantedKeys);
    let runs = 0;
    const fn = async (...args) => {
      runs += 1;
      return { id: idOf(...args) };
    };
    const stores = hasAsyncStore && { store: createAsyncStore(), expiringStore: createAsyncStore(ttl) };
    const call = wrap(fn, { shape, capacity, isBounded: false, ttl, ...stores });
    const traffic = {
      lists: Array.from({ length: keys }, (_, id) => make(id)),
      order: keys === 1 ? new Uint32Array(callsPerTurn) : uniformOrder(keys),
      hold: { last: undefined },
    };
    const askForEach = () =>
      fill(keys, fillLimit, async (id) => {
        const value = await call(...make(id));
        expectRight(value.id === id ? 0 : 1, 1);
      });
    await askForEach();
    expectRuns(runs, keys, 'while the cache was filled');
    if (ttl !== undefined && advance !== undefined) {
      await advance(ttl / 2);
      await askForEach();
      expectRuns(runs, keys, 'before the ttl was over');
      await advance(0.6 * ttl);
      await askForEach();
      expectRuns(runs, 2 * keys, 'after the ttl was over');
    }
    const runsBefore = runs;
    let at = 0;
    return {
      async sample(duration) {
        let wrong = 0;
        let calls = 0;
        const time = await timePerCall(duration, async () => {
          wrong += await loop(call, traffic, at);
          at = (at + callsPerTurn) % traffic.order.length;
          calls += callsPerTurn;
          return callsPerTurn;
        });
        expectRight(wrong, calls);
        expectRuns(runs, runsBefore, 'after warm hits');
        return time;
      },
    };
  };
}

/** With a `ttl` it forgets by itself, for whoever leaves that to the store. */
function createAsyncStore(ttl) {
  const map = new Map();
  const rest = {
    delete: async (key) => map.delete(key),
    clear: async () => map.clear(),
  };
  if (ttl === undefined) {
    return {
      ...rest,
      get: async (key) => map.get(key),
      has: async (key) => map.has(key),
      set: async (key, value) => void map.set(key, value),
    };
  }
  const fresh = (key) => {
    const entry = map.get(key);
    return entry !== undefined && entry.until > Date.now() ? entry : undefined;
  };
  return {
    ...rest,
    get: async (key) => fresh(key)?.value,
    has: async (key) => fresh(key) !== undefined,
    set: async (key, value) => void map.set(key, { value, until: Date.now() + ttl }),
  };
}

const hour = 3_600_000;

export const H1 = hits({ shape: 'string', keys: 1, capacity: 1_000, loop: loops.string });
export const H2 = hits({ shape: 'string', keys: 10_000, capacity: 20_000, loop: loops.string });
export const H2f = hits({ shape: 'string', keys: 10_000, capacity: 20_000, loop: loops.freshString });
export const H3 = hits({ shape: 'pair', keys: 1_000, capacity: 1_000, loop: loops.pair });
export const H4 = hits({ shape: 'options', keys: 100, capacity: 1_000, loop: loops.options });
export const H5 = hits({ shape: 'request', keys: 100, capacity: 1_000, loop: loops.request });
export const A1 = hits({
  shape: 'string',
  keys: 1_000,
  capacity: 1_000,
  loop: loops.string,
  ttl: hour,
  hasAsyncStore: true,
});

const few = { keys: 100, capacity: 1_000, ttl: hour };
const many = { keys: 10_000, capacity: 20_000, ttl: hour };
export const Ua = hits({ shape: 'string', loop: loops.string, ...few });
export const Ub = hits({ shape: 'string', loop: loops.string, ...many });
export const Uc = hits({ shape: 'pair', loop: loops.pair, ...few });
export const Ud = hits({ shape: 'pair', loop: loops.pair, ...many });
export const Ue = hits({ shape: 'options', loop: loops.options, ...few });
export const Uf = hits({ shape: 'options', loop: loops.options, ...many });

/** Warm hits as the number of keys grows. */
export const hitsOf = ({ keys }) => hits({ shape: 'string', keys, capacity: 2 * keys, loop: loops.string });
