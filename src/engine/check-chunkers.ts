import type { EmbeddingModel } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { Pipeline } from "./pipeline.ts";

/** Refuses chunkers whose chunks the model could not read: each would fail, after all the work on it. */
export function checkChunkers(pipeline: Pipeline, model: EmbeddingModel): void {
  // Such an embedder cuts what is too long.
  if (pipeline.embedder.parts !== undefined) return;
  for (const { name, chunker } of pipeline.sources.values()) {
    if (chunker.maxTokens === undefined || chunker.maxTokens <= model.contextTokens) continue;
    throw new Fault(
      "config.invalid",
      `The chunker of the source \`${name}\` makes chunks of up to ${chunker.maxTokens} tokens, but the model ` +
        `\`${model.id}\` reads ${model.contextTokens}. Set the chunker's \`max_tokens\` to at most ` +
        `${model.contextTokens}, or, if the model reads more, say so with the embedder's \`context_tokens\`.`,
    );
  }
}
