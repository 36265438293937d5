import type { PineconeMetric } from "./index-definition.ts";
import type { PineconeRecord, PineconeSparseValues } from "./record.ts";

/** What a query looks for. */
export interface QueryVector {
  readonly values: Float32Array;
  readonly sparseValues: PineconeSparseValues | undefined;
}

/** Scores records by how near they are to a vector. `euclidean` is the squared distance, where less is nearer. */
export function scorer(
  metric: PineconeMetric,
  { values, sparseValues }: QueryVector,
): (record: PineconeRecord) => number {
  if (metric === "euclidean")
    return (record) => Math.fround(squaredDistance(values, record.values));
  if (metric === "cosine") {
    const norm = Math.sqrt(dot(values, values));
    return (record) => {
      const norms = norm * Math.sqrt(dot(record.values, record.values));
      return norms === 0 ? 0 : Math.fround(dot(values, record.values) / norms);
    };
  }
  const weights = new Map(
    sparseValues?.indices.map((index, place) => [index, sparseValues.values[place] ?? 0]),
  );
  return (record) =>
    Math.fround(dot(values, record.values) + sparseDot(weights, record.sparseValues));
}

/** Orders scores from most to least similar. */
export function bySimilarity(metric: PineconeMetric, one: number, other: number): number {
  return metric === "euclidean" ? one - other : other - one;
}

function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) {
    sum += (one[index] ?? 0) * (other[index] ?? 0);
  }
  return sum;
}

function squaredDistance(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) {
    sum += ((one[index] ?? 0) - (other[index] ?? 0)) ** 2;
  }
  return sum;
}

function sparseDot(
  weights: ReadonlyMap<number, number>,
  sparse: PineconeSparseValues | undefined,
): number {
  let sum = 0;
  for (const [place, index] of sparse?.indices.entries() ?? []) {
    sum += (weights.get(index) ?? 0) * (sparse?.values[place] ?? 0);
  }
  return sum;
}
