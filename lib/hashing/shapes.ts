/** What the encoder needs to know about a list of property names. */
export interface Shape {
  /** `{`, the number of names, the names as sorted strings. Equal for every order of the same names. */
  readonly header: string;
  /** The position in the list of each sorted name; `undefined` where the list was sorted already. */
  readonly order: readonly number[] | undefined;
}

/** A list of property names in the order of an object, as a path in a tree with one name per node. */
export interface ShapeNode {
  readonly parent: ShapeNode | undefined;
  readonly name: string;
  readonly depth: number;
  /** The step taken last time: a repeated shape costs one comparison per name. */
  lastName: string | undefined;
  lastNode: ShapeNode | undefined;
  others: Map<string, ShapeNode> | undefined;
  shape: Shape | undefined;
}

const mostNodes = 1024;
const mostNames = 40;
const longestName = 64;
const fewNames = 24;
/** Unknown names that a full table meets before it starts afresh: one hostile caller cannot keep it useless. */
const patience = 4 * mostNodes;

/**
 * Remembers how the names of an object sort. It is only a cache: bounded, dropped as a whole. Its answers are a function
 * of the names alone, so keys never depend on its contents.
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
  const order = names.length > fewNames ? sortedOrder(names) : insertionOrder(names);
  return { header: headerOf(order.map((index) => names[index] as string)), order };
}

function sortedOrder(names: readonly string[]): number[] {
  return names.map((_, index) => index).sort((a, b) => ((names[a] as string) < (names[b] as string) ? -1 : 1));
}

/** For few names, an insertion sort is faster than the built-in one. */
function insertionOrder(names: readonly string[]): number[] {
  const order: number[] = [];
  for (const [index, name] of names.entries()) {
    let to = index;
    for (; to > 0 && (names[order[to - 1] as number] as string) > name; to--) order[to] = order[to - 1] as number;
    order[to] = index;
  }
  return order;
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
