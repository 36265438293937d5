import { z } from "zod";
import { define } from "../../../src/contracts/index.ts";
import { createMarkdownParser } from "./parser.ts";

/** CommonMark with GitHub's tables, front matter included. */
export const markdownParser = define({
  kind: "parser",
  type: "markdown",
  revision: 1,
  summary:
    "Reads Markdown (CommonMark and GitHub's extensions): heading path, tables, code with its language, front matter.",
  stability: "stable",
  config: z.strictObject({
    timeout_ms: z.number().int().min(1).max(600_000).default(10_000).meta({
      description: "Give up on a document whose Markdown takes longer than this to parse.",
      operational: true,
    }),
  }),
  examples: [
    { title: "Markdown", config: {} },
    { title: "A shorter limit for untrusted documents", config: { timeout_ms: 1000 } },
  ],
  packages: ["markdown-it", "yaml", "jschardet"],
  create: (config) => createMarkdownParser({ timeoutMs: config.timeout_ms }),
});
