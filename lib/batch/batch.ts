import { findSignals, onAbort, replaceSignals } from '../in-flight/signals.js';
import { startWork } from '../platform/timer.js';
import { answersOf } from './answers.js';
import { isSameRest } from './same-rest.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { Timer } from '../platform/timer.js';

export type BatchFunction<Item> = (items: Item[], ...rest: unknown[]) => unknown;

export interface BatchLimits {
  readonly maxSize: number;
  /** Milliseconds; `0`: the end of this turn. */
  readonly wait: number;
}

/** A call of one item. */
export interface ItemCall<Item, Value> {
  readonly receiver: unknown;
  readonly item: Item;
  readonly rest: readonly unknown[];
  resolve(value: Value): void;
  reject(error: unknown): void;
}

interface Member<Item, Value> extends ItemCall<Item, Value> {
  /** Continues the batch in the asynchronous context of this call. */
  start(): void;
  stopListening(): void;
}

/**
 * Items that one call of `fn` answers. A batch is open until its time is over, it is full, or all have left; then `fn`
 * is called once. Its members are a set and nothing is counted beside it, so a member that leaves at any moment cannot
 * keep the others waiting.
 */
export class Batch<Item, Value> {
  readonly #fn: BatchFunction<Item>;
  readonly #limits: BatchLimits;
  readonly #onClosed: (batch: Batch<Item, Value>) => void;
  /** The calls that wait for an answer, in their order. */
  readonly #members = new Set<Member<Item, Value>>();
  #isOpen = true;
  #timer: Timer | undefined;
  /** Aborts the signal that `fn` got, if it got one. */
  #controller: AbortController | undefined;

  /** @param onClosed Called once, when the batch takes no more items. */
  constructor(fn: BatchFunction<Item>, limits: BatchLimits, onClosed: (batch: Batch<Item, Value>) => void) {
    this.#fn = fn;
    this.#limits = limits;
    this.#onClosed = onClosed;
  }

  /** True where a call with this receiver and these arguments after the item belongs to this batch. */
  accepts(receiver: unknown, rest: readonly unknown[]): boolean {
    const [first] = this.#members;
    return first !== undefined && Object.is(first.receiver, receiver) && isSameRest(first.rest, rest);
  }

  /** @param signals Those of the call; none of them has been aborted. */
  add(call: ItemCall<Item, Value>, signals: readonly AbortSignalLike[] | undefined): void {
    const member: Member<Item, Value> = { ...call, start: ignore, stopListening: ignore };
    this.#members.add(member);
    void this.#continueFrom(member);
    // A signal or a timer that throws ends this call only.
    try {
      if (signals !== undefined) member.stopListening = onAbort(signals, (reason) => this.#leave(member, reason));
      if (this.#members.size >= this.#limits.maxSize) this.#close();
      else if (this.#isOpen) this.#timer ??= startWork(this.#limits.wait, () => this.#close());
    } catch (error) {
      this.#leave(member, error);
    }
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer?.stop();
    this.#onClosed(this);
    this.#startFirst();
  }

  /** In the context of the first call that has not left. */
  #startFirst(): void {
    const [first] = this.#members;
    first?.start();
  }

  /** A suspended function keeps the asynchronous context in which it was called. Never rejects. */
  async #continueFrom(member: Member<Item, Value>): Promise<void> {
    await new Promise<void>((resolve) => (member.start = resolve));
    if (this.#members.has(member)) await this.#run(member);
    else this.#startFirst();
  }

  async #run({ receiver, rest }: Member<Item, Value>): Promise<void> {
    const members = [...this.#members];
    const items = members.map(({ item }) => item);
    try {
      // `fn` gets a list of its own, which it may change.
      const result: unknown = await Reflect.apply(this.#fn, receiver, [[...items], ...this.#withSignal(rest)]);
      this.#settle(members, answersOf<Item, Value>(result, items, this.#fn));
    } catch (error) {
      this.#settle(members, () => {
        throw error;
      });
    }
  }

  /** @param answerAt The value for the item at an index; throws where there is an error for it. */
  #settle(members: readonly Member<Item, Value>[], answerAt: (index: number) => Value): void {
    members.forEach((member, index) => {
      if (!this.#members.delete(member)) return;
      member.stopListening();
      try {
        member.resolve(answerAt(index));
      } catch (error) {
        member.reject(error);
      }
    });
  }

  #withSignal(rest: readonly unknown[]): readonly unknown[] {
    if (findSignals(rest) === undefined) return rest;
    this.#controller = new AbortController();
    return replaceSignals(rest, this.#controller.signal);
  }

  #leave(member: Member<Item, Value>, reason: unknown): void {
    if (!this.#members.delete(member)) return;
    member.stopListening();
    member.reject(reason);
    if (this.#members.size > 0) return;
    this.#close();
    this.#controller?.abort(reason);
  }
}

function ignore(): void {
  // There is nothing to do.
}
