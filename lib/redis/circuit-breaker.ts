/** How many failures in a row open a breaker. */
const FAILURES = 5;

/** How often an open breaker lets one operation through, in milliseconds. */
const PAUSE = 1_000;

/** Refuses operations while a node does not answer. It has no timer: the next operation is the probe. */
export interface CircuitBreaker {
  /** False while the breaker is open and no probe is due. */
  admits(): boolean;
  /** The node has answered. An error reply is an answer. */
  succeeded(): void;
  /** A deadline has passed, or there is no connection. */
  failed(): void;
}

/**
 * One breaker for each node, so that a dead master does not hold up the keys of the others. Where the node of a key is
 * unknown there is one for each block of slots. Such a client may also talk to a single server: if most blocks fail and
 * none answers, the server as a whole counts as gone, and one probe is enough for all.
 */
export class CircuitBreakers {
  readonly #nodes = new Map<string, CircuitBreaker>();
  readonly #blocks: readonly Gate[];
  readonly #whole = new Gate();
  readonly #failing = new Set<number>();

  /** @param blocks How many blocks of slots there are. */
  constructor(blocks: number) {
    this.#blocks = Array.from({ length: blocks }, () => new Gate());
  }

  ofNode(name: string): CircuitBreaker {
    let breaker = this.#nodes.get(name);
    if (breaker === undefined) this.#nodes.set(name, (breaker = new Gate()));
    return breaker;
  }

  ofBlock(index: number): CircuitBreaker {
    const block = this.#blocks[index]!;
    const isWholeGone = (): boolean => this.#failing.size > this.#blocks.length / 2;
    return {
      admits: () => (isWholeGone() ? this.#whole.admits() : block.admits()),
      succeeded: () => {
        if (isWholeGone()) for (const each of this.#blocks) each.succeeded();
        this.#failing.clear();
        block.succeeded();
      },
      failed: () => {
        block.failed();
        const wasWholeGone = isWholeGone();
        this.#failing.add(index);
        if (!wasWholeGone && isWholeGone()) this.#whole.shut();
      },
    };
  }
}

class Gate implements CircuitBreaker {
  #failures = 0;
  #triedAt = 0;

  admits(): boolean {
    if (this.#failures < FAILURES) return true;
    const now = performance.now();
    if (now - this.#triedAt < PAUSE) return false;
    this.#triedAt = now;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures === FAILURES) this.#triedAt = performance.now();
  }

  /** Opens at once. */
  shut(): void {
    this.#failures = FAILURES;
    this.#triedAt = performance.now();
  }
}
