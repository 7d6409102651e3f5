interface HostBuffer {
  from(buffer: ArrayBufferLike, offset: number, length: number): { toString(encoding: string): string };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const isBigEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;

/** Bytes as unpadded base64url: how long the text is follows from how many bytes there are. */
export function base64url(bytes: Uint8Array): string {
  const { Buffer } = globalThis as { Buffer?: HostBuffer };
  if (Buffer === undefined) return portableBase64url(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
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
