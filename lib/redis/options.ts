import { show } from '../platform/show.js';
import { jsonCodec } from './codec.js';
import type { Codec } from './codec.js';

/** All times are milliseconds. */
export interface RedisStoreOptions {
  /**
   * Put before every name on the server. Stores with different prefixes share nothing.
   *
   * @default 'aiocachetools:'
   */
  readonly prefix?: string | undefined;
  /**
   * How long a process that runs `fn` may be silent before another takes over: 50 to 20,000. Each takeover doubles it, up
   * to 20,000.
   *
   * @default 5_000
   */
  readonly lease?: number | undefined;
  /**
   * The longest a process waits for the run of another. After that it runs `fn` itself, and its result is not written.
   *
   * @default 30_000
   */
  readonly wait?: number | undefined;
  /**
   * How entries become text.
   *
   * @default jsonCodec
   */
  readonly codec?: Codec | undefined;
  /**
   * A connection to receive messages with. It is never closed by the store. Without it a duplicate of `client` is opened
   * at the first need. Where that is not possible, waiting processes poll and a near store is limited by its `nearTtl`.
   */
  readonly subscriber?: object | undefined;
  /**
   * Puts arguments into names on the server instead of a digest, so that people can read them. So can everybody else with
   * access to the server.
   *
   * @default false
   */
  readonly readableKeys?: boolean | undefined;
}

export interface ResolvedRedisOptions {
  readonly prefix: string;
  readonly lease: number;
  readonly wait: number;
  readonly codec: Codec;
  readonly subscriber: object | undefined;
  readonly readableKeys: boolean;
}

const defaults: ResolvedRedisOptions = {
  prefix: 'aiocachetools:',
  lease: 5_000,
  wait: 30_000,
  codec: jsonCodec,
  subscriber: undefined,
  readableKeys: false,
};

/** The check of each option, and what it expects in words. */
const checks: { readonly [Option in keyof ResolvedRedisOptions]: readonly [(value: unknown) => boolean, string] } = {
  prefix: [(value) => typeof value === 'string', 'a string'],
  lease: [
    (value) => typeof value === 'number' && value >= 50 && value <= 20_000,
    'a number of milliseconds from 50 to 20000',
  ],
  wait: [(value) => typeof value === 'number' && value >= 0, 'a number of milliseconds >= 0'],
  codec: [isCodec, 'an object with encode and decode'],
  subscriber: [(value) => typeof value === 'object' && value !== null, 'a client that can subscribe'],
  readableKeys: [(value) => typeof value === 'boolean', 'true or false'],
};

export function resolveRedisOptions(given: object): ResolvedRedisOptions {
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`Expected options to be a plain object, got ${show(given)}`);
  const resolved: Record<string, unknown> = { ...defaults };
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(checks, option)) throw new TypeError(`Unknown option \`${option}\`, got ${show(value)}`);
    if (value === undefined) continue;
    const [isRight, expected] = checks[option as keyof ResolvedRedisOptions];
    if (!isRight(value)) throw new TypeError(`Expected \`${option}\` to be ${expected}, got ${show(value)}`);
    resolved[option] = option === 'lease' ? Math.round(value as number) : value;
  }
  return resolved as unknown as ResolvedRedisOptions;
}

function isCodec(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { encode, decode } = value as Partial<Record<keyof Codec, unknown>>;
  return typeof encode === 'function' && typeof decode === 'function';
}
