import { builtInModule } from '../platform/built-in-module.js';
import { loadPackage } from '../platform/load-package.js';
import { base64url } from './bytes.js';
import { sha256 } from './sha256.js';

/** A short name for a long text: 43 characters of base64url, the same in every process, realm and engine. */
export type Digest = (text: string) => string;

/** The part of `node:crypto` that is used where it exists; declared here so that no Node types are needed. */
interface HashingModule {
  readonly hash?: (this: void, algorithm: string, text: string, encoding: string) => string;
}

type ObjectHash = (text: string, options: { readonly algorithm: 'sha256'; readonly encoding: 'base64' }) => string;

/**
 * The fastest digest this host has: `node:crypto`, else object-hash, else a SHA-256 of ours. All of them give the same
 * characters, so a key does not tell who made it. What is to be loaded is loaded when the first long text comes.
 * The text must be well-formed UTF-16: a lone surrogate would become U+FFFD on its way into the hash.
 *
 * @param host Stands for `globalThis` in tests, `load` for what loads object-hash.
 */
export function createDigest(host: object = globalThis, load: () => Digest | undefined = byObjectHash): Digest {
  const hash = builtInModule<HashingModule>('node:crypto', host)?.hash;
  if (hash !== undefined) return (text) => hash('sha256', `string:${text.length}:${text}`, 'base64url');
  let portable: Digest | undefined;
  return (text) => {
    portable ??= ableOrOwn(load());
    return portable(text);
  };
}

/** For hosts that cannot load object-hash, or whose build of it has no SHA-256: the browser's own is asynchronous. */
export function ownDigest(text: string): string {
  return base64url(sha256(new TextEncoder().encode(`string:${text.length}:${text}`)));
}

/**
 * object-hash only ever sees one finished string, which it writes as `string:length:text`: its ways with objects are not
 * injective, its way with a string is.
 */
export function byObjectHash(): Digest | undefined {
  const objectHash = loadPackage<ObjectHash>('object-hash');
  if (objectHash === undefined) return undefined;
  return (text) => {
    const base64 = objectHash(text, { algorithm: 'sha256', encoding: 'base64' });
    return base64.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
  };
}

function ableOrOwn(digest: Digest | undefined): Digest {
  try {
    return digest !== undefined && digest('').length > 0 ? digest : ownDigest;
  } catch {
    return ownDigest;
  }
}
