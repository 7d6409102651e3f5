const SLOTS = 16_384;

/** The cluster slot of a name: CRC16 (XMODEM) of its hash tag, as in the Redis Cluster specification. */
export function slotOf(name: string): number {
  const start = name.indexOf('{');
  const end = start < 0 ? -1 : name.indexOf('}', start + 1);
  const tag = end > start + 1 ? name.slice(start + 1, end) : name;
  let crc = 0;
  for (const byte of new TextEncoder().encode(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}
