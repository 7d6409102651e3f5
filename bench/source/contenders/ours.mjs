import { pathToFileURL } from 'node:url';
import { compiledLibrary } from '../paths.mjs';

async function load() {
  const { memoizeAsync } = await import(pathToFileURL(compiledLibrary('index.js')).href);
  const { default: QuickLRU } = await import('quick-lru');
  return { memoizeAsync, QuickLRU };
}

/** On the store that the wrapper makes for itself, as large as wanted. */
function wrapWith(extra, adapt = (call) => call) {
  return (fn, { capacity, store, ttl, shape }, { memoizeAsync }) => {
    const options = { ...extra(shape) };
    if (ttl !== undefined) options.ttl = ttl;
    if (store !== undefined) options.cache = store;
    else if (options.cache === undefined) options.maxSize = capacity;
    return adapt(memoizeAsync(fn, options));
  };
}

const variant = (title, extra, rest) => ({ title, load, wrap: wrapWith(extra, rest?.adapt), ...rest });

export const ours = variant('aiocachetools', () => ({}));

/** The same over a plain Map, which is never full. */
export const onMap = variant('aiocachetools on a Map', () => ({ cache: new Map() }));

/** The same over a quick-lru of the user's, which wrappers could share. */
export const onQuickLru = variant('aiocachetools on a quick-lru', () => ({}), {
  wrap: (fn, { capacity, ttl }, { memoizeAsync, QuickLRU }) =>
    memoizeAsync(fn, { cache: new QuickLRU({ maxSize: capacity }), ...(ttl !== undefined && { ttl }) }),
});

/** The same over an lru-cache of the user's. */
export const onLruCache = variant('aiocachetools on an lru-cache', () => ({}), {
  async load() {
    const { LRUCache } = await import('lru-cache');
    return { ...(await load()), LRUCache };
  },
  wrap: (fn, { capacity, ttl }, { memoizeAsync, LRUCache }) =>
    memoizeAsync(fn, { cache: new LRUCache({ max: capacity }), ...(ttl !== undefined && { ttl }) }),
});

/** What a service would switch on beside a `ttl`. */
export const withMoreOptions = variant('aiocachetools with more options', () => {
  let heard = 0;
  return { staleWhileRevalidate: 60_000, timeout: 60_000, onEvent: () => void (heard += 1) };
});

/** One option each, to see what it costs when it is on. */
export const options = {
  ttl: variant('ttl', () => ({ ttl: 3_600_000 })),
  'ttl-function': variant('ttl: () => …', () => ({ ttl: () => 3_600_000 })),
  jitter: variant('ttl, jitter', () => ({ ttl: 3_600_000, jitter: 0.1 })),
  stale: variant('ttl, both stale windows', () => ({
    ttl: 3_600_000,
    staleWhileRevalidate: 60_000,
    staleIfError: 60_000,
  })),
  'early-refresh': variant('ttl, earlyRefresh', () => ({ ttl: 3_600_000, earlyRefresh: 1 })),
  'error-ttl': variant('errorTtl', () => ({ errorTtl: 1_000 })),
  timeout: variant('timeout', () => ({ timeout: 60_000 })),
  'key-of': variant('keyOf', () => ({ keyOf: (id) => id })),
  ignore: variant('ignore: [1]', () => ({ ignore: [1] }), {
    adapt: (call) => {
      const handle = { connection: true };
      return (id) => call(id, handle);
    },
  }),
  signal: variant('a signal in the arguments', () => ({}), {
    adapt: (call) => {
      const { signal } = new globalThis.AbortController();
      return (id) => call(id, signal);
    },
  }),
  'on-event': variant('onEvent', () => {
    let heard = 0;
    return { onEvent: () => void (heard += 1) };
  }),
  selector: variant('cache: perInstance(…)', () => ({}), {
    async load() {
      const loaded = await load();
      const { perInstance } = await import(pathToFileURL(compiledLibrary('index.js')).href);
      return { ...loaded, perInstance };
    },
    wrap(fn, _options, { memoizeAsync, perInstance, QuickLRU }) {
      const receiver = { call: memoizeAsync(fn, { cache: perInstance(() => new QuickLRU({ maxSize: 1_000 })) }) };
      return (id) => receiver.call(id);
    },
  }),
  debug: variant('DEBUG=aiocachetools:*', () => ({}), { environment: { DEBUG: 'aiocachetools:*' } }),
};
