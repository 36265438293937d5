import type { EmbeddingModel } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";

/** Refuses an answer with a wrong count, length or value, whatever the embedder's own checks say. */
export function checkVectors(
  vectors: readonly Float32Array[],
  count: number,
  model: EmbeddingModel,
): void {
  const { native } = model.dimensions;
  if (vectors.length !== count) {
    throw new Fault(
      "embed.invalid",
      `The embedder \`${model.id}\` gave ${vectors.length} vectors for ${count} texts. Nothing of it is used.`,
    );
  }
  for (const vector of vectors) {
    if (vector.length !== native) {
      throw new Fault(
        "embed.invalid",
        `The embedder \`${model.id}\` gave a vector of length ${vector.length} instead of ${native}. ` +
          "Nothing of it is used.",
      );
    }
    if (!isFiniteVector(vector)) {
      throw new Fault(
        "embed.invalid",
        `The embedder \`${model.id}\` gave a vector with a value that is not a finite number. ` +
          "Nothing of it is used.",
      );
    }
  }
}

export function isFiniteVector(vector: Float32Array): boolean {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) sum += Math.abs(vector[index] ?? 0);
  return Number.isFinite(sum);
}
