/** The cosine of the angle between two vectors of one length; 0 when one of them has no direction. */
export function cosine(one: Float32Array, other: Float32Array, length = one.length): number {
  let product = 0;
  let ofOne = 0;
  let ofOther = 0;
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one[index] ?? 0, other[index] ?? 0];
    product += a * b;
    ofOne += a * a;
    ofOther += b * b;
  }
  const lengths = Math.sqrt(ofOne) * Math.sqrt(ofOther);
  return lengths === 0 ? 0 : product / lengths;
}

export function lengthOf(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}
