import { UnkeyableArgumentError } from '../errors.js';
import { Canonicalizer } from './canonicalize.js';
import { createDigest } from './digest.js';
import { compileIgnore, noExclusions } from './ignore.js';
import { KeyCache } from './key-cache.js';
import { longestText, UnkeyableValue, tooLong } from './unkeyable.js';
import { isWellFormed } from './well-formed.js';
import type { IgnoreRule } from './ignore.js';

export interface KeyOptions {
  /** For messages only: the caller puts its namespace before the key. */
  readonly name: string;
  readonly keyOf?: ((...args: never[]) => unknown) | undefined;
  readonly ignore?: readonly IgnoreRule[];
}

/** (receiver, args) => key. Throws UnkeyableArgumentError, or whatever keyOf / a predicate / a getter throws. */
export interface KeyBuilder {
  /** @param known What `known` said of the list. */
  (receiver: unknown, args: readonly unknown[], known?: string): string;
  /**
   * The key of a list without a signal that takes no building: a lone string, which is its own, or a list that was met
   * before. That the string is well-formed is not checked: nothing stands under one that is not.
   */
  known(args: readonly unknown[]): string | undefined;
  /** The same for a list of one. */
  knownOne(argument: unknown): string | undefined;
}

const longestKey = 512;

/** Stands for what is left out before an argument that is not; no value is written like it. */
const exclusionMarker = '*';
const emptyList = '()';

/**
 * Makes the function that names a call. Two argument lists get the same key exactly when `util.isDeepStrictEqual` holds
 * for them, in every process, version of Node and realm; what cannot be told apart is refused.
 */
export function createKeyBuilder(options: KeyOptions): KeyBuilder {
  const { name, keyOf } = options;
  let idle: Canonicalizer | undefined;
  const digest = createDigest();
  const exclusions = keyOf === undefined ? compileIgnore(options.ignore ?? []) : noExclusions;

  // Where something is left out, a list is not its own path through the cache.
  const keys = exclusions.isEmpty ? new KeyCache(encode) : undefined;

  const isPlain = keyOf === undefined && exclusions.keepsStrings;
  const build =
    keyOf === undefined
      ? // A lone string is still to be checked.
        (_receiver: unknown, args: readonly unknown[], known?: string) =>
          known === undefined || known === args[0] ? keyFrom(args) : known
      : (receiver: unknown, args: readonly unknown[]) => keyFrom([Reflect.apply(keyOf, receiver, args)]);
  return Object.assign(build, {
    known: (args: readonly unknown[]) => {
      if (!isPlain) return undefined;
      return args.length === 1 ? ofOne(args[0]) : keys?.find(args);
    },
    knownOne: (argument: unknown) => (isPlain ? ofOne(argument) : undefined),
  });

  function ofOne(argument: unknown): string | undefined {
    return typeof argument === 'string' && beginsLikeAWord(argument) ? argument : keys?.findOne(argument);
  }

  function keyFrom(args: readonly unknown[]): string {
    const first = args[0];
    if (args.length === 1 && typeof first === 'string' && exclusions.keepsStrings && isItsOwnKey(first)) return first;
    if (keys === undefined) return encode(args);
    const known = keys.find(args);
    if (known !== undefined) return known;
    const key = encode(args);
    keys.learn(args, key);
    return key;
  }

  function encode(args: readonly unknown[]): string {
    const text = canonicalize(args);
    if (!isWellFormed(text)) return `$w${digest(JSON.stringify(text))}`;
    return text.length <= longestKey ? text : `$${digest(text)}`;
  }

  function canonicalize(args: readonly unknown[]): string {
    // A getter may come back here in the middle of a list: then it gets a canonicalizer of its own.
    const canonicalizer = idle ?? new Canonicalizer();
    idle = undefined;
    canonicalizer.begin();
    let text = '';
    let markers = '';
    let last = -1;
    let i = 0;
    try {
      for (; i < args.length; i++) {
        const value = args[i];
        if (exclusions.has(value, i)) {
          markers += exclusionMarker;
          continue;
        }
        text += markers + canonicalizer.argument(value, exclusions.properties);
        if (text.length > longestText) throw tooLong();
        markers = '';
        last = i;
      }
    } catch (error) {
      if (!UnkeyableValue.is(error)) throw error;
      throw unkeyable(error, i);
    } finally {
      canonicalizer.end();
      idle = canonicalizer;
    }
    const first = args[0];
    if (last === 0 && typeof first === 'string' && isItsOwnKey(first)) return first;
    return last < 0 ? emptyList : text;
  }

  function unkeyable(refusal: UnkeyableValue, argument: number): UnkeyableArgumentError {
    const { reason, path } = refusal.describe();
    const subject = keyOf === undefined ? `argument ${argument}` : 'the result of `keyOf`';
    const where = path === '' ? '' : ` at \`${path}\``;
    const advice = `${keyOf === undefined ? 'List it in `ignore` or return' : 'Return'} plain data from \`keyOf\`.`;
    return new UnkeyableArgumentError(
      `${name}: cannot build a key from ${subject}${where} (${reason}). ${advice}`,
      argument,
      path,
    );
  }
}

/**
 * A lone string that begins like a word or a path is its own key, so the commonest call builds none. No canonical text
 * begins with such a character. Digits are not among them: before Node 20.20.2 V8 gave strings that look like integers
 * predictable hashes (CVE-2026-21717).
 */
function isItsOwnKey(text: string): boolean {
  return beginsLikeAWord(text) && isWellFormed(text);
}

function beginsLikeAWord(text: string): boolean {
  const code = text.charCodeAt(0) | 0;
  const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
  return (isLetter || code === 47 || code >= 128) && text.length <= longestKey;
}
