import type { EmbeddingModel, Tokenizer } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { Pipeline } from "./pipeline.ts";

/** Refuses chunkers whose chunks the model could not read: each would fail, after all the work on it. */
export async function checkChunkers(pipeline: Pipeline, model: EmbeddingModel): Promise<void> {
  const { embedder, sources } = pipeline;
  // Such an embedder cuts what is too long.
  if (embedder.parts !== undefined) return;
  const { contextTokens, specialTokens = 0 } = model;
  const prompt = await promptTokens(embedder.tokenizer, model);
  const room = contextTokens - specialTokens - prompt;
  for (const { name, chunker } of sources.values()) {
    if (chunker.maxTokens === undefined || chunker.maxTokens <= room) continue;
    throw new Fault(
      "config.invalid",
      `The chunker of the source \`${name}\` makes chunks of up to ${chunker.maxTokens} tokens, but the model ` +
        `\`${model.id}\` reads ${contextTokens}${besides(specialTokens, prompt)}. ${advice(room)}`,
    );
  }
}

/** Tokens of what every document is dressed with. */
async function promptTokens(tokenizer: Tokenizer, { prompts }: EmbeddingModel): Promise<number> {
  const around = prompts.document.split("{text}").filter((part) => part !== "");
  const counts = await tokenizer.countBatch(around);
  return counts.reduce((sum, count) => sum + count, 0);
}

function besides(special: number, prompt: number): string {
  const parts = [
    ...(special === 0 ? [] : [`${special} for the special tokens around every text`]),
    ...(prompt === 0 ? [] : [`${prompt} for the document instruction`]),
  ];
  return parts.length === 0 ? "" : `, among them ${parts.join(" and ")}`;
}

function advice(room: number): string {
  const more =
    "let the model read more: the embedder's `context_tokens`, or the server's own limit";
  return room < 1
    ? `No text has room. Shorten the embedder's \`document_instruction\`, or ${more}.`
    : `Set the chunker's \`max_tokens\` to at most ${room}, or ${more}.`;
}
