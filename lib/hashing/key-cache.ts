import { inheritsEnumerables, rootPrototype } from './intrinsics.js';

/**
 * A prefix of argument lists. The list `['a', { page: 1 }]` is this path from the root: value `'a'`, into an object, name
 * `page`, value `1`, out of the object. The node at the end of a list has its key.
 */
interface Node {
  /** The only value so far and the node after it. A second value moves both to `values`. */
  value: unknown;
  afterValue: Node | undefined;
  values: Map<unknown, Node> | undefined;
  /** The node inside an object. */
  object: Node | undefined;
  /** The name used last and the node after it. */
  name: string | undefined;
  afterName: Node | undefined;
  names: Map<string, Node> | undefined;
  /** The node after the object. */
  exit: Node | undefined;
  key: string | undefined;
}

/** The figures of the benchmark are those of this size: 8,192 nodes, 4,096 keys seen once. */
export const usualSize = 1024;
const largestSize = 8 * usualSize;
const nodesPerKey = 8;
const seenPerKey = 4;

const longestString = 128;
const mostArguments = 4;
const mostNames = 16;
const deepest = 4;

/** It is checked every `sampleSize` lookups whether the cache helps. Where it does not, it is bypassed for a while. */
const sampleSize = 8192;
const longestPause = 64 * sampleSize;

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf } = Object;
// eslint-disable-next-line @typescript-eslint/unbound-method -- `call` gives it its receiver
const { toString } = rootPrototype;

/**
 * Remembers the keys of lists that come again, so that a repeated call builds no string: the primitives of the arguments
 * lead through a tree to the key. It makes hits in a synchronous store 2 to 2.5 times as fast.
 *
 * It is only a cache, and every key in it is one that `buildKey` returned for an equal list. It learns lists of primitives
 * and small plain objects when they come the second time, and no more when it is full. It is dropped as a whole, and is
 * bypassed for a while, when it neither finds nor learns one list in eight.
 */
export class KeyCache {
  readonly #buildKey: (args: readonly unknown[]) => string;
  readonly #sizeOf: () => number;
  /** For how many keys. Asked for at each check only: quick-lru counts its entries. */
  #size: number;
  /** Keys seen since the last reset, and whether their lists can be kept. */
  readonly #seen = new Map<string, boolean>();
  #root = createNode();
  #nodes = 0;
  #lookups = 0;
  /** How many of them found a key. */
  #hits = 0;
  /** How many led to another list that is kept. */
  #learned = 0;
  /** The number of lookups that are still bypassed. */
  #skip = 0;
  /** The length of the next bypass, in lookups. */
  #pause = sampleSize;

  /** @param sizeOf About how many keys are in use: what the cache holds follows it, up to 8,192. @default 1,024 */
  constructor(buildKey: (args: readonly unknown[]) => string, sizeOf = (): number => usualSize) {
    this.#buildKey = buildKey;
    this.#sizeOf = sizeOf;
    this.#size = Math.min(sizeOf(), largestSize);
  }

  find(args: readonly unknown[]): string | undefined {
    if (!this.#isActive()) return undefined;
    let node: Node | undefined = this.#root;
    for (let i = 0; i < args.length; i++) {
      node = step(node, args[i]);
      if (node === undefined) return undefined;
    }
    return this.#keyAt(node);
  }

  #isActive(): boolean {
    if (this.#skip > 0) {
      this.#skip--;
      return false;
    }
    if (this.#lookups++ === sampleSize) this.#evaluate();
    return true;
  }

  #keyAt({ key }: Node): string | undefined {
    if (key === undefined || inheritsEnumerables()) return undefined;
    this.#hits++;
    return key;
  }

  /** Drops everything that it holds of arguments. */
  forget(): void {
    this.#root = createNode();
    this.#nodes = 0;
    this.#seen.clear();
  }

