/**
 * What the public signatures mention: inferred where it is needed, and not to be imported.
 *
 * @module
 */
export type { Controls } from '../lib/memoized.js';
export type { CacheOption, StoreSelector } from '../lib/options.js';
export type { StoreLike } from '../lib/store/store-like.js';
export type { TieredOptions } from '../lib/store/tiered.js';
