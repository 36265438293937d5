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
      `The embedder \`${model.id}\` gave another number of vectors than texts: ${vectors.length} instead of ${count}. ` +
        "Nothing of it is used.",
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

/** Whether the first numbers of a vector are not all zero: only then they can be normalised. */
export function hasDirection(vector: Float32Array, dimension: number): boolean {
  for (let index = 0; index < dimension; index += 1) if (vector[index] !== 0) return true;
  return false;
}

/** The fault of a text whose vector has no direction. */
export function zeroVector(model: EmbeddingModel, dimension: number): Fault {
  const { native } = model.dimensions;
  const first = dimension < native ? `of which the first ${dimension} are` : "all of them";
  return new Fault(
    "embed.zero",
    `The embedder \`${model.id}\` gave a vector of ${native} numbers, ${first} zero: it has no direction. ` +
      "Check the text and the model.",
    { retry: "never" },
  );
}

/** Whether a stored vector is one that a run wrote: of this length, and of norm 1 as far as the store's precision goes. */
export function isStoredVector(vector: Float32Array, dimension: number): boolean {
  if (vector.length !== dimension) return false;
  let squares = 0;
  for (const value of vector) squares += value * value;
  // Half-precision stores keep about three digits.
  return Math.abs(Math.sqrt(squares) - 1) < 1e-2;
}

export function isFiniteVector(vector: Float32Array): boolean {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) sum += Math.abs(vector[index] ?? 0);
  return Number.isFinite(sum);
}
