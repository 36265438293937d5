import { assert, Fault } from "../faults/index.ts";

/**
 * The vector that a collection of this dimension gets: the first `dimension` numbers, then L2-normalised.
 *
 * Always from the native vector, and never normalised before slicing: both orders give the same direction, but a
 * vector that was normalised at full width has a norm below 1 after slicing. Sums in float64. The input stays as it is.
 * A prefix of zeros has no direction and rejects with `embed.zero`; a wrong length or a number that is not finite is
 * a bug of ours, because embedders and the cache check both.
 */
export function fit(vector: Float32Array, dimension: number): Float32Array {
  assert(Number.isInteger(dimension) && dimension > 0, `dimension is a count, not ${dimension}`);
  assert(
    vector.length >= dimension,
    `a vector of ${vector.length} numbers cannot fill dimension ${dimension}`,
  );
  const fitted = vector.slice(0, dimension);
  let squares = 0;
  for (const value of fitted) squares += value * value;
  assert(Number.isFinite(squares), "a vector with NaN or infinity reached `fit`");
  if (squares === 0) {
    throw new Fault(
      "embed.zero",
      `The first ${dimension} of the ${vector.length} numbers of an embedding are all zero, so it has no ` +
        "direction. Check the text and the model.",
    );
  }
  const norm = Math.sqrt(squares);
  for (let index = 0; index < dimension; index++) fitted[index] = (fitted[index] ?? 0) / norm;
  return fitted;
}
