import type { Embedder } from "../../../src/contracts/index.ts";
import { embedderFor } from "../../connectors/embedders/openai/harness.ts";

/** A name of the family: its frame for queries, its Matryoshka range and its end token are known. */
export const tinyModel = "our/qwen3-embedding-tiny";

/** The length of its vectors. */
export const native = 64;

/** The most tokens of a text, the end token included: llama.cpp refuses one as long as a slot's context of 512. */
export const mostTokens = 511;

/** The embedder in front of one or several servers with the tiny model. The test's end closes it. */
export function servedBy(
  url: string | readonly string[],
  config: Record<string, unknown> = {},
): Embedder {
  return embedderFor(url, { model: tinyModel, ...config });
}
