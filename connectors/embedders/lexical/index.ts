import { define } from "../../../src/contracts/index.ts";
import { lexicalConfig } from "./config.ts";
import { createLexicalEmbedder } from "./embedder.ts";

/** Built in and offline: finds texts that share words with the query. It knows no meanings. */
export const lexicalEmbedder = define({
  kind: "embedder",
  type: "lexical",
  revision: 1,
  summary:
    "Matches words by hashing them, offline and without a model; it does not know what words mean.",
  stability: "stable",
  config: lexicalConfig,
  examples: [
    { title: "As it is", config: {} },
    { title: "Shorter vectors", config: { native_dimension: 512 } },
  ],
  packages: [],
  create: (config) => createLexicalEmbedder(config),
});
