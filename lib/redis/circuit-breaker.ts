import { CircuitBreaker } from '../store/circuit-breaker.js';

/** What an operation needs of the breaker of its node. */
export type Breaker = Pick<CircuitBreaker, 'admits' | 'isProbeDue' | 'succeeded' | 'failed'>;

/**
 * One breaker for each node, so that a dead master does not hold up the keys of the others. Where the node of a key is
 * unknown there is one for each block of slots. Such a client may also talk to a single server: if most blocks fail and
 * none answers, the server as a whole counts as gone, and one probe is enough for all.
 */
export class CircuitBreakers {
  readonly #nodes = new Map<string, CircuitBreaker>();
  readonly #blocks: readonly CircuitBreaker[];
  readonly #whole = new CircuitBreaker();
  readonly #failing = new Set<number>();

  /** @param blocks How many blocks of slots there are. */
  constructor(blocks: number) {
    this.#blocks = Array.from({ length: blocks }, () => new CircuitBreaker());
  }

  ofNode(name: string): Breaker {
    let breaker = this.#nodes.get(name);
    if (breaker === undefined) this.#nodes.set(name, (breaker = new CircuitBreaker()));
    return breaker;
  }

  ofBlock(index: number): Breaker {
    const block = this.#blocks[index]!;
    const isWholeGone = (): boolean => this.#failing.size > this.#blocks.length / 2;
    return {
      admits: () => !isWholeGone() && block.admits(),
      isProbeDue: () => (isWholeGone() ? this.#whole : block).isProbeDue(),
      succeeded: () => {
        if (isWholeGone()) for (const each of this.#blocks) each.succeeded();
        this.#failing.clear();
        block.succeeded();
      },
      failed: () => {
        block.failed();
        const wasWholeGone = isWholeGone();
        this.#failing.add(index);
        if (!wasWholeGone && isWholeGone()) this.#whole.open();
      },
    };
  }
}
