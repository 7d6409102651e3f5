// Not exported: the types that public signatures only mention; docs/mentioned-types.ts lists them.
export { memoizeAsync } from './memoize-async.js';
export { createMemoizer } from './create-memoizer.js';
export { memoizeMethods } from './memoize-methods.js';
export { perInstance } from './store/per-instance.js';
export { tiered } from './store/tiered.js';

export { TimeoutError, UnkeyableArgumentError } from './errors.js';

export type { MemoizeEvent, Stats } from './events.js';
export type { Memoized } from './memoized.js';
export type { MemoizeOptions } from './options.js';
export type { Entry, Store } from './store/store.js';
