const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** Rounds to the nearest float16 (ties to even), as its bits. */
export function toFloat16(value: number): number {
  const bits = bitsOf(value);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Subnormal: float32 itself rounds when the number is brought where its last bit weighs 2^-24.
  if (magnitude < 0x38800000) return sign | (bitsOf(Math.abs(value) + 0.5) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

function bitsOf(value: number): number {
  float32[0] = value;
  return bits32[0] ?? 0;
}

/** The number that these bits of a float16 mean. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
