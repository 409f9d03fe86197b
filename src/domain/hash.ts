/** MurmurHash3 x86 32-bit (Appleby, 2011) of a string's UTF-8 bytes: the same in every process, for ever. */
export function hash32(text: string, seed = 0): number {
  const bytes = new TextEncoder().encode(text);
  const blocks = bytes.length >> 2;
  let h = seed | 0;
  for (let i = 0; i < blocks; i++) {
    const o = i * 4;
    h ^= scramble(bytes[o]! | (bytes[o + 1]! << 8) | (bytes[o + 2]! << 16) | (bytes[o + 3]! << 24));
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  for (let i = bytes.length - 1; i >= blocks * 4; i--) k = (k << 8) | bytes[i]!;
  if (bytes.length & 3) h ^= scramble(k);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function scramble(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

/** A number in [0, 1) that depends on the text and the seed only. */
export const unitHash = (text: string, seed = 0): number => hash32(text, seed) / 2 ** 32;
