/**
 * What a result is that can be read only once, such as a `Response`, a stream or an iterator: it cannot be shared or stored.
 * `undefined` for any other value.
 */
export function describeReadOnce(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return kindOf(value);
  } catch {
    // A getter or proxy that throws: an object like any other.
    return undefined;
  }
}

export function readOnceError(name: string, kind: string): TypeError {
  return new TypeError(
    `${name}: a result that can be read only once (${kind}) cannot be shared. Return what it holds, such as \`await response.json()\`.`,
  );
}

/** The members that tell. */
interface Readable {
  readonly next?: unknown;
  readonly bodyUsed?: unknown;
  readonly getReader?: unknown;
  readonly pipe?: unknown;
  readonly on?: unknown;
  readonly readable?: unknown;
  readonly [Symbol.iterator]?: unknown;
  readonly [Symbol.asyncIterator]?: unknown;
}

function kindOf(value: Readable): string | undefined {
  if (Array.isArray(value)) return undefined;
  if (typeof value.bodyUsed === 'boolean') return tagOf(value);
  if (typeof value.getReader === 'function') return tagOf(value);
  if (typeof value.next === 'function' && isIterator(value)) return 'an iterator';
  if (typeof value.pipe === 'function' && typeof value.on === 'function' && 'readable' in value) return 'a stream';
  return undefined;
}

/** An iterator returns itself; a collection that can be iterated again returns a new one. */
function isIterator(value: Readable): boolean {
  const iterate = value[Symbol.iterator] ?? value[Symbol.asyncIterator];
  return typeof iterate === 'function' && iterate.call(value) === value;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
