import objectHash from 'object-hash';
import { builtInModule } from '../platform/built-in-module.js';
import { base64url } from './bytes.js';
import { sha256 } from './sha256.js';

/** A short name for a long text: 43 characters of base64url, the same in every process, realm and engine. */
export type Digest = (text: string) => string;

/** The part of `node:crypto` that is used where it exists; declared here so that no Node types are needed. */
interface HashingModule {
  readonly hash?: (this: void, algorithm: string, text: string, encoding: string) => string;
}

/**
 * The fastest digest this host has. All of them give the same characters, so a key does not tell who made it.
 * The text must be well-formed UTF-16: a lone surrogate would become U+FFFD on its way into the hash.
 */
export function createDigest(host: object = globalThis, portable: Digest = byObjectHash): Digest {
  const hash = builtInModule<HashingModule>('node:crypto', host)?.hash;
  if (hash === undefined) return isAble(portable) ? portable : ownDigest;
  return (text) => hash('sha256', `string:${text.length}:${text}`, 'base64url');
}

/** For browsers: object-hash's build for them has no SHA-256, and their own is asynchronous. */
export function ownDigest(text: string): string {
  return base64url(sha256(new TextEncoder().encode(`string:${text.length}:${text}`)));
}

/**
 * object-hash only ever sees one finished string, which it writes as `string:length:text`: its ways with objects are not
 * injective, its way with a string is.
 */
export function byObjectHash(text: string): string {
  const base64 = objectHash(text, { algorithm: 'sha256', encoding: 'base64' });
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
}

/** Bundles for browsers may leave object-hash out, or SHA-256 out of it. */
function isAble(digest: Digest): boolean {
  try {
    return digest('').length > 0;
  } catch {
    return false;
  }
}
