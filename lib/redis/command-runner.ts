import QuickLRU from 'quick-lru';
import { TimeoutError } from '../errors.js';
import { startTimer } from '../platform/timer.js';
import { Deadlines } from '../store/deadline.js';
import { CircuitBreakers } from './circuit-breaker.js';
import { mayLackScript, messageOf } from './clients/failure.js';
import { slotOf } from './cluster-slot.js';
import type { Breaker } from './circuit-breaker.js';
import type { Client, Node } from './clients/client.js';
import type { Script } from './scripts.js';

export interface RunOptions {
  /** Milliseconds, retries included. */
  readonly timeout: number;
  /** Sends the command even while the breaker is open. */
  readonly bypassBreaker?: boolean;
  /** Sends the command again after a connection error, until the deadline. Only for commands that may be executed twice. */
  readonly isRetried?: boolean;
  /** An error that is not retried. */
  readonly isFinal?: (error: unknown) => boolean;
  /** Called when a reply or an error arrives after the deadline. */
  readonly late?: () => void;
}

/** How long to wait before a command is sent again, in milliseconds: at first, and at most. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 320;

/** How many timeouts have a shared timer: `storeTimeout`s, of which there are few, and what remains of them. */
const SHARED_DEADLINES = 8;

/** Slots of one block. A block stands for a node where nodes are unknown. */
const BLOCK_SIZE = 1_024;
const BLOCKS = 16;

interface Attempt {
  /** The command, for the message of a timeout. */
  readonly name: string;
  readonly breaker: Breaker;
  readonly act: () => Promise<unknown>;
  /** A read that tells whether the server answers again. */
  readonly probe: () => Promise<unknown>;
  readonly options: RunOptions;
}

/** Runs commands and scripts. Every command has a deadline here, whatever the options of the client are. */
export class CommandRunner {
  readonly client: Client;
  readonly #breakers = new CircuitBreakers(BLOCKS);
  #lastDeadlines: Deadlines | undefined;
  readonly #deadlines = new QuickLRU<number, Deadlines>({ maxSize: SHARED_DEADLINES });

  constructor(client: Client) {
    this.client = client;
  }

  /** @param key The key of the command, by which a cluster finds the node. */
  send(key: string, args: readonly string[], options: RunOptions): Promise<unknown> {
    return new Promise((resolve, reject) => this.start(key, args, { options, resolve, reject }));
  }

  /** `send` with callbacks: some promises less on the way of a hit. */
  start(
    key: string,
    args: readonly string[],
    {
      options,
      resolve,
      reject,
    }: {
      readonly options: RunOptions;
      readonly resolve: (reply: unknown) => void;
      readonly reject: (error: unknown) => void;
    },
  ): void {
    const act = (): Promise<unknown> => this.client.send(key, args);
    const probe = (): Promise<unknown> => this.#probeBy(key);
    this.#attempt({ name: args[0]!, breaker: this.#breakerOf(key), act, probe, options }, resolve, reject);
  }

  /** @param key Any key that the user may read. */
  masters(key: string, timeout: number): Promise<readonly Node[]> {
    const breaker = this.#breakers.ofNode('');
    const act = (): Promise<unknown> => this.client.masters(key);
    const options = { timeout, bypassBreaker: true };
    return this.#promise({ name: 'get', breaker, act, probe: act, options }) as Promise<readonly Node[]>;
  }

  /** Sends a command to one node of a cluster. */
  sendTo(node: Node, args: readonly string[], options: RunOptions): Promise<unknown> {
    const breaker = this.#breakers.ofNode(node.name);
    const probe = (): Promise<unknown> => node.send(['time']);
    return this.#promise({ name: args[0]!, breaker, act: () => node.send(args), probe, options });
  }

