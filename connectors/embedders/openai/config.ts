import { z } from "zod";
import { secret } from "../../../src/contracts/index.ts";
import { serverKinds } from "./server/server-kind.ts";

const keyDescription =
  "The key to send as a bearer token; leave it out or empty when there is none.";
const printable = /^[\x20-\x7e]*$/;

/** What every field says of itself when it does not change what is made of a document. */
function operational(description: string) {
  return { description, operational: true };
}

function positive(maximum: number) {
  return z.int().min(1).max(maximum);
}

const address = z.url({ protocol: /^https?$/, error: "expected an http or https address" });

export const openaiConfig = z.strictObject({
  url: address
    .optional()
    .meta(operational("The address of the server's API, usually ending in `/v1`.")),
  urls: z
    .array(address)
    .min(1)
    .max(64)
    .optional()
    .meta(
      operational(
        "Instead of `url`: the addresses of several servers with the same model, which share the work.",
      ),
    ),
  api_key: secret(keyDescription)
    .trim()
    .regex(printable, "holds characters that cannot be sent in a header")
    .optional()
    .meta({ ...operational(keyDescription), secret: true }),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^`|~\w-]+$/, "is not a header name"),
      secret("A header's value.").regex(
        printable,
        "holds characters that cannot be sent in a header",
      ),
    )
    .default({})
    .meta({
      ...operational("More headers to send, such as `api-key`; their values are secrets."),
      secret: true,
    }),
  server: z
    .enum(["auto", ...serverKinds])
    .default("auto")
    .meta(
      operational(
        "Which product the server is; `auto` asks it once. Limits, silent cuts and versions known to be wrong depend on it.",
      ),
    ),
  model: z.string().min(1).describe("The model's name as the server knows it."),
  query_instruction: z
    .string()
    .optional()
    .meta(
      operational(
        "What a query is dressed with: the task for models with a frame of their own (Qwen3-Embedding), a prefix for " +
          "others, or a whole template with `{query}`. Documents stay as they are. Empty: no instruction.",
      ),
    ),
  document_instruction: z
    .string()
    .default("")
    .describe(
      "What every document text is dressed with, for models that want it: a prefix, or a template with `{text}`.",
    ),
  dimensions: positive(65_536)
    .optional()
    .describe(
      "Ask the server for vectors of this length. Leave it out: sluice shortens vectors itself where a sink wants it.",
    ),
  native_dimension: positive(65_536)
    .optional()
    .describe("The length of the model's vectors; without it unknown models are asked once."),
  matryoshka: z
    .boolean()
    .optional()
    .describe("Whether prefixes of the vectors are valid vectors; known models say so themselves."),
  min_dimension: positive(65_536)
    .optional()
    .describe("The shortest valid prefix of a Matryoshka model; 32 unless the model is known."),
  context_tokens: positive(10_000_000)
    .optional()
    .describe("The longest text that the model reads, in tokens; 8192 unless the model is known."),
  oversize: z
    .enum(["reject", "split"])
    .default("reject")
    .describe(
      "What becomes of a text that is longer than the model's context: `reject` fails its document; `split` cuts it at " +
        "sentences, embeds the parts, merges their vectors, and tells so in the record's `embedding_parts`.",
    ),
  price_per_million_tokens: z
    .number()
    .nonnegative()
    .optional()
    .meta(
      operational(
        "What a million tokens cost, in any currency; `sluice plan` then tells the cost.",
      ),
    ),
  tokenizer: z
    .enum(["qwen3", "stand-in"])
    .optional()
    .describe(
      "`qwen3` counts tokens exactly for models with Qwen3's vocabulary; `stand-in` uses the same as an estimate.",
    ),
  tokenizer_file: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The `tokenizer.json` of exactly this model, relative to the pipeline file: texts are then counted to the last token.",
    ),
  input: z
    .enum(["text", "tokens"])
    .default("text")
    .meta(
      operational(
        "What servers are sent: `text`, or `tokens`, the ids that `tokenizer_file` makes of it, which saves SGLang, vLLM " +
          "and llama.cpp that work. It is proven at the start that both have the same vectors; else text is sent.",
      ),
    ),
  timeout_ms: positive(300_000)
    .default(120_000)
    .meta(operational("How long one request may take, answer included.")),
  max_batch_texts: positive(4_096)
    .default(32)
    .meta(
      operational("The most texts in one request; servers of the TEI kind refuse more than 32."),
    ),
  max_batch_tokens: positive(10_000_000)
    .default(16_384)
    .meta(operational("The most tokens in one request; a longer single text goes alone.")),
  concurrency: positive(512)
    .default(8)
    .meta(
      operational("The most requests under way at each server; fewer while it asks to slow down."),
    ),
});

export type OpenaiConfig = z.output<typeof openaiConfig>;
