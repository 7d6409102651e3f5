import { show } from '../platform/show.js';
import { LONGEST_NAME } from '../resolve-options.js';
import { Observer } from '../observer.js';
import { PendingWork } from '../platform/pending-work.js';
import { KeyBuilder } from '../hashing/key-builder.js';
import { usualSize } from '../hashing/key-cache.js';
import { RecursionGuard } from '../in-flight/recursion.js';
import { Namespaces } from './namespace.js';
import type { ResolvedOptions } from '../resolve-options.js';
import type { AbortSignalLike } from '../platform/abort-signal.js';
import type { AnyFunction } from '../functions.js';
import type { Namespace } from './namespace.js';

/** What the parts of one wrapper share. */
export interface Wrapper<V> {
  readonly fn: (this: unknown, ...args: unknown[]) => unknown;
  readonly name: string;
  readonly options: ResolvedOptions;
  readonly keys: KeyBuilder;
  readonly namespaces: Namespaces<V>;
  readonly observer: Observer;
  readonly pendingWork: PendingWork;
  /** Finds a call that would wait for its own run, where `detectRecursion` is on. */
  readonly recursion: RecursionGuard | undefined;
}

/** One call: its receiver, arguments and key, and the namespace in which its result is found. */
export interface Call<V> {
  readonly wrapper: Wrapper<V>;
  readonly namespace: Namespace<V>;
  readonly key: string;
  readonly receiver: unknown;
  readonly args: readonly unknown[];
  readonly signals: readonly AbortSignalLike[] | undefined;
  /** The arguments are a copy, which the caller cannot change. */
  readonly isCopied?: boolean;
}

/** The call with its arguments as they are now, for a run that starts in a later turn. */
export function withCopiedArguments<V>(call: Call<V>): Call<V> {
  if (call.isCopied === true || !call.args.some(isObject)) return call;
  return { ...call, args: call.wrapper.keys.copyArguments(call.args), isCopied: true };
}

/** True where the key comes from arguments that the caller can still change. */
export function canChange<V>({ wrapper, args, isCopied }: Call<V>): boolean {
  const { keyOf, encode } = wrapper.options;
  return keyOf === undefined && (isCopied !== true || encode !== undefined) && args.some(isObject);
}

/** True where a copy still holds instances that `encode` reads, which the caller may have changed since the call. */
export function mayHaveChanged<V>({ wrapper, isCopied }: Call<V>): boolean {
  const { keyOf, encode } = wrapper.options;
  return isCopied === true && keyOf === undefined && encode !== undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What several wrappers have in common. */
export interface Owner {
  /** Before each wrapper's name, with a dot. */
  readonly name: string | undefined;
  /** The work of all of them. */
  readonly pendingWork?: PendingWork;
}

export function createWrapper(fn: AnyFunction, options: ResolvedOptions, owner: Owner | undefined): Wrapper<unknown> {
  const prefix = owner?.name;
  const isNameGiven = options.name !== undefined && options.name !== '';
  const ownName = isNameGiven ? options.name : nameOf(fn);
  const name = prefix === undefined || prefix === '' ? ownName : `${prefix}.${ownName}`;
  if (name.length > LONGEST_NAME) {
    throw new TypeError(
      `Expected \`name\` to be at most ${LONGEST_NAME} characters with its prefix, got ${show(name)}`,
    );
  }
  const { keyOf, ignore, encode, maxSize } = options;
  const observer = new Observer(name, options.onEvent);
  const namespaces = new Namespaces({ fn, name, isNameGiven, keyOf, ignore }, options, (operation, key, error) =>
    observer.storeFailed(operation, key, error),
  );
  return {
    fn: fn as Wrapper<unknown>['fn'],
    name,
    options,
    observer,
    keys: new KeyBuilder({
      name,
      keyOf,
      ignore,
      encode,
      sizeOf: () => maxSize ?? Math.max(usualSize, namespaces.size),
    }),
    namespaces,
    pendingWork: new PendingWork(owner?.pendingWork),
    recursion: options.detectRecursion ? new RecursionGuard() : undefined,
  };
}

function nameOf({ name }: AnyFunction): string {
  if (typeof name !== 'string' || name === '') return 'anonymous';
  return name.slice(0, LONGEST_NAME / 2).replace(/[|\p{Surrogate}]/gu, '_');
}
