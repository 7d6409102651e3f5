interface HostBuffer extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string;
}

interface BufferMaker {
  readonly prototype: HostBuffer;
  from(buffer: ArrayBufferLike, offset?: number, length?: number): HostBuffer;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const isBigEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

/** Bytes over `buffer` in the form that `base64url` reads fastest. */
export function bytesOver(buffer: ArrayBuffer): Uint8Array {
  return hostMaker()?.from(buffer) ?? new Uint8Array(buffer);
}

/** The first `length` bytes as unpadded base64url: how long the text is follows from how many bytes there are. */
export function base64url(bytes: Uint8Array, length = bytes.length): string {
  const maker = hostMaker();
  if (maker === undefined) return portableBase64url(bytes.subarray(0, length));
  const isHosts = Object.getPrototypeOf(bytes) === maker.prototype;
  const buffer = isHosts ? (bytes as HostBuffer) : maker.from(bytes.buffer, bytes.byteOffset, length);
  return maker.prototype.toString.call(buffer, 'base64url', 0, length);
}

function hostMaker(): BufferMaker | undefined {
  return (globalThis as { Buffer?: BufferMaker }).Buffer;
}

export function portableBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i;
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63);
    if (rest > 1) text += alphabet.charAt((group >> 6) & 63);
    if (rest > 2) text += alphabet.charAt(group & 63);
  }
  return text;
}

/** The same bytes as a little-endian host would hold them, for elements of `width` bytes. */
export function littleEndian(bytes: Uint8Array, width: number, isBigEndian = isBigEndianHost): Uint8Array {
  if (!isBigEndian || width === 1) return bytes;
  const swapped = new Uint8Array(bytes);
  for (let i = 0; i + width <= swapped.length; i += width) swapped.subarray(i, i + width).reverse();
  return swapped;
}
