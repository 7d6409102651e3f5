import objectHash from 'object-hash';

/** A short name for a long text: 43 characters of base64url, the same in every process, realm and engine. */
export type Digest = (text: string) => string;

/** The part of `node:crypto` that is used where it exists; declared here so that no Node types are needed. */
interface HashingModule {
  readonly hash?: (this: void, algorithm: string, text: string, encoding: string) => string;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: string): HashingModule | undefined };
}

/**
 * The fastest digest this host has. All of them give the same characters, so a key does not tell who made it.
 * The text must be well-formed UTF-16: a lone surrogate would become U+FFFD on its way into the hash.
 */
export function createDigest(host?: Host): Digest {
  const process = host === undefined ? (globalThis as Host).process : host.process;
  const hash = process?.getBuiltinModule?.('node:crypto')?.hash;
  if (hash === undefined) return portableDigest;
  return (text) => hash('sha256', `string:${text.length}:${text}`, 'base64url');
}

/**
 * SHA-256 by object-hash. It only ever sees one finished string, which it writes as `string:length:text`: its ways with
 * objects are not injective, its way with a string is.
 */
export function portableDigest(text: string): string {
  const base64 = objectHash(text, { algorithm: 'sha256', encoding: 'base64' });
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');
}
