import { z } from "zod";
import { define } from "../../../src/contracts/index.ts";
import { createTextParser } from "./parser.ts";

/** Plain text of any encoding. */
export const textParser = define({
  kind: "parser",
  type: "text",
  revision: 1,
  summary: "Reads plain text of any encoding, streaming; blank lines part the paragraphs.",
  stability: "stable",
  config: z.strictObject({}),
  examples: [{ title: "Plain text", config: {} }],
  packages: ["jschardet"],
  create: () => createTextParser(),
});
