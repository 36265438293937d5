import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type {
  Device,
  GraphModel,
  RuntimeOptions,
} from "../../../../../connectors/embedders/qwen3/runtime/index.ts";
import { systemClock } from "../../../../../src/flow/index.ts";

/** The folder of the tiny model with the true architecture. */
export const tinyFolder = new URL("../../../../fixtures/tiny-qwen3/", import.meta.url);

export interface Tolerance {
  readonly max_abs_diff: number;
  readonly min_cosine: number;
}

interface Golden {
  readonly name: string;
  readonly kind: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
}

/** What PyTorch computed, one text at a time. */
export const goldens = JSON.parse(readFileSync(new URL("goldens.json", tinyFolder), "utf8")) as {
  readonly tolerance: Readonly<Record<"fp32" | "fp32_webgpu" | "fp16" | "q8", Tolerance>>;
  readonly items: readonly Golden[];
};

/** The ids of the golden texts. */
export const rows: readonly Int32Array[] = goldens.items.map(({ ids }) => Int32Array.from(ids));

export const padId = 2256;
export const imEndId = 2258;

/** Each layout of tensors, with how near its vectors have to be. */
export const variants = [
  ["model", goldens.tolerance.fp32],
  ["model_pooled", goldens.tolerance.fp32],
  ["model_kv", goldens.tolerance.fp32],
  ["model_kv_gqa", goldens.tolerance.fp32],
  ["model_fp16", goldens.tolerance.fp16],
  ["model_kv_gqa_fp16", goldens.tolerance.fp16],
  ["model_q8", goldens.tolerance.q8],
] as const;

export function tinyModel(name = "model"): GraphModel {
  return {
    file: fileURLToPath(new URL(`onnx/${name}.onnx`, tinyFolder)),
    hidden: 64,
    layers: 2,
    kvHeads: 2,
    headDim: 16,
    heads: 4,
    padId,
    vocabulary: 2259,
  };
}

export function optionsOf(model: GraphModel = tinyModel(), device: Device = "cpu"): RuntimeOptions {
  const lengths = [2, 17, 46, 89];
  const selfTest = lengths.map((length) => rows.find((row) => row.length === length)!);
  return { model, device, deviceIds: [], threads: 1, selfTest, clock: systemClock };
}

export const noAbort = new AbortController().signal;

export function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

export function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let [product, leftSquare, rightSquare] = [0, 0, 0];
  for (let index = 0; index < left.length; index += 1) {
    const [one, other] = [left[index]!, right[index]!];
    product += one * other;
    leftSquare += one * one;
    rightSquare += other * other;
  }
  return product / Math.sqrt(leftSquare * rightSquare);
}

/** The names of the golden texts whose vectors are not near enough; all are checked, in their order. */
export function wrongOnes(
  vectors: readonly Float32Array[],
  tolerance: Tolerance,
  expected = goldens.items,
): string[] {
  return expected
    .filter(({ vector: golden }, index) => {
      const vector = normalised(vectors[index]!);
      const largest = vector.reduce(
        (most, value, place) => Math.max(most, Math.abs(value - golden[place]!)),
        0,
      );
      const near = largest <= tolerance.max_abs_diff;
      return !near || !(cosine(vector, golden) >= tolerance.min_cosine);
    })
    .map(({ name }) => name);
}
