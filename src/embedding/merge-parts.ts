import { assert } from "../faults/index.ts";
import { normOf } from "./cosine.ts";

/**
 * The vector of a text that was embedded in parts: the mean of the normalised vectors of its parts, weighted by their
 * tokens, of length 1. Zeros when the parts cancel each other out, which the caller refuses like any zero vector.
 */
export function mergeParts(
  parts: readonly { readonly vector: Float32Array; readonly tokens: number }[],
): Float32Array {
  const length = parts[0]?.vector.length ?? 0;
  const sum = new Float64Array(length);
  for (const { vector, tokens } of parts) {
    assert(vector.length === length, "The parts of a text have vectors of one length.");
    const norm = normOf(vector);
    if (norm === 0) continue;
    for (let index = 0; index < length; index += 1) {
      sum[index] = (sum[index] ?? 0) + ((vector[index] ?? 0) / norm) * tokens;
    }
  }
  return normalized(sum);
}

/** A vector of the same direction and length 1; zeros stay zeros. */
export function normalized(vector: Float32Array | Float64Array): Float32Array {
  const norm = normOf(vector);
  const unit = new Float32Array(vector.length);
  if (norm === 0) return unit;
  for (let index = 0; index < vector.length; index += 1) unit[index] = (vector[index] ?? 0) / norm;
  return unit;
}
