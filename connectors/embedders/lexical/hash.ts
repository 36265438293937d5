/** FNV-1a over UTF-16 units, then a finaliser: 32 bits that are the same on every machine. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** The next of a series of hashes. */
export function nextHash(hash: number): number {
  return mix((hash + 0x9e3779b9) | 0);
}

/** The finaliser of MurmurHash3: every bit of the input changes half of the output. */
function mix(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
