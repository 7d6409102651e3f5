import { show } from '../platform/show.js';
import { Registry } from '../in-flight/registry.js';
import { RememberedErrors } from '../in-flight/remembered-errors.js';
import { GuardedStore } from '../store/guarded-store.js';
import { MemoryStore } from '../store/memory-store.js';
import { OrderedStore } from '../store/ordered-store.js';
import { isSharedStore, isStore } from '../store/store-like.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { IgnoreRule } from '../hashing/ignore.js';
import type { StoreFailure } from '../store/guarded-store.js';
import type { StoreLike } from '../store/store-like.js';

/** Where the calls of one name on one store meet. */
export interface Place<V> {
  readonly store: GuardedStore<V> | MemoryStore<V> | null;
  /** The same, where it is the wrapper's own. */
  readonly memory: MemoryStore<V> | undefined;
  readonly registry: Registry<V>;
  readonly errors: RememberedErrors;
}

/** What makes one wrapper's calls different from another's. */
export interface Identity {
  readonly fn: object;
  readonly name: string;
  /** True for a name that the user gave, false for one made from `fn.name`. */
  readonly isNameGiven: boolean;
  readonly keyOf: object | undefined;
  readonly ignore: readonly IgnoreRule[];
}

/** What belongs to one name on one store, whichever wrapper uses it. Holds functions weakly. */
interface Namespace {
  readonly ordered: OrderedStore<unknown>;
  readonly registry: Registry<unknown>;
  readonly errors: RememberedErrors;
  /** Tells a wrapper of the same function apart from one that took a derived name by chance; none: the name was given. */
  readonly isSame: ((identity: Identity) => boolean) | undefined;
}

/** A store that one wrapper made for itself. */
const isPrivate = Symbol('private');

/** Fences and single flight hold across wrappers on one store. */
const namespaces = new WeakMap<object, Map<string, Namespace> | typeof isPrivate>();

/** Finds the place of each call of one wrapper. */
export class Places<V> {
  readonly #identity: Identity;
  readonly #options: ResolvedOptions;
  readonly #report: StoreFailure;
  /** The only place, where the store does not depend on the receiver. */
  readonly fixed: Place<V> | undefined;
  /** The store, the selector, or `null`: as configured. */
  readonly cache: ResolvedOptions['cache'] & {};
  readonly #byStore = new WeakMap<object, Place<V>>();
  readonly #byReceiver = new WeakMap<object, Place<V>>();
  #ofPrimitives: Place<V> | undefined;

  constructor(identity: Identity, options: ResolvedOptions, report: StoreFailure) {
    this.#identity = identity;
    this.#options = options;
    this.#report = report;
    const { cache } = options;
    if (cache === undefined) {
      const lastsEqually = typeof options.ttl === 'number' && options.earlyRefresh === 0;
      const memory = new MemoryStore<V>(lastsEqually ? options.ttl : undefined, options.maxSize);
      const view = memory.view(`${identity.name}|`);
      namespaces.set(view, isPrivate);
      this.cache = view;
      this.fixed = { store: memory, memory, registry: new Registry(), errors: new RememberedErrors() };
    } else {
      this.cache = cache as ResolvedOptions['cache'] & {};
      if (cache === null) this.fixed = storeless();
      else if (typeof cache !== 'function') this.fixed = this.#on(cache);
    }
  }

  of(receiver: unknown): Place<V> {
    if (this.fixed !== undefined) return this.fixed;
    const select = this.#options.cache as (receiver: unknown) => unknown;
    const store = select(receiver);
    if (store === null) return this.#withoutStore(receiver);
    if (!isStore(store)) {
      throw new TypeError(`Expected \`cache\` to pick a store with get, set and delete, or null, got ${show(store)}`);
    }
    let place = this.#byStore.get(store);
    if (place === undefined) {
      place = this.#on(store);
      this.#byStore.set(store, place);
    }
    return place;
  }

  #withoutStore(receiver: unknown): Place<V> {
    if ((typeof receiver !== 'object' && typeof receiver !== 'function') || receiver === null) {
      return (this.#ofPrimitives ??= storeless());
    }
    let place = this.#byReceiver.get(receiver);
    if (place === undefined) {
      place = storeless();
      this.#byReceiver.set(receiver, place);
    }
    return place;
  }

  #on(store: StoreLike<V>): Place<V> {
    const identity = this.#identity;
    const prefix = `${identity.name}|`;
    const { ordered, registry, errors } = claim(store, identity, prefix);
    const shared = isSharedStore(store) ? store : undefined;
    const { storeTimeout } = this.#options;
    const guard = { prefix, shared, storeTimeout, windows: this.#options };
    return {
      store: new GuardedStore(ordered as OrderedStore<V>, guard, this.#report),
      memory: undefined,
      registry: registry as Registry<V>,
      errors,
    };
  }
}

function storeless<V>(): Place<V> {
  return { store: null, memory: undefined, registry: new Registry(), errors: new RememberedErrors() };
}

/** The namespace of a wrapper on a store; refused where entries of different functions would mix. */
function claim<V>(store: StoreLike<V>, identity: Identity, prefix: string): Namespace {
  const { name, isNameGiven } = identity;
  let known = namespaces.get(store);
  if (known === isPrivate) {
    throw new TypeError(
      `Expected \`cache\` to be a store that can be shared, got the default store of another wrapper: make one and give it to both`,
    );
  }
  if (isSharedStore(store) && !isNameGiven) {
    throw new TypeError(
      `Expected a \`name\` beside a store that processes share: \`${name}\` comes from the function, and bundlers rename functions`,
    );
  }
  if (known === undefined) namespaces.set(store, (known = new Map()));
  const namespace = known.get(name);
  if (namespace === undefined) {
    const created: Namespace = {
      ordered: new OrderedStore(store, prefix),
      registry: new Registry(),
      errors: new RememberedErrors(),
      isSame: isNameGiven ? undefined : weaklySame(identity),
    };
    known.set(name, created);
    return created;
  }
  if (isNameGiven || namespace.isSame?.(identity) === true) return namespace;
  throw new TypeError(`Expected a \`name\`: this store already holds entries of another function called \`${name}\``);
}

/** Compares with `identity` without keeping its functions alive. */
function weaklySame({ fn, keyOf, ignore }: Identity): (other: Identity) => boolean {
  const isFn = weakly(fn);
  const isKeyOf = weakly(keyOf);
  const areRules = ignore.map(weakly);
  return (other) =>
    isFn(other.fn) &&
    isKeyOf(other.keyOf) &&
    areRules.length === other.ignore.length &&
    areRules.every((isRule, index) => isRule(other.ignore[index]));
}

function weakly(value: unknown): (other: unknown) => boolean {
  return typeof value === 'function' ? isTargetOf(new WeakRef(value)) : (other) => other === value;
}

/** A function of its own: closures of one function share what they hold, and the other one in `weakly` holds the value. */
function isTargetOf(reference: WeakRef<object>): (other: unknown) => boolean {
  // Without a check of `other`, what is gone would equal what was never given.
  return (other) => other !== undefined && other === reference.deref();
}
