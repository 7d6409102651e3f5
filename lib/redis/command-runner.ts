import QuickLRU from 'quick-lru';
import { TimeoutError } from '../errors.js';
import { Deadlines } from '../store/deadline.js';
import { startTimer } from '../platform/timer.js';
import { Breaker } from './circuit-breaker.js';
import type { Commands } from './commands.js';
import type { Script } from './scripts.js';

export interface SendOptions {
  /** Milliseconds, retries included. */
  readonly timeout: number;
  /** Send it even while the breaker is open. */
  readonly isUrgent?: boolean;
  /** Send it again after a connection error, until the deadline: for what may be carried out twice. */
  readonly isRetried?: boolean;
  /** Called after the deadline with what came of it. */
  readonly late?: () => void;
}

/** How long to wait before a command is sent again, in milliseconds. */
const RETRY_PAUSE = 20;

/** How many lengths have a timer that their deadlines share: `storeTimeout`s, of which there are few, and what is left of them. */
const SHARED_DEADLINES = 8;

/** The server as this process sees it: every command has our own deadline, whatever the client's options say. */
export class Server {
  readonly commands: Commands;
  readonly #breaker = new Breaker();
  readonly #deadlines = new QuickLRU<number, Deadlines>({ maxSize: SHARED_DEADLINES });

  constructor(commands: Commands) {
    this.commands = commands;
  }

  /** @param key What a cluster finds the node by. */
  send(key: string, args: readonly string[], options: SendOptions): Promise<unknown> {
    return this.read(key, args, options, asItIs);
  }

  /** The same, for what `read` makes of the reply: a step less on the way to it. */
  read<T>(key: string, args: readonly string[], options: SendOptions, read: (reply: unknown) => T): Promise<T> {
    return this.#attempt(args[0]!, () => this.commands.send(key, args), options, read);
  }

  /** Ask one node of a cluster. */
  ask(
    node: (args: readonly string[]) => Promise<unknown>,
    args: readonly string[],
    options: SendOptions,
  ): Promise<unknown> {
    return this.#attempt(args[0]!, () => node(args), options, asItIs);
  }

  /** Run a script; it is sent in full where the server does not know it. */
  run(
    script: Script,
    keys: readonly [string, string],
    args: readonly string[],
    options: SendOptions,
  ): Promise<unknown> {
    const tail = ['2', ...keys, ...args];
    const act = async (): Promise<unknown> => {
      try {
        return await this.commands.send(keys[0], ['evalsha', script.sha, ...tail]);
      } catch (error) {
        if (!messageOf(error).includes('NOSCRIPT')) throw error;
        return this.commands.send(keys[0], ['eval', script.source, ...tail]);
      }
    };
    return this.#attempt('script', act, options, asItIs);
  }

  #attempt<T>(
    name: string,
    act: () => Promise<unknown>,
    options: SendOptions,
    read: (reply: unknown) => T,
  ): Promise<T> {
    if (options.isUrgent !== true && !this.#breaker.admits()) {
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
        if (isReply(error)) {
          this.#breaker.succeeded();
        } else if (options.isRetried === true && !isOver && !this.commands.isEnded()) {
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

const replyErrors: ReadonlySet<string> = new Set([
  'ReplyError',
  'ErrorReply',
  'SimpleError',
  'BlobError',
  'MultiErrorReply',
]);

/** True for what a living server has said, such as WRONGTYPE, OOM or NOPERM; false for what became of the connection. */
function isReply(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, constructor, code } = error as { name?: unknown; constructor?: { name?: unknown }; code?: unknown };
  if (replyErrors.has(String(name)) || replyErrors.has(String(constructor?.name))) return true;
  return typeof code !== 'string' && /^-?[A-Z][A-Z0-9_]* /.test(messageOf(error));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
