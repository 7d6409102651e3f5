import { show } from '../platform/show.js';
import { Registry } from '../in-flight/registry.js';
import { RememberedErrors } from '../in-flight/remembered-errors.js';
import { GuardedStore } from '../store/guarded-store.js';
import { MemoryStore } from '../store/memory-store.js';
import { NullStore } from '../store/null-store.js';
import { OrderedStore } from '../store/ordered-store.js';
import { isSharedStore, isStore, sizeOf, wayOut } from '../store/store-like.js';
import { WeakList } from '../platform/weak-list.js';
import { setTagSpaces, TagSpace } from './tag-space.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { IgnoreRule } from '../hashing/ignore.js';
import type { StoreFailure } from '../store/guarded-store.js';
import type { ResultStore } from '../store/result-store.js';
import type { StoreLike } from '../store/store-like.js';

/** The calls of one name on one store: their results, flights and remembered errors. */
export interface Namespace<V> {
  readonly store: ResultStore<V>;
  readonly registry: Registry<V>;
  readonly errors: RememberedErrors;
  /** Where tags are invalidated: all of the store. */
  readonly tagSpace: TagSpace;
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

/** The part of a namespace that all wrappers of one name on one store share. Holds functions weakly. */
interface SharedState {
  readonly ordered: OrderedStore<unknown>;
  readonly registry: Registry<unknown>;
  readonly errors: RememberedErrors;
  /** Tells the same function from another one of the same derived name; `undefined`: the name was given. */
  readonly isSame: ((identity: Identity) => boolean) | undefined;
}

/** The namespaces of a wrapper whose store depends on the receiver. */
interface Picked<V> {
  readonly byOwner: WeakMap<object, Namespace<V>>;
  readonly all: WeakList<Namespace<V>>;
}

/** Stands for all receivers that are no objects. */
const PRIMITIVES = {};

/** The default store of one wrapper. */
const PRIVATE = Symbol('private');

/** All that is known of one store: fences, single flight and tags hold across wrappers. */
interface StoreState {
  readonly names: Map<string, SharedState>;
  readonly tagSpace: TagSpace;
}

const storeStates = new WeakMap<object, StoreState | typeof PRIVATE>();

function stateOf(store: StoreLike<never>): StoreState | typeof PRIVATE {
  let state = storeStates.get(store);
  if (state === undefined) storeStates.set(store, (state = { names: new Map(), tagSpace: new TagSpace(store) }));
  return state;
}

/** Where tags of a store are invalidated. `undefined` for the private store of a wrapper. */
export function tagSpaceOf(store: StoreLike<never>): TagSpace | undefined {
  const state = stateOf(store);
  return state === PRIVATE ? undefined : state.tagSpace;
}

/** The namespaces of one wrapper: one, or where `cache` picks a store from the receiver, one for each store. */
export class Namespaces<V> {
  readonly #identity: Identity;
  readonly #options: ResolvedOptions;
  readonly #report: StoreFailure;
  readonly #isTagged: boolean;
  /** The only one, where the store does not depend on the receiver. */
  readonly #fixed: Namespace<V> | undefined;
  /** The store, the selector, or `null`: as configured. */
  readonly cache: ResolvedOptions['cache'] & {};
  /** Those that a selector has picked. */
  #picked: Picked<V> | undefined;

  constructor(identity: Identity, options: ResolvedOptions, report: StoreFailure) {
    this.#identity = identity;
    this.#options = options;
    this.#report = report;
    const { cache, tags } = options;
    this.#isTagged = typeof tags === 'function' || tags.length > 0;
    if (cache === undefined) {
      const lastsEqually = typeof options.ttl === 'number' && options.earlyRefresh === 0 && !this.#isTagged;
      const tagSpace = new TagSpace();
      const memory = new MemoryStore<V>(lastsEqually ? options.ttl : undefined, {
        windows: options,
        marks: tagSpace.marks,
        maxSize: options.maxSize,
      });
      const view = memory.view(`${identity.name}|`);
      storeStates.set(view, PRIVATE);
      setTagSpaces(view, this);
      this.cache = view;
      this.#fixed = this.#inSpace(memory, tagSpace);
    } else {
      this.cache = cache as ResolvedOptions['cache'] & {};
      if (cache === null) this.#fixed = this.#storeless();
      else if (typeof cache !== 'function') this.#fixed = this.#on(cache);
    }
  }

