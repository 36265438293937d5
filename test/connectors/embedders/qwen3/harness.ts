import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";
import { qwen3Embedder } from "../../../../connectors/embedders/qwen3/index.ts";
import type { Embedder } from "../../../../src/contracts/index.ts";
import { systemClock } from "../../../../src/flow/index.ts";

export const signal = new AbortController().signal;

/** The tiny model of the tests. */
export const tinyFolder = resolve("test/fixtures/tiny-qwen3");

export interface Golden {
  readonly name: string;
  readonly kind: "document" | "query";
  readonly text: string;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
  readonly dim32: readonly number[];
  readonly dim48: readonly number[];
}

export interface Goldens {
  readonly items: readonly Golden[];
  readonly truncated: readonly { readonly name: string; readonly ids: readonly number[] }[];
  readonly tolerance: Readonly<
    Record<"fp32" | "fp16" | "q8", { readonly max_abs_diff: number; readonly min_cosine: number }>
  >;
}

export const goldens = JSON.parse(readFileSync(`${tinyFolder}/goldens.json`, "utf8")) as Goldens;

/** An embedder of the tiny model on the CPU, unless `config` says otherwise. The test closes it. */
export function createTiny(config: Record<string, unknown> = {}): Embedder {
  const parsed = qwen3Embedder.config.parse({
    model: "tiny-qwen3",
    path: tinyFolder,
    device: "cpu",
    threads: 1,
    matryoshka: true,
    ...config,
  });
  const context = { name: "embedder", pipeline: "test", folder: "/", clock: systemClock };
  return qwen3Embedder.create(parsed, { ...context, fields: {} });
}

/** The same, closed when the test is over. */
export function tiny(config: Record<string, unknown> = {}): Embedder {
  const embedder = createTiny(config);
  onTestFinished(() => embedder.close());
  return embedder;
}

export function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let dot = 0;
  let lefts = 0;
  let rights = 0;
  for (let index = 0; index < left.length; index += 1) {
    const one = left[index] ?? 0;
    const other = right[index] ?? NaN;
    dot += one * other;
    lefts += one ** 2;
    rights += other ** 2;
  }
  return dot / Math.sqrt(lefts * rights);
}

export function farthest(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let most = 0;
  for (let index = 0; index < left.length; index += 1) {
    most = Math.max(most, Math.abs((left[index] ?? 0) - (right[index] ?? NaN)));
  }
  return most;
}
