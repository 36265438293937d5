/**
 * The cosine of the angle between two vectors, or between the first so many of their numbers; 0 when one of them has no
 * direction.
 */
export function cosineOf(one: Float32Array, other: Float32Array, length = one.length): number {
  let [product, ofOne, ofOther] = [0, 0, 0];
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [one[index] ?? 0, other[index] ?? 0];
    product += a * b;
    ofOne += a * a;
    ofOther += b * b;
  }
  const lengths = Math.sqrt(ofOne) * Math.sqrt(ofOther);
  return lengths === 0 ? 0 : product / lengths;
}

/** The length of a vector. */
export function normOf(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (let index = 0; index < vector.length; index += 1) squares += (vector[index] ?? 0) ** 2;
  return Math.sqrt(squares);
}
