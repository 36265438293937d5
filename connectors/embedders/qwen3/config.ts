import { z } from "zod";

/** What every field says of itself when it does not change what is made of a document. */
function operational(description: string) {
  return { description, operational: true };
}

function positive(maximum: number) {
  return z.int().min(1).max(maximum);
}

export const qwen3Config = z.strictObject({
  model: z
    .string()
    .min(1)
    .describe(
      "The model's name, as `sluice models pull` takes it; any name for a folder of your own.",
    ),
  path: z
    .string()
    .min(1)
    .optional()
    .meta(
      operational(
        "The folder with the model's files; where `sluice models pull` puts them when left out.",
      ),
    ),
  revision: z
    .string()
    .min(1)
    .optional()
    .describe("The revision that was pulled; the catalogue's when left out."),
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The graph to run, relative to the folder; when left out the most exact of `model.onnx`, `model_fp16.onnx` and " +
        "`model_q8.onnx` that is there.",
    ),
  device: z
    .enum(["auto", "cuda", "webgpu", "coreml", "dml", "cpu"])
    .default("auto")
    .meta(operational("Where the model runs; `auto` takes the first that works, the CPU last.")),
  device_ids: z
    .array(z.int().min(0).max(1_023))
    .max(64)
    .default([])
    .meta(operational("Which of several devices of that kind; the first when left out.")),
  threads: positive(1_024)
    .optional()
    .meta(operational("Threads on the CPU; as many as it has cores when left out.")),
  max_batch_tokens: positive(10_000_000)
    .optional()
    .meta(
      operational(
        "The most tokens in one batch of a device, padding included; 4096 on the CPU, 16384 elsewhere. A longer single " +
          "text goes alone.",
      ),
    ),
  max_batch_texts: positive(4_096)
    .default(256)
    .meta(operational("The most texts in one batch of a device.")),
  max_wait_ms: positive(60_000)
    .default(20)
    .meta(operational("How long texts wait for others to share a batch with.")),
  query_instruction: z
    .string()
    .optional()
    .meta(
      operational(
        "The task that queries are dressed with, in the model's own frame; or a whole template with `{query}`. Documents " +
          "stay as they are. Empty: no instruction.",
      ),
    ),
  document_instruction: z
    .string()
    .default("")
    .describe(
      "What every document text is dressed with, for models that want it: a prefix, or a template with `{text}`.",
    ),
  matryoshka: z
    .boolean()
    .optional()
    .describe("Whether prefixes of the vectors are valid vectors; known models say so themselves."),
  min_dimension: positive(65_536)
    .optional()
    .describe("The shortest valid prefix of a Matryoshka model; 32 unless the model is known."),
  context_tokens: positive(10_000_000)
    .optional()
    .describe(
      "The longest text in tokens, instruction included, where that should be less than the model reads: memory for " +
        "attention grows with its square in plain graphs.",
    ),
  oversize: z
    .enum(["reject", "split"])
    .default("reject")
    .describe(
      "What becomes of a text that is longer than the model's context: `reject` fails its document; `split` cuts it at " +
        "sentences, embeds the parts, merges their vectors, and tells so in the record's `embedding_parts`.",
    ),
});

export type Qwen3Config = z.output<typeof qwen3Config>;