  /** Takes the key of a list that `find` did not find. */
  learn(args: readonly unknown[], key: string): void {
    if (this.#skip > 0 || args.length > mostArguments || this.#nodes > nodesPerKey * this.#size) return;
    const canBeKept = this.#seen.get(key);
    if (canBeKept === undefined) {
      if (this.#seen.size >= seenPerKey * this.#size) this.#seen.clear();
      this.#seen.set(key, true);
    } else if (canBeKept) {
      const copy = copyOf(args);
      // The arguments may have changed since, so the path is made from a copy that has the same key.
      if (copy !== undefined && this.#buildKey(copy) === key) {
        this.#learned++;
        this.#add(copy, key);
      } else this.#seen.set(key, false);
    }
  }

  #add(args: readonly unknown[], key: string): void {
    let node = this.#root;
    for (const value of args) node = this.#path(node, value);
    node.key = key;
  }

  #path(from: Node, value: unknown): Node {
    if (typeof value !== 'object' || value === null) return this.#valuePath(from, value);
    let node = (from.object ??= this.#create());
    for (const [name, inner] of Object.entries(value)) {
      let next = nextByName(node, name);
      if (next === undefined) {
        next = this.#create();
        (node.names ??= new Map()).set(name, next);
      }
      node = this.#path(next, inner);
    }
    return (node.exit ??= this.#create());
  }

  #valuePath(from: Node, value: unknown): Node {
    const known = nextByValue(from, value);
    if (known !== undefined) return known;
    const next = this.#create();
    if (from.afterValue === undefined && from.values === undefined) {
      from.value = value;
      from.afterValue = next;
      return next;
    }
    from.values ??= new Map([[from.value, from.afterValue as Node]]);
    from.afterValue = undefined;
    from.values.set(value, next);
    return next;
  }

  #create(): Node {
    this.#nodes++;
    return createNode();
  }

  #evaluate(): void {
    this.#size = Math.min(this.#sizeOf(), largestSize);
    const isUseful = this.#hits * 8 >= sampleSize;
    const isLearning = (this.#hits + this.#learned) * 8 >= sampleSize;
    this.#lookups = 0;
    this.#hits = 0;
    this.#learned = 0;
    // Lists that come twice and never again end no series of bypasses.
    if (isUseful) this.#pause = sampleSize;
    if (!isLearning) this.#reset();
  }

  /** Drops everything and starts a bypass, each twice as long as the one before. */
  #reset(): void {
    this.#lookups = 0;
    this.#hits = 0;
    this.#learned = 0;
    this.#skip = this.#pause;
    this.#pause = Math.min(2 * this.#pause, longestPause);
    this.forget();
  }
}

function step(node: Node, value: unknown): Node | undefined {
  if (typeof value !== 'object' || value === null) return nextByValue(node, value);
  return node.object === undefined ? undefined : walk(node.object, value);
}

function walk(from: Node, object: object): Node | undefined {
  if (getPrototypeOf(object) !== rootPrototype) return undefined;
  let node: Node | undefined = from;
  for (const name in object) {
    node = nextByName(node, name);
    if (node === undefined) return undefined;
    node = step(node, (object as Record<string, unknown>)[name]);
    if (node === undefined) return undefined;
  }
  // Last, because it costs most: only a list that is otherwise found pays for it.
  if (getOwnPropertySymbols(object).length > 0 || toString.call(object) !== '[object Object]') return undefined;
  return node.exit;
}

function nextByValue(node: Node, value: unknown): Node | undefined {
  // Neither a Map nor `===` distinguishes the zeros.
  if (Object.is(value, -0)) return undefined;
  if (node.values !== undefined) return node.values.get(value);
  return node.value === value ? node.afterValue : undefined;
}

function nextByName(node: Node, name: string): Node | undefined {
  if (node.name === name) return node.afterName;
  const next = node.names?.get(name);
  if (next !== undefined) {
    node.name = name;
    node.afterName = next;
  }
  return next;
}

/** `undefined` where a part of the list cannot be kept. */
function copyOf(args: readonly unknown[]): unknown[] | undefined {
  const copy: unknown[] = [];
  for (const value of args) if (!copyInto(copy, copy.length, value, 0)) return undefined;
  return copy;
}

/** Copies a value that can be kept; false for one that is too large. The caller checks that the copy has the same key. */
function copyInto(target: object, name: string | number, value: unknown, depth: number): boolean {
  let copy = value;
  if (typeof value === 'object' && value !== null) {
    if (getPrototypeOf(value) !== rootPrototype) return false;
    copy = {};
    if (!copyProperties(copy as object, value, depth)) return false;
  } else if (!canBeKept(value)) {
    return false;
  }
  Object.defineProperty(target, name, { value: copy, enumerable: true });
  return true;
}

/** Calls no getter. */
function copyProperties(copy: object, object: object, depth: number): boolean {
  const names = Object.keys(object);
  if (depth === deepest || names.length > mostNames) return false;
  return names.every((name) => {
    if (name.length > longestString) return false;
    return copyInto(copy, name, getOwnPropertyDescriptor(object, name)?.value, depth + 1);
  });
}

function canBeKept(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= longestString;
  // The last two only from a Proxy that answers differently each time: building a key of them throws.
  return typeof value !== 'function' && typeof value !== 'symbol' && !Object.is(value, -0);
}

function createNode(): Node {
  return {
    value: undefined,
    afterValue: undefined,
    values: undefined,
    object: undefined,
    name: undefined,
    afterName: undefined,
    names: undefined,
    exit: undefined,
    key: undefined,
  };
}
