import type { AbortSignalLike } from './abort-signal.js';
import type { Activity } from './activity.js';
import type { Observer } from './events.js';
import type { KeyBuilder } from './hashing/key-of.js';
import type { ResolvedOptions } from './options.js';
import type { Place, Places } from './place.js';

/** What the parts of one wrapper share. */
export interface Wrapper<V> {
  readonly fn: (this: unknown, ...args: unknown[]) => unknown;
  readonly name: string;
  readonly options: ResolvedOptions;
  readonly buildKey: KeyBuilder;
  readonly places: Places<V>;
  readonly observer: Observer;
  readonly activity: Activity;
}

/** One call: by whom, with what, and where its answer is found. */
export interface Call<V> {
  readonly wrapper: Wrapper<V>;
  readonly place: Place<V>;
  readonly key: string;
  readonly receiver: unknown;
  readonly args: readonly unknown[];
  readonly signals: readonly AbortSignalLike[] | undefined;
}
