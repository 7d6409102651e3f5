import QuickLRU from 'quick-lru';
import { TimeoutError } from '../errors.js';
import { startTimer } from '../platform/timer.js';
import { Deadlines } from '../store/deadline.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { messageOf } from './clients/client.js';
import type { Client, Send } from './clients/client.js';
import type { Script } from './scripts.js';

export interface RunOptions {
  /** Milliseconds, retries included. */
  readonly timeout: number;
  /** Sends the command even while the breaker is open. */
  readonly bypassBreaker?: boolean;
  /** Sends the command again after a connection error, until the deadline. Only for commands that may be executed twice. */
  readonly isRetried?: boolean;
  /** Called when a reply or an error arrives after the deadline. */
  readonly late?: () => void;
}

/** How long to wait before a command is sent again, in milliseconds. */
const RETRY_PAUSE = 20;

/** How many timeouts have a shared timer: `storeTimeout`s, of which there are few, and what remains of them. */
const SHARED_DEADLINES = 8;

/** Runs commands and scripts. Every command has a deadline here, whatever the options of the client are. */
export class CommandRunner {
  readonly client: Client;
  readonly #breaker = new CircuitBreaker();
  readonly #deadlines = new QuickLRU<number, Deadlines>({ maxSize: SHARED_DEADLINES });

  constructor(client: Client) {
    this.client = client;
  }

  /** @param key The key of the command, by which a cluster finds the node. */
  send(key: string, args: readonly string[], options: RunOptions): Promise<unknown> {
    return this.read(key, args, options, asItIs);
  }

  /** `send`, with a function for the reply: one promise less on the way of a hit. */
  read<T>(key: string, args: readonly string[], options: RunOptions, read: (reply: unknown) => T): Promise<T> {
    return this.#attempt(args[0]!, () => this.client.send(key, args), options, read);
  }

  /** Sends a command to one node of a cluster. */
  sendTo(node: Send, args: readonly string[], options: RunOptions): Promise<unknown> {
    return this.#attempt(args[0]!, () => node(args), options, asItIs);
  }

  /** Runs a script by its digest. Sends its source where the server does not know it. */
  run(script: Script, keys: readonly [string, string], args: readonly string[], options: RunOptions): Promise<unknown> {
    const tail = ['2', ...keys, ...args];
    const act = async (): Promise<unknown> => {
      try {
        return await this.client.send(keys[0], ['evalsha', script.sha, ...tail]);
      } catch (error) {
        if (!messageOf(error).includes('NOSCRIPT')) throw error;
        return this.client.send(keys[0], ['eval', script.source, ...tail]);
      }
    };
    return this.#attempt('script', act, options, asItIs);
  }

  #attempt<T>(name: string, act: () => Promise<unknown>, options: RunOptions, read: (reply: unknown) => T): Promise<T> {
    if (options.bypassBreaker !== true && !this.#breaker.admits()) {
      return Promise.reject(new Error('The server has not answered for a while; it is asked again within a second'));
    }
    return new Promise((resolve, reject) => {
      let isOver = false;
      const deadline = this.#deadlinesOf(options.timeout).start(() => {
        isOver = true;
        this.#breaker.failed();
        const { timeout } = options;
        reject(new TimeoutError(`The server did not answer \`${name}\` within ${timeout} ms`, timeout));
      });
      const answered = (reply: unknown): void => {
        this.#breaker.succeeded();
        if (isOver) return options.late?.();
        isOver = true;
        deadline.stop();
        try {
          resolve(read(reply));
        } catch (error) {
          reject(error);
        }
      };
      const failed = (error: unknown): void => {
        if (this.client.isReply(error)) {
          this.#breaker.succeeded();
        } else if (options.isRetried === true && !isOver && !this.client.isEnded()) {
          startTimer(RETRY_PAUSE, () => {
            if (!isOver) startSafely(act).then(answered, failed);
          });
          return;
        } else if (!isOver) {
          this.#breaker.failed();
        }
        if (isOver) return options.late?.();
        isOver = true;
        deadline.stop();
        reject(error);
      };
      startSafely(act).then(answered, failed);
    });
  }

  #deadlinesOf(timeout: number): Deadlines {
    const known = this.#deadlines.get(timeout);
    if (known !== undefined) return known;
    const created = new Deadlines(timeout);
    this.#deadlines.set(timeout, created);
    return created;
  }
}

function asItIs(reply: unknown): unknown {
  return reply;
}

/** A client may throw where it should reject. */
function startSafely(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return Promise.resolve(act());
  } catch (error) {
    return Promise.reject(error);
  }
}
