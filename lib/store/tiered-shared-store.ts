import { Tiers } from './tiers.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { StoreLike } from './store-like.js';
import type {
  Acquired,
  AcquireOptions,
  AnnouncingStore,
  BeginOptions,
  Change,
  Entry,
  Grant,
  Settled,
  SharedStore,
  WatchedStore,
} from './store.js';

/** How long one operation may take where no limit is given, in milliseconds. */
const DEFAULT_TIMEOUT = 1_000;

/** In front of a store that processes share. */
export class TieredSharedStore<V> extends Tiers<V> implements SharedStore<V> {
  /** Absent where the far store has none. */
  readonly expire?: SharedStore<V>['expire'] & {};
  /** Absent where the far store has none. */
  readonly invalidateTags?: SharedStore<V>['invalidateTags'] & {};
  readonly #far: SharedStore<V>;
  readonly #watched: WatchedStore<V> | undefined;
  /** The longest that an entry is served near while every change is heard of. */
  readonly #nearTtlInSync: number;
  /** `starting`: changes may be missed, and no outage is known of. `unwatched`: changes are never heard of. */
  #state: 'starting' | 'synced' | 'lost' | 'unwatched';
  /** How often changes began to be heard of. */
  #syncs = 0;

  constructor(near: StoreLike<never>, far: SharedStore<V>, nearTtl: number | undefined) {
    super(near, nearTtl);
    this.#watched = isAnnouncing(far) ? far.watch((change) => this.#onChange(change)) : undefined;
    this.#far = this.#watched ?? far;
    this.#state = this.#watched === undefined ? 'unwatched' : 'starting';
    const invalidateTags = this.#far.invalidateTags?.bind(this.#far);
    if (invalidateTags !== undefined) {
      this.invalidateTags = async (tags, options) => {
        try {
          const at = await invalidateTags(tags, options);
          this.#mark({ tags, at, isSoft: options.isSoft });
          return at;
        } catch (error) {
          this.farFailed();
          this.near.forgetAll();
          throw error;
        }
      };
    }
    const expire = this.#far.expire?.bind(this.#far);
    if (expire !== undefined) {
      this.expire = (key, options) =>
        this.invalidateAround(
          () => this.near.forget(this.#nameOf(key)),
          () => expire(key, options),
        );
    }
    // 0 is the strict way: near serves only what is known to be current, and that without an end.
    this.#nearTtlInSync = nearTtl === undefined || nearTtl === 0 ? Infinity : nearTtl;
  }

  get(key: string, timeout: number = DEFAULT_TIMEOUT): PromiseLike<Entry<V> | undefined> {
    // The wrapper takes an answer and a promise of it alike.
    return this.readThrough(this.#nameOf(key), timeout, (left) => this.#far.get(key, left)) as PromiseLike<
      Entry<V> | undefined
    >;
  }

  set(key: string, entry: Entry<V>, ttl?: number, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#nameOf(key);
    this.near.forget(name);
    return this.writeThrough(name, {
      entry: taggedAt(entry, 0),
      lifetime: ttl,
      act: () => this.#far.set(key, entry, ttl, timeout),
      isKept: () => true,
    });
  }

  delete(key: string, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#nameOf(key);
    return this.invalidateAround(
      () => this.near.forget(name),
      () => this.#far.delete(key, timeout),
    );
  }

  deleteByPrefix(prefix: string, timeout: number = DEFAULT_TIMEOUT): Promise<unknown> {
    const name = this.#watched === undefined ? prefix : `${this.#watched.announcedAs(prefix).namespace}|`;
    return this.invalidateAround(
      () => this.near.forgetAll(name),
      () => this.#far.deleteByPrefix(prefix, timeout),
    );
  }

  async acquire(key: string, options: AcquireOptions<V>): Promise<Acquired<V>> {
    const name = this.#nameOf(key);
    const fill = this.near.begin(name);
    let acquired: Acquired<V> | undefined;
    try {
      acquired = await this.#far.acquire(key, options);
    } finally {
      this.keep(fill, acquired !== undefined && 'hit' in acquired ? acquired.hit : undefined);
    }
    if (!('wait' in acquired)) return this.#settled(name, acquired);
    const waiting = acquired;
    return {
      wait: async (signal: AbortSignalLike) => {
        const outcome = await waiting.wait(signal);
        return 'unleased' in outcome ? outcome : this.#settled(name, outcome);
      },
    };
  }

  async begin(key: string, options: BeginOptions): Promise<Grant<V>> {
    const name = this.#nameOf(key);
    const begin = (): Promise<Grant<V>> => this.#far.begin(key, options);
    const grant = options.drop ? await this.invalidateAround(() => this.near.forget(name), begin) : await begin();
    return this.#grant(name, grant);
  }

  grantLocally(key: string, error: unknown): Grant<V> | undefined {
    this.farFailed();
    if (this.nearTtl === 0) return undefined;
    const fill = this.near.begin(this.#nameOf(key));
    // After every mark that is known, and before all that come.
    const begun = Math.max(0, this.near.marks.latest);
    return {
      lost: new AbortController().signal,
      unleased: error,
      release: () => this.near.end(fill, undefined),
      commit: async (entry, ttl) => {
        this.keepLocally(fill, taggedAt(entry, begun), ttl);
        return 'stored';
      },
    };
  }

  #settled(name: string, settled: Settled<V>): Settled<V> {
    return 'grant' in settled ? { grant: this.#grant(name, settled.grant) } : settled;
  }

  #grant(name: string, grant: Grant<V>): Grant<V> {
    const syncs = this.#syncs;
    return {
      lost: grant.lost,
      release: (why) => grant.release(why),
      commit: (entry, ttl) =>
        this.writeThrough(name, {
          entry: taggedAt(entry, grant.begun ?? 0),
          lifetime: ttl,
          act: () => grant.commit(entry, ttl),
          // What was invalidated while nothing was heard is not known here.
          isKept: (outcome) => outcome === 'stored' && (entry.tags === undefined || syncs === this.#syncs),
        }),
    };
  }

  protected override longest(): number {
    if (this.#state === 'synced') return this.#nearTtlInSync;
    return this.#state === 'starting' ? 0 : this.nearTtl;
  }

  protected override farFailed(): void {
    if (this.#state === 'starting') this.#state = 'lost';
  }

  /** What began in the same moment as the marks is void too. */
  #mark({
    tags,
    at,
    isSoft,
  }: {
    readonly tags: readonly string[];
    readonly at: number;
    readonly isSoft: boolean;
  }): void {
    this.near.marks.markAt(at + 1, tags, isSoft);
  }

  #nameOf(key: string): string {
    if (this.#watched === undefined) return key;
    const { namespace, hash } = this.#watched.announcedAs(key);
    return `${namespace}|${hash}`;
  }

  #onChange(change: Change): void {
    if (change.type === 'key') this.near.forget(`${change.namespace}|${change.hash}`);
    else if (change.type === 'tags') this.#mark(change);
    else if (change.type === 'namespace') this.near.forgetAll(`${change.namespace}|`);
    else if (change.type === 'lost') {
      this.#state = 'lost';
      if (change.error !== undefined) {
        this.note('The server does not let this user hear of changes. Near entries answer for `nearTtl`', change.error);
      }
    } else {
      this.#state = 'synced';
      this.#syncs += 1;
      this.near.forgetAll();
    }
  }
}

/** An entry as it is kept near: the begin of its run counts by the clock of the far store. */
function taggedAt<V>(entry: Entry<V>, begun: number): Entry<V> {
  return entry.tags === undefined ? entry : { ...entry, begun };
}

function isAnnouncing<V>(store: SharedStore<V>): store is AnnouncingStore<V> {
  return typeof (store as Partial<AnnouncingStore<V>>).watch === 'function';
}
