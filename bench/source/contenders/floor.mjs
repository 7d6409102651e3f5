/**
 * What a user would write instead: a `Map` of promises under a key put together by hand. No deadline, no fence, no
 * forgetting of errors, so it is as little work as a hit or a miss can be.
 */
export const floor = {
  title: 'Map of promises',
  wrap(fn, { shape, capacity, isBounded }) {
    const { get, put } = isBounded ? twoGenerations(capacity) : plainMap();
    return byHand(shape, fn, get, put);
  },
};

/** Without a bound, also where the others have one: it answers what they have had to forget. */
export const unbounded = {
  title: 'Map of promises, unbounded',
  wrap: (fn, options) => floor.wrap(fn, { ...options, isBounded: false }),
};

/** The same for results that have an end: every hit looks at the clock. */
export const clock = {
  title: 'Map of { promise, until }',
  wrap(fn, { shape, capacity, isBounded, ttl }) {
    const { get, put } = isBounded ? twoGenerations(capacity) : plainMap();
    const fresh = (key) => {
      const entry = get(key);
      return entry !== undefined && entry.until > Date.now() ? entry.promise : undefined;
    };
    return byHand(shape, fn, fresh, (key, promise) => put(key, { promise, until: Date.now() + ttl }).promise);
  },
};

/** Nothing but the promise that everybody shares: what joining cannot be cheaper than. */
export const promise = {
  title: 'the promise itself',
  wrap(fn) {
    let shared;
    let sharedKey;
    return (key) => {
      if (key !== sharedKey) {
        sharedKey = key;
        shared = fn(key);
      }
      return shared;
    };
  },
};

/** No cache at all. */
export const none = {
  title: 'no cache',
  wrap: (fn) => fn,
};

/** Values instead of promises, with a second table for what is under way: the least that forgets errors. */
export const mapOfValues = {
  title: 'Map of values',
  wrap(fn, { shape, capacity, isBounded }) {
    const { get, put } = isBounded ? twoGenerations(capacity) : plainMap();
    return ofValues(shape, fn, get, put);
  },
};

/** The least that a wrapper over quick-lru can cost. */
export const quickLruOfValues = {
  title: 'quick-lru of values',
  async load() {
    const { default: QuickLRU } = await import('quick-lru');
    return QuickLRU;
  },
  wrap(fn, { shape, capacity, ttl }, QuickLRU) {
    const lru = new QuickLRU({ maxSize: capacity, ...(ttl !== undefined && { maxAge: ttl }) });
    return ofValues(
      shape,
      fn,
      (key) => lru.get(key),
      (key, value) => lru.set(key, value),
    );
  },
};

/** A store whose methods return promises, awaited by hand. Every hit looks at the clock. */
export const awaitedStore = {
  title: 'awaiting the store',
  wrap(fn, { store, ttl }) {
    return async (key) => {
      const found = await store.get(key);
      if (found !== undefined && found.until > Date.now()) return found.value;
      const value = await fn(key);
      await store.set(key, { value, until: Date.now() + ttl });
      return value;
    };
  },
};

function plainMap() {
  const map = new Map();
  return {
    get: (key) => map.get(key),
    put: (key, value) => {
      map.set(key, value);
      return value;
    },
  };
}

/**
 * At most twice `capacity` entries. Not `map.delete(map.keys().next().value)`: V8 keeps deleted slots until it rehashes,
 * and a fresh iterator walks them all, which is some 70 times slower at 100,000 entries.
 */
function twoGenerations(capacity) {
  let young = new Map();
  let old = new Map();
  const put = (key, value) => {
    if (young.size >= capacity) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    return value;
  };
  const get = (key) => {
    const found = young.get(key);
    if (found !== undefined) return found;
    const older = old.get(key);
    if (older !== undefined) put(key, older);
    return older;
  };
  return { get, put };
}

function ofValues(shape, fn, get, put) {
  const pending = new Map();
  const found = (key) => {
    const value = get(key);
    if (value !== undefined) return Promise.resolve(value);
    return pending.size === 0 ? undefined : pending.get(key);
  };
  return byHand(shape, fn, found, (key, running) => {
    pending.set(key, running);
    running.then(
      (value) => {
        pending.delete(key);
        put(key, value);
      },
      () => pending.delete(key),
    );
    return running;
  });
}

/**
 * The wrapper for one shape of arguments, with the key that somebody would write for it. No closure captures an argument:
 * it would cost every hit an allocation.
 */
function byHand(shape, fn, get, start) {
  switch (shape) {
    case 'string':
      return (id) => get(id) ?? start(id, fn(id));
    case 'pair':
      return (tenant, id) => {
        const key = `${tenant}:${id}`;
        return get(key) ?? start(key, fn(tenant, id));
      };
    case 'options':
      return (options) => {
        const key = `${options.page}|${options.limit}|${options.sort}`;
        return get(key) ?? start(key, fn(options));
      };
    case 'request':
      return (url, init) => {
        const { method, headers, query } = init;
        const key =
          `${method} ${url}|${headers.accept}|${headers.tenant}|${headers.language}|${headers.trace}` +
          `|${query.page}|${query.limit}|${query.sort}|${query.order}|${query.filter}`;
        return get(key) ?? start(key, fn(url, init));
      };
    default:
      throw new Error(`Unknown shape of arguments: ${shape}`);
  }
}
