const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

function bitsOf(value: number): number {
  float32[0] = value;
  return bits32[0] ?? 0;
}

function floatOf(bits: number): number {
  bits32[0] = bits;
  return float32[0] ?? 0;
}

/** Rounds to the nearest bfloat16 (ties to even), as bits. The official client would cut instead. */
export function toBfloat16(vector: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(vector, (value) => {
    const bits = bitsOf(value);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  });
}

export function fromBfloat16(bits: number): number {
  return floatOf(bits * 2 ** 16);
}

/** Rounds to the nearest float16 (ties to even), as bits. */
export function toFloat16(vector: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(vector, halfOf);
}

function halfOf(value: number): number {
  const bits = bitsOf(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Subnormal: float32 itself rounds when the number is brought where its last bit weighs 2^-24.
  if (magnitude < 0x38800000) return sign | (bitsOf(Math.abs(value) + 0.5) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
