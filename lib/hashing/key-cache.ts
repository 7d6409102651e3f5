import { inheritsEnumerables } from './intrinsics.js';

/** How a list goes on from here: by a value, into an object, by a property name, out of the object, or it ends. */
interface Node {
  /** The only value so far, and what follows it; with a second one both move to the map. */
  value: unknown;
  afterValue: Node | undefined;
  values: Map<unknown, Node> | undefined;
  object: Node | undefined;
  /** The name met last, and what follows it. */
  name: string | undefined;
  afterName: Node | undefined;
  names: Map<string, Node> | undefined;
  exit: Node | undefined;
  key: string | undefined;
}

const mostNodes = 8192;
const mostSeen = 4096;
const longestString = 128;
const mostArguments = 4;
const mostNames = 16;
const deepest = 4;

/** So many lookups are judged together; where fewer than one in eight hit, the next ones are saved. */
const sampleSize = 8192;
const longestPause = 64 * sampleSize;

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf } = Object;
const { prototype: objectPrototype } = Object;
// eslint-disable-next-line @typescript-eslint/unbound-method -- `call` gives it its receiver
const { toString } = objectPrototype;

/**
 * Remembers the keys of lists that come again, so that a repeated call builds no string: the arguments are walked through
 * maps of their primitives. It is only a cache. It takes lists of primitives and small plain objects at their second
 * sight, is dropped whole when it is full, rests where it does not help, and knows nothing that the encoder did not say.
 */
export class KeyCache {
  readonly #encode: (args: readonly unknown[]) => string;
  /** Keys met since, and whether their lists can be kept. */
  readonly #seen = new Map<string, boolean>();
  #root = createNode();
  #nodes = 0;
  #lookups = 0;
  #hits = 0;
  #skip = 0;
  #pause = sampleSize;

  constructor(encode: (args: readonly unknown[]) => string) {
    this.#encode = encode;
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

  /** The same for a list of one. */
  findOne(argument: unknown): string | undefined {
    if (!this.#isActive()) return undefined;
    const node = step(this.#root, argument);
    return node === undefined ? undefined : this.#keyAt(node);
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

  /** Hands over the key of a list that was not found. */
  learn(args: readonly unknown[], key: string): void {
    if (this.#skip > 0 || args.length > mostArguments) return;
    const mayBeKept = this.#seen.get(key);
    if (mayBeKept === undefined) {
      if (this.#seen.size === mostSeen) this.#seen.clear();
      this.#seen.set(key, true);
    } else if (mayBeKept) {
      const copy = copyOf(args);
      // A getter may have changed since, so the path is made from a copy that the encoder has seen as well.
      if (copy !== undefined && this.#encode(copy) === key) this.#add(copy, key);
      else this.#seen.set(key, false);
    }
  }

  #add(args: readonly unknown[], key: string): void {
    if (this.#nodes > mostNodes) {
      // More lists come again than there is room for: to learn them over and over would cost more than to build keys.
      this.#reset();
      return;
    }
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
    const isUseful = this.#hits * 8 >= sampleSize;
    this.#lookups = 0;
    this.#hits = 0;
    if (isUseful) {
      this.#pause = sampleSize;
      return;
    }
    this.#reset();
  }

  /** Forget everything, and rest twice as long each time. */
  #reset(): void {
    this.#lookups = 0;
    this.#hits = 0;
    this.#skip = this.#pause;
    this.#pause = Math.min(2 * this.#pause, longestPause);
    this.#root = createNode();
    this.#nodes = 0;
    this.#seen.clear();
  }
}

function step(node: Node, value: unknown): Node | undefined {
  if (typeof value !== 'object' || value === null) return nextByValue(node, value);
  return node.object === undefined ? undefined : walk(node.object, value);
}

function walk(from: Node, object: object): Node | undefined {
  if (getPrototypeOf(object) !== objectPrototype) return undefined;
  let node: Node | undefined = from;
  for (const name in object) {
    node = nextByName(node, name);
    if (node === undefined) return undefined;
    node = step(node, (object as Record<string, unknown>)[name]);
    if (node === undefined) return undefined;
  }
  // Last, for it costs most: a list that is not known should not pay for it.
  if (getOwnPropertySymbols(object).length > 0 || toString.call(object) !== '[object Object]') return undefined;
  return node.exit;
}

function nextByValue(node: Node, value: unknown): Node | undefined {
  // Maps do not tell the zeros apart, nor does `===`.
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

/** `undefined` where not all of it may be remembered. */
function copyOf(args: readonly unknown[]): unknown[] | undefined {
  const copy: unknown[] = [];
  for (const value of args) if (!copyInto(copy, copy.length, value, 0)) return undefined;
  return copy;
}

/** Copies what may be remembered; false for what is too large. Whether the copy means the same is for the encoder to say. */
function copyInto(target: object, name: string | number, value: unknown, depth: number): boolean {
  let copy = value;
  if (typeof value === 'object' && value !== null) {
    copy = {};
    if (!copyProperties(copy as object, value, depth)) return false;
  } else if (!mayBeKept(value)) {
    return false;
  }
  Object.defineProperty(target, name, { value: copy, enumerable: true });
  return true;
}

/** No getter is called. */
function copyProperties(copy: object, object: object, depth: number): boolean {
  const names = Object.keys(object);
  if (depth === deepest || names.length > mostNames) return false;
  return names.every((name) => {
    if (name.length > longestString) return false;
    return copyInto(copy, name, getOwnPropertyDescriptor(object, name)?.value, depth + 1);
  });
}

function mayBeKept(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= longestString;
  // Of a proxy that says something else each time: the encoder would throw.
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
