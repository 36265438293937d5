import { z } from "zod";
import { define } from "../../../src/contracts/index.ts";
import { createStructureChunker } from "./chunker.ts";

const usualOverlap = 64;

/** Chunks that follow the structure of the document. */
export const structureChunker = define({
  kind: "chunker",
  type: "structure",
  revision: 2,
  summary:
    "Cuts along headings, pages, tables, code and sentences; chunks are bounded in the model's own tokens.",
  stability: "stable",
  config: z
    .strictObject({
      max_tokens: z.number().int().min(32).max(32_768).default(512).meta({
        description: "Bound the embedded text of a chunk, context included, to this many tokens.",
      }),
      overlap_tokens: z.number().int().min(0).max(16_384).optional().meta({
        description:
          "Repeat up to this many tokens, in whole sentences, where a section goes on in the next chunk; at most half of `max_tokens`. 64, or that half where it is less, when left out.",
      }),
      context: z.enum(["none", "headings"]).default("headings").meta({
        description:
          "Prefix title and heading path to the embedded text (`headings`), or nothing (`none`).",
      }),
      min_fill: z.number().min(0.3).max(0.9).default(0.65).meta({
        description:
          "Let a cut within a section fall anywhere between this share of `max_tokens` and the whole of it. Lower: fewer chunks change after an edit (0.65: 4 of 100, 0.7: 6). Higher: fuller chunks.",
      }),
    })
    .refine(({ max_tokens: max, overlap_tokens: overlap = 0 }) => overlap <= half(max), {
      path: ["overlap_tokens"],
      message: "must be at most half of `max_tokens`",
    })
    // Written or not, the same overlap is the same recipe.
    .overwrite((config) => ({ ...config, overlap_tokens: overlapOf(config) })),
  examples: [
    { title: "Chunks of at most 512 tokens with their heading path", config: {} },
    {
      title: "Larger chunks without overlap and context",
      config: { max_tokens: 1024, overlap_tokens: 0, context: "none" },
    },
  ],
  packages: [],
  create: (config) =>
    createStructureChunker({
      maxTokens: config.max_tokens,
      overlapTokens: overlapOf(config),
      context: config.context,
      minFill: config.min_fill,
    }),
});

function overlapOf(config: {
  readonly max_tokens: number;
  readonly overlap_tokens?: number | undefined;
}): number {
  return config.overlap_tokens ?? Math.min(usualOverlap, half(config.max_tokens));
}

function half(tokens: number): number {
  return Math.floor(tokens / 2);
}
