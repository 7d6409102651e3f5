/** What the encoder needs to know about a list of property names. */
export interface Shape {
  /** `{`, the number of names, the names as sorted strings. Equal for every order of the same names. */
  readonly header: string;
  /** Where each sorted name stood in the list; `undefined` where the list was sorted already. */
  readonly order: readonly number[] | undefined;
}

/** A list of property names, one name a node, in the order in which an object gave them. */
export interface ShapeNode {
  readonly parent: ShapeNode | undefined;
  readonly name: string;
  readonly depth: number;
  /** The step taken last time, so that a repeated shape costs one comparison per name. */
  lastName: string | undefined;
  lastNode: ShapeNode | undefined;
  others: Map<string, ShapeNode> | undefined;
  shape: Shape | undefined;
}

const mostNodes = 1024;
const mostNames = 40;
const longestName = 64;
const fewNames = 24;
/** Five characters of seven bits above an index of 17: what a double holds exactly. */
const packedCharacters = 5;
const mostPacked = 2 ** 17;
/** Unknown names seen while the table is full before it starts afresh: one hostile caller cannot keep it useless. */
const patience = 4 * mostNodes;

/**
 * Remembers how the names of an object sort. It is only a cache: bounded, dropped whole, and what it answers is a
 * function of the names alone, so keys never depend on what it holds.
 */
export class ShapeTable {
  #root = createNode(undefined, '');
  #nodes = 0;
  #refused = 0;

  get root(): ShapeNode {
    return this.#root;
  }

  /** The node for one more name, or `undefined` where the list is not remembered. */
  step(node: ShapeNode, name: string): ShapeNode | undefined {
    let next = node.others?.get(name);
    if (next === undefined) {
      if (node.depth === mostNames || name.length > longestName || this.#isFull()) return undefined;
      this.#nodes++;
      next = createNode(node, name);
      (node.others ??= new Map()).set(name, next);
    }
    node.lastName = name;
    node.lastNode = next;
    return next;
  }

  shapeOf(node: ShapeNode): Shape {
    return (node.shape ??= describeShape(namesOf(node)));
  }

  #isFull(): boolean {
    if (this.#nodes < mostNodes) return false;
    if (++this.#refused < patience) return true;
    this.#root = createNode(undefined, '');
    this.#nodes = 0;
    this.#refused = 0;
    return true;
  }
}

export function namesOf(node: ShapeNode): string[] {
  const names: string[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) names.push(at.name);
  return names.reverse();
}

/** Sorts by UTF-16 code unit, never by locale: collation differs between machines and versions of ICU. */
export function describeShape(names: readonly string[]): Shape {
  if (isSorted(names)) return { header: headerOf(names), order: undefined };
  const order = names.length > fewNames ? orderOfMany(names) : orderOfFew(names);
  return { header: headerOf(order.map((index) => names[index] as string)), order };
}

/** By insertion: for so few names no sort of the language's is faster. */
function orderOfFew(names: readonly string[]): number[] {
  const order: number[] = [];
  for (const [index, name] of names.entries()) {
    let to = index;
    for (; to > 0 && (names[order[to - 1] as number] as string) > name; to--) order[to] = order[to - 1] as number;
    order[to] = index;
  }
  return order;
}

/**
 * Numbers sort some times faster than strings. So the first characters in which the names differ are packed into one each,
 * above the index; only names that are alike in these are compared.
 */
function orderOfMany(names: readonly string[]): number[] {
  const compare = (a: number, b: number): number => ((names[a] as string) < (names[b] as string) ? -1 : 1);
  const packed = names.length <= mostPacked ? packedNames(names) : undefined;
  if (packed === undefined) return names.map((_, index) => index).sort(compare);
  const order: number[] = [];
  for (let from = 0, to = 0; from < packed.length; from = to) {
    const prefix = Math.floor((packed[from] as number) / mostPacked);
    const alike: number[] = [];
    for (; to < packed.length && Math.floor((packed[to] as number) / mostPacked) === prefix; to++) {
      alike.push((packed[to] as number) % mostPacked);
    }
    if (alike.length > 1) alike.sort(compare);
    for (const index of alike) order.push(index);
  }
  return order;
}

/** `undefined` where a character is not ASCII. */
function packedNames(names: readonly string[]): Float64Array | undefined {
  const packed = new Float64Array(names.length);
  const start = sharedLength(names);
  for (const [index, name] of names.entries()) {
    let prefix = 0;
    for (let at = start; at < start + packedCharacters; at++) {
      const code = at < name.length ? name.charCodeAt(at) + 1 : 0;
      if (code > 127) return undefined;
      prefix = prefix * 128 + code;
    }
    packed[index] = prefix * mostPacked + index;
  }
  return packed.sort();
}

/** How many characters all names begin with alike. */
function sharedLength(names: readonly string[]): number {
  const first = names[0] as string;
  let length = first.length;
  for (const name of names) {
    let same = 0;
    while (same < length && name.charCodeAt(same) === first.charCodeAt(same)) same++;
    length = same;
  }
  return length;
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) if ((names[i - 1] as string) > (names[i] as string)) return false;
  return true;
}

function headerOf(sorted: readonly string[]): string {
  let header = `{${sorted.length}`;
  for (const name of sorted) header += `"${name.length}:${name}`;
  return header;
}

function createNode(parent: ShapeNode | undefined, name: string): ShapeNode {
  const depth = parent === undefined ? 0 : parent.depth + 1;
  return { parent, name, depth, lastName: undefined, lastNode: undefined, others: undefined, shape: undefined };
}
