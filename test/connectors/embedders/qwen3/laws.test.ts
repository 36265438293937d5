import { describe, it } from "vitest";
import { embedderLaws } from "../../../../src/testkit/embedder-laws.ts";
import { registerLaws } from "../../../../src/testkit/run-laws.ts";
import { createTiny } from "./harness.ts";

const laws = embedderLaws({
  tooLongText: "long ".repeat(600),
  inParts: {
    embedder: async (context) => {
      const embedder = createTiny({ oversize: "split" });
      context.defer(() => embedder.close());
      return embedder;
    },
    text: Array.from({ length: 400 }, (_, index) => `Sentence ${index} of many.`).join(" "),
    // The end token stands behind every part.
    partTokens: 511,
  },
  embedder: async (context) => {
    const embedder = createTiny();
    context.defer(() => embedder.close());
    return embedder;
  },
  notSupported: {
    wrong: "the model runs inside the process; wrong answers are tested with models that give them",
    unreachable: "nothing is reached; a folder that is missing is tested by itself",
    silent: "a batch always ends; aborting one is tested by itself",
  },
});

registerLaws(laws, { describe, it }, { title: "qwen3 embedder keeps the laws: it" });
