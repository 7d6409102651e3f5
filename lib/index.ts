export { memoizeAsync } from './memoize-async.js';
export { batched } from './batched.js';
export { invalidateTags } from './invalidate-tags.js';
export { createMemoizer } from './create-memoizer.js';
export { memoizeMethods } from './memoize-methods.js';
export { digestKeys } from './store/digest-keys.js';
export { perInstance } from './store/per-instance.js';
export { tiered } from './store/tiered.js';

export { TimeoutError, UnkeyableArgumentError } from './errors.js';

export type { BatchOptions } from './batched.js';
export type { InvalidateTagsOptions } from './invalidate-tags.js';
export type { Memoizer } from './create-memoizer.js';
export type { MemoizeEvent, Stats } from './events.js';
export type { AnyFunction, OptionalFunction } from './functions.js';
export type { Memoize } from './memoize-async.js';
export type { AsyncMethod, MemoizedMethods } from './memoize-methods.js';
export type { Controls, Memoized } from './memoized.js';
export type { CacheOption, MemoizeOptions, StoreSelector } from './options.js';
export type {
  Acquired,
  AcquireOptions,
  BeginOptions,
  Entry,
  Grant,
  Settled,
  SharedStore,
  Store,
} from './store/store.js';
export type { StoreLike } from './store/store-like.js';
export type { TieredOptions } from './store/tiered.js';
