const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** Rounds to the nearest bfloat16 (ties to even), as its bits. The official client would cut instead. */
export function toBfloat16(value: number): number {
  float32[0] = value;
  const bits = bits32[0] ?? 0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** The number that these bits of a bfloat16 mean. */
export function fromBfloat16(bits: number): number {
  bits32[0] = bits * 2 ** 16;
  return float32[0] ?? 0;
}
