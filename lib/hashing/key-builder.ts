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
import type { Exclusions, IgnoreRule } from './ignore.js';

export interface KeyOptions {
  /** For messages only: the caller puts its namespace before the key. */
  readonly name: string;
  readonly keyOf?: ((...args: never[]) => unknown) | undefined;
  readonly ignore?: readonly IgnoreRule[];
  readonly encode?: Encode | undefined;
  /** About how many keys are in use. It bounds the cache of keys. @default 1,024 */
  readonly sizeOf?: (() => number) | undefined;
}

const longestKey = 512;

/** Stands for an excluded argument that an included one follows. No value is written like it. */
const exclusionMarker = '*';
const missingMarker = '_';
const emptyList = '()';

/**
 * Derives the key of a call. Two argument lists get the same key exactly when `util.isDeepStrictEqual` holds for them, in
 * every process, version of Node and realm. Values that cannot be compared by their contents are refused.
 */
export class KeyBuilder {
  readonly #name: string;
  readonly #keyOf: ((...args: never[]) => unknown) | undefined;
  readonly #encode: Encode | undefined;
  readonly #sizeOf: (() => number) | undefined;
  readonly #exclusions: Exclusions;
  readonly #canRecall: boolean;
  #keys: KeyCache | undefined;
  #copier: ArgumentCopier | undefined;
  /** `undefined` while it is at work. */
  #idle: Canonicalizer | undefined;

  constructor({ name, keyOf, ignore = [], encode, sizeOf }: KeyOptions) {
    this.#name = name;
    this.#keyOf = keyOf;
    this.#encode = encode;
    this.#sizeOf = sizeOf;
    this.#exclusions = keyOf === undefined ? compileIgnore(ignore) : noExclusions;
    this.#canRecall = keyOf === undefined && this.#exclusions.keepsStrings;
  }

  /** @throws {UnkeyableArgumentError} or what `keyOf`, `encode`, a predicate or a getter throws. */
  build(receiver: unknown, args: readonly unknown[]): string {
    return this.#keyFrom(this.#keyOf === undefined ? args : [this.#select(this.#keyOf, receiver, args)]);
  }

  /** The same for arguments that `recall` does not know: it does not look again. */
  buildNew(receiver: unknown, args: readonly unknown[]): string {
    return this.#keyOf === undefined ? this.#newKeyFrom(args) : this.build(receiver, args);
  }

  /**
   * The key of arguments that take no building: a lone string, or a list that was seen before. They hold no signal. It does
   * not check that the string is well-formed: where it is not, the key must be built.
   */
  recall(args: readonly unknown[]): string | undefined {
    return this.#canRecall ? this.#keys?.find(args) : undefined;
  }

  /**
   * True for a lone string that is its own key. It does not check that the string is well-formed: where it is not, the key
   * must be built.
   */
  isKey(text: string): boolean {
    return this.#canRecall && beginsLikeAWord(text);
  }

  /** The arguments as they are now: what the key is built from is copied, everything else stays the same object. */
  copyArguments(args: readonly unknown[]): readonly unknown[] {
    this.#copier ??= new ArgumentCopier(this.#exclusions);
    return this.#copier.copy(args);
  }

  /** Drops all texts of arguments that are kept to make keys faster. Keys do not change. */
  forget(): void {
    this.#keys?.forget();
    // The encoder holds texts of properties and names of objects.
    this.#idle = undefined;
  }

  #select(select: (...args: never[]) => unknown, receiver: unknown, args: readonly unknown[]): unknown {
    const result: unknown = Reflect.apply(select, receiver, args);
    // A promise is refused. Its own rejection must not end the process.
    if (isThenable(result)) NativePromise.resolve(result).catch(() => undefined);
    // Often a misspelt property, which would give all calls one key.
    if (result === undefined) throw this.#unkeyable(new UnkeyableValue('undefined'), 0);
    return result;
  }

  #keyFrom(args: readonly unknown[]): string {
    return this.#ownKey(args) ?? this.#keys?.find(args) ?? this.#newKeyFrom(args);
  }

  #newKeyFrom(args: readonly unknown[]): string {
    const ownKey = this.#ownKey(args);
    if (ownKey !== undefined) return ownKey;
    const key = this.#encodeAll(args);
    // With exclusions a list is not its own path through the cache.
    if (this.#exclusions.isEmpty) this.#learn(args, key);
    return key;
  }

  #ownKey(args: readonly unknown[]): string | undefined {
    const first = args[0];
    const isLoneString = args.length === 1 && typeof first === 'string' && this.#exclusions.keepsStrings;
    return isLoneString && isItsOwnKey(first) ? first : undefined;
  }

  #learn(args: readonly unknown[], key: string): void {
    this.#keys ??= new KeyCache((list) => this.#encodeAll(list), this.#sizeOf);
    this.#keys.learn(args, key);
  }

  #encodeAll(args: readonly unknown[]): string {
    const text = this.#canonicalize(args);
    if (!isWellFormed(text)) return `$w${digest(JSON.stringify(text))}`;
    return text.length <= longestKey ? text : `$${digest(text)}`;
  }

  #canonicalize(args: readonly unknown[]): string {
    const exclusions = this.#exclusions;
    // A getter or `encode` may build another key in the middle of a list: that one gets a canonicalizer of its own.
    const canonicalizer = this.#idle ?? new Canonicalizer(this.#encode);
    this.#idle = undefined;
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
      throw this.#unkeyable(error, i);
    } finally {
      canonicalizer.end();
      this.#idle = canonicalizer;
    }
    const first = args[0];
    if (last === 0 && typeof first === 'string' && isItsOwnKey(first)) return first;
    return last < 0 ? emptyList : text;
  }

  #unkeyable(error: UnkeyableValue, argument: number): UnkeyableArgumentError {
    const { reason, path } = error.describe();
    const ofArguments = this.#keyOf === undefined;
    const subject = ofArguments ? `argument ${argument}` : 'the result of `keyOf`';
    const where = path === '' ? '' : ` at \`${path}\``;
    const advice = `${ofArguments ? 'List it in `ignore` or return' : 'Return'} plain data from \`keyOf\`.`;
    const ofInstances = isInstance(error.value)
      ? ' For instances, return plain data from `encode`, or key by identity: `cache: perInstance(…)`, called with the object as `this`.'
      : '';
    return new UnkeyableArgumentError(
      `${this.#name}: cannot build a key from ${subject}${where} (${reason}). ${advice}${ofInstances}`,
      argument,
      path,
    );
  }
}

const digest = createDigest();

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