  /** How many entries the store has, of all names; 0 where it does not tell. */
  get size(): number {
    return sizeOf(this.cache) ?? 0;
  }

  /** Where tags of this wrapper are invalidated. */
  tagSpaces(): Iterable<TagSpace> {
    const namespaces = this.#fixed === undefined ? [...(this.#picked?.all ?? [])] : [this.#fixed];
    return namespaces.map(({ tagSpace }) => tagSpace);
  }

  of(receiver: unknown): Namespace<V> {
    if (this.#fixed !== undefined) return this.#fixed;
    const select = this.#options.cache as (receiver: unknown) => unknown;
    const store = select(receiver);
    if (store === null) return this.#withoutStore(receiver);
    if (!isStore(store)) {
      const expected = wayOut(store) ?? 'a store with get, set and delete, or null';
      throw new TypeError(`Expected \`cache\` to pick ${expected}, got ${show(store)}`);
    }
    return this.#pick(store, () => this.#on(store));
  }

  #withoutStore(receiver: unknown): Namespace<V> {
    if ((typeof receiver !== 'object' && typeof receiver !== 'function') || receiver === null) {
      return this.#pick(PRIMITIVES, () => this.#storeless());
    }
    return this.#pick(receiver, () => this.#storeless());
  }

  /** @param owner The store, or the receiver of a call without one. */
  #pick(owner: object, create: () => Namespace<V>): Namespace<V> {
    const { byOwner, all } = (this.#picked ??= { byOwner: new WeakMap(), all: new WeakList() });
    let namespace = byOwner.get(owner);
    if (namespace === undefined) {
      namespace = create();
      byOwner.set(owner, namespace);
      all.add(namespace);
    }
    return namespace;
  }

  #on(store: StoreLike<V>): Namespace<V> {
    const identity = this.#identity;
    const prefix = `${identity.name}|`;
    // First, for what is refused must not take a name.
    if (this.#isTagged) tagSpaceOf(store)?.assertPossible();
    const { ordered, registry, errors } = claim(store, identity, prefix);
    const shared = isSharedStore(store) ? store : undefined;
    const tagSpace = tagSpaceOf(store)!;
    if (this.#isTagged) tagSpace.add(registry);
    if (this.#options.errorTtl !== 0) errors.prepare();
    const { storeTimeout, validate } = this.#options;
    const guard = { prefix, shared, storeTimeout, windows: this.#options, isTagged: this.#isTagged, validate };
    return {
      store: new GuardedStore(ordered as OrderedStore<V>, guard, this.#report),
      registry: registry as Registry<V>,
      errors,
      tagSpace,
    };
  }

  #storeless(): Namespace<V> {
    return this.#inSpace(new NullStore(), new TagSpace());
  }

  /** The only namespace of a tag space. */
  #inSpace(store: ResultStore<V>, tagSpace: TagSpace): Namespace<V> {
    const registry = new Registry<V>();
    if (this.#isTagged) tagSpace.add(registry);
    const errors = new RememberedErrors();
    if (this.#options.errorTtl !== 0) errors.prepare();
    return { store, registry, errors, tagSpace };
  }
}

/** What the wrappers of a name on a store share; refused where entries of different functions would mix. */
function claim<V>(store: StoreLike<V>, identity: Identity, prefix: string): SharedState {
  const { name, isNameGiven } = identity;
  const known = stateOf(store);
  if (known === PRIVATE) {
    throw new TypeError(
      `Expected \`cache\` to be a store that can be shared, got the default store of another wrapper: make one and give it to both`,
    );
  }
  if (isSharedStore(store) && !isNameGiven) {
    throw new TypeError(
      `Expected a \`name\` beside a store that processes share: \`${name}\` comes from the function, and bundlers rename functions`,
    );
  }
  const { names, tagSpace } = known;
  const state = names.get(name);
  if (state === undefined) {
    const created: SharedState = {
      ordered: new OrderedStore(store, prefix, tagSpace.marks),
      registry: new Registry(),
      errors: new RememberedErrors(),
      isSame: isNameGiven ? undefined : weaklySame(identity),
    };
    names.set(name, created);
    return created;
  }
  if (isNameGiven ? state.isSame === undefined : state.isSame?.(identity) === true) return state;
  throw new TypeError(
    `Expected ${isNameGiven ? 'another' : 'a'} \`name\`: this store already holds entries of another function called \`${name}\``,
  );
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
