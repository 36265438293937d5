import { z } from "zod";
import { define } from "../../../src/contracts/index.ts";
import { createWholeChunker } from "./chunker.ts";

/** One chunk per document. */
export const wholeChunker = define({
  kind: "chunker",
  type: "whole",
  revision: 1,
  summary:
    "Makes one chunk of each document, for short documents; a longer one fails and is named.",
  stability: "stable",
  config: z.strictObject({
    max_tokens: z.number().int().min(32).max(131_072).default(8000).meta({
      description:
        "Fail documents whose embedded text has more tokens than this; set it to the model's context.",
    }),
    context: z.enum(["none", "title"]).default("title").meta({
      description:
        "Prefix the title to the embedded text where the text does not begin with it (`title`), or nothing (`none`).",
    }),
  }),
  examples: [
    { title: "One chunk per document", config: {} },
    { title: "Support tickets of at most 2048 tokens", config: { max_tokens: 2048 } },
  ],
  packages: [],
  create: (config) => createWholeChunker({ maxTokens: config.max_tokens, context: config.context }),
});