  /** Runs a script by its digest. Sends its source where the server may not know it. */
  run(
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
    options: RunOptions,
  ): Promise<unknown> {
    const tail = [String(keys.length), ...keys, ...args];
    const act = async (): Promise<unknown> => {
      try {
        return await this.client.send(keys[0], ['evalsha', script.sha, ...tail]);
      } catch (error) {
        if (!mayLackScript(error, this.client.failureOf(error))) throw error;
        return this.client.send(keys[0], ['eval', script.source, ...tail]);
      }
    };
    const probe = (): Promise<unknown> => this.#probeBy(keys[0]);
    return this.#promise({ name: 'evalsha', breaker: this.#breakerOf(keys[0]), act, probe, options });
  }

  /** As in the scripts, a user who may not publish is no failure. */
  async publish(channel: string, message: string, timeout: number): Promise<void> {
    try {
      await this.send(channel, ['publish', channel, message], { timeout, bypassBreaker: true });
    } catch (error) {
      if (!/NOPERM/.test(messageOf(error))) throw error;
    }
  }

  #promise(attempt: Attempt): Promise<unknown> {
    return new Promise((resolve, reject) => this.#attempt(attempt, resolve, reject));
  }

  #attempt(
    { name, breaker, act, probe, options }: Attempt,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const { timeout, bypassBreaker = false, isRetried = false, isFinal, late } = options;
    if (!bypassBreaker && !breaker.admits()) {
      if (breaker.isProbeDue()) this.#try(probe, breaker);
      return reject(new Error('The server has not answered for a while; it is asked again within a second'));
    }
    let isOver = false;
    let pause = FIRST_PAUSE;
    let lastError: unknown;
    const deadline = this.#deadlinesOf(timeout).start(() => {
      isOver = true;
      // While this process was busy the server may have answered.
      if (!deadline.wasBusy) breaker.failed();
      const reason = lastError === undefined ? '' : `: ${messageOf(lastError)}`;
      reject(new TimeoutError(`The server did not answer \`${name}\` within ${timeout} ms${reason}`, timeout));
    });
    const end = (): boolean => {
      const isLate = isOver;
      isOver = true;
      if (isLate) late?.();
      else deadline.stop();
      return !isLate;
    };
    const answered = (reply: unknown): void => {
      breaker.succeeded();
      if (end()) resolve(reply);
    };
    const failed = (error: unknown): void => {
      const failure = this.client.failureOf(error);
      const canRetry = failure === 'busy' || (failure !== 'reply' && isRetried && !this.client.isEnded());
      if (canRetry && !isOver && isFinal?.(error) !== true) {
        lastError = error;
        startTimer(pause, () => {
          if (!isOver) startSafely(act).then(answered, failed);
        });
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        return;
      }
      if (failure === 'reply') breaker.succeeded();
      else if (!isOver && failure !== 'busy') breaker.failed();
      if (end()) reject(error);
    };
    startSafely(act).then(answered, failed);
  }

  #probeBy(key: string): Promise<unknown> {
    return this.client.send(key, ['get', key]);
  }

  /** No caller waits for it. Whenever it is answered, the server is back. */
  #try(probe: () => Promise<unknown>, breaker: Breaker): void {
    startSafely(probe).then(
      () => breaker.succeeded(),
      (error: unknown) => {
        if (this.client.failureOf(error) === 'reply') breaker.succeeded();
      },
    );
  }

  #breakerOf(key: string): Breaker {
    const { client } = this;
    if (!client.isCluster) return this.#breakers.ofNode('');
    const slot = slotOf(client.keyPrefix + key);
    const node = client.nodeOf(slot);
    return node === undefined ? this.#breakers.ofBlock(Math.floor(slot / BLOCK_SIZE)) : this.#breakers.ofNode(node);
  }

  #deadlinesOf(timeout: number): Deadlines {
    if (this.#lastDeadlines?.limit === timeout) return this.#lastDeadlines;
    return (this.#lastDeadlines = this.#findDeadlines(timeout));
  }

  #findDeadlines(timeout: number): Deadlines {
    const known = this.#deadlines.get(timeout);
    if (known !== undefined) return known;
    const created = new Deadlines(timeout);
    this.#deadlines.set(timeout, created);
    return created;
  }
}

/** A client may throw where it should reject. */
function startSafely(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return Promise.resolve(act());
  } catch (error) {
    return Promise.reject(error);
  }
}
