import * as floors from './floor.mjs';
import * as own from './ours.mjs';
import * as peers from './peers.mjs';

/** Who takes part, by the name used on the command line and in the results. Peers load only in a process of their own. */
export const contenders = {
  floor: floors.floor,
  'floor:clock': floors.clock,
  'floor:unbounded': floors.unbounded,
  'floor:promise': floors.promise,
  'floor:none': floors.none,
  'floor:map-value': floors.mapOfValues,
  'floor:qlru-value': floors.quickLruOfValues,
  'floor:store': floors.awaitedStore,
  ours: own.ours,
  'ours:map': own.onMap,
  'ours:quick-lru': own.onQuickLru,
  'ours:lru-cache': own.onLruCache,
  'ours:more-options': own.withMoreOptions,
  ...Object.fromEntries(Object.entries(own.options).map(([name, option]) => [`ours:${name}`, option])),
  'p-memoize': peers.pMemoize,
  'async-cache-dedupe': peers.asyncCacheDedupe,
  memoizee: peers.memoizee,
  moize: peers.moize,
  'micro-memoize': peers.microMemoize,
  'lru-cache': peers.lruCache,
  bentocache: peers.bentocache,
  cacheable: peers.cacheable,
  'cache-manager': peers.cacheManager,
  dataloader: peers.dataloader,
  ocache: peers.ocache,
  cachified: peers.cachified,
};

export const peerNames = Object.keys(contenders).filter((name) => contenders[name].package !== undefined);

export const optionNames = Object.keys(own.options).map((name) => `ours:${name}`);
