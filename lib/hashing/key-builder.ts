import { UnkeyableArgumentError } from '../errors.js';
import { isThenable, NativePromise } from '../platform/promise.js';
import { Canonicalizer } from './canonicalize.js';
import { ArgumentCopier } from './argument-copier.js';
import { isInstance } from './describe-object.js';
import { createDigest } from './digest.js';
import { compileIgnore, noExclusions } from './ignore.js';
import { KeyCache } from './key-cache.js';
import { longestText, tooLong, UnkeyableValue } from './unkeyable.js';
import { isWellFormed } from './well-formed.js';
import type { Encode } from './canonicalize.js';
import type { IgnoreRule } from './ignore.js';

export interface KeyOptions {
  /** For messages only: the caller puts its namespace before the key. */
  readonly name: string;
  readonly keyOf?: ((...args: never[]) => unknown) | undefined;
  readonly ignore?: readonly IgnoreRule[];
  readonly encode?: Encode | undefined;
  /** About how many keys are in use. It bounds the cache of keys. @default 1024 */
  readonly maxSize?: number | undefined;
}

/** (receiver, args) => key. Throws UnkeyableArgumentError, or what `keyOf`, `encode`, a predicate or a getter throws. */
export interface KeyBuilder {
  (receiver: unknown, args: readonly unknown[]): string;
  /**
   * The key of arguments that take no building: a lone string, or a list that was seen before. They hold no signal. It does
   * not check that the string is well-formed: where it is not, the key must be built.
   */
  recall(args: readonly unknown[]): string | undefined;
  /** The arguments as they are now: what the key is built from is copied, everything else stays the same object. */
  copyArguments(args: readonly unknown[]): readonly unknown[];
  /** Drops all texts of arguments that are kept to make keys faster. Keys do not change. */
  forget(): void;
}

const longestKey = 512;

/** Stands for an excluded argument that an included one follows. No value is written like it. */
const exclusionMarker = '*';
const missingMarker = '_';
const emptyList = '()';

/**
 * Creates the function that derives the key of a call. Two argument lists get the same key exactly when
 * `util.isDeepStrictEqual` holds for them, in every process, version of Node and realm. Values that cannot be compared by
 * their contents are refused.
 */
export function createKeyBuilder(options: KeyOptions): KeyBuilder {
  const { name, keyOf, encode, maxSize } = options;
  let idle: Canonicalizer | undefined;
  let copier: ArgumentCopier | undefined;
  const digest = createDigest();
  const exclusions = keyOf === undefined ? compileIgnore(options.ignore ?? []) : noExclusions;

  // With exclusions a list is not its own path through the cache.
  const keys = exclusions.isEmpty ? new KeyCache(buildKey, maxSize) : undefined;

  const canRecall = keyOf === undefined && exclusions.keepsStrings;
  const build =
    keyOf === undefined
      ? (_receiver: unknown, args: readonly unknown[]) => keyFrom(args)
      : (receiver: unknown, args: readonly unknown[]) => keyFrom([resultOf(keyOf, receiver, args)]);
  return Object.assign(build, {
    recall: (args: readonly unknown[]) => {
      if (!canRecall) return undefined;
      const first = args[0];
      return args.length === 1 && typeof first === 'string' && beginsLikeAWord(first) ? first : keys?.find(args);
    },
    copyArguments: (args: readonly unknown[]) => (copier ??= new ArgumentCopier(exclusions)).copy(args),
    forget: () => {
      keys?.forget();
      // The encoder holds texts of properties and names of objects.
      idle = undefined;
    },
  });

  function resultOf(select: NonNullable<typeof keyOf>, receiver: unknown, args: readonly unknown[]): unknown {
    const result: unknown = Reflect.apply(select, receiver, args);
    // A promise is refused. Its own rejection must not end the process.
    if (isThenable(result)) NativePromise.resolve(result).catch(() => undefined);
    // Often a misspelt property, which would give all calls one key.
    if (result === undefined) throw unkeyable(new UnkeyableValue('undefined'), 0);
    return result;
  }

  function keyFrom(args: readonly unknown[]): string {
    const first = args[0];
    if (args.length === 1 && typeof first === 'string' && exclusions.keepsStrings && isItsOwnKey(first)) return first;
    if (keys === undefined) return buildKey(args);
    const known = keys.find(args);
    if (known !== undefined) return known;
    const key = buildKey(args);
    keys.learn(args, key);
    return key;
  }

  function buildKey(args: readonly unknown[]): string {
    const text = canonicalize(args);
    if (!isWellFormed(text)) return `$w${digest(JSON.stringify(text))}`;
    return text.length <= longestKey ? text : `$${digest(text)}`;
  }

  function canonicalize(args: readonly unknown[]): string {
    // A getter or `encode` may build another key in the middle of a list: that one gets a canonicalizer of its own.
    const canonicalizer = idle ?? new Canonicalizer(encode);
    idle = undefined;
    canonicalizer.begin();
    const length = givenLength(args);
    let text = '';
    // Excluded and `undefined` arguments, which count only before an argument that is neither.
    let pending = '';
    let last = -1;
    let i = 0;
    try {
      for (; i < length; i++) {
        const value = args[i];
        if (exclusions.has(value, i)) {
          pending += exclusionMarker;
        } else if (value === undefined) {
          pending += missingMarker;
        } else {
          text += pending + canonicalizer.argument(value, exclusions.properties);
          if (text.length > longestText) throw tooLong();
          pending = '';
          last = i;
        }
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

  function unkeyable(error: UnkeyableValue, argument: number): UnkeyableArgumentError {
    const { reason, path } = error.describe();
    const subject = keyOf === undefined ? `argument ${argument}` : 'the result of `keyOf`';
    const where = path === '' ? '' : ` at \`${path}\``;
    const advice = `${keyOf === undefined ? 'List it in `ignore` or return' : 'Return'} plain data from \`keyOf\`.`;
    const ofInstances = isInstance(error.value)
      ? ' For instances, return plain data from `encode`, or key by identity: `cache: perInstance(…)`, called with the object as `this`.'
      : '';
    return new UnkeyableArgumentError(
      `${name}: cannot build a key from ${subject}${where} (${reason}). ${advice}${ofInstances}`,
      argument,
      path,
    );
  }
}

/** The number of arguments without `undefined` ones at the end: they count as not given, so no rule is asked about them. */
function givenLength(args: readonly unknown[]): number {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  return length;
}

/**
 * A lone string that begins like a word or a path is its own key, so the most common call builds none. No canonical text
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
