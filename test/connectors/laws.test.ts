import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { catalog } from "../../connectors/catalog.ts";
import { structureChunker } from "../../connectors/chunkers/structure/index.ts";
import { wholeChunker } from "../../connectors/chunkers/whole/index.ts";
import { lexicalEmbedder } from "../../connectors/embedders/lexical/index.ts";
import {
  chunkerLaws,
  embedderLaws,
  parserLaws,
  registerLaws,
  sourceLaws,
  tokenizerLaws,
  type Law,
} from "../../src/testkit/index.ts";
import { qwen3Tokenizer } from "../../src/tokenizer/index.ts";
import { filesHarness } from "./laws/files-harness.ts";
import { makeComponent } from "./laws/make-component.ts";
import { markdownHarness, textHarness } from "./laws/parser-harnesses.ts";

const noFarEnd = "It computes in this process; there is no far end that could answer wrongly.";

/** The laws of each connector that run here. */
const here: Readonly<Record<string, readonly Law[]>> = {
  "source files": sourceLaws({
    ...filesHarness,
    notSupported: { checkpointAfter: "A folder is listed anew; it gives no checkpoints." },
  }),
  "parser text": parserLaws(textHarness),
  "parser markdown": parserLaws(markdownHarness),
  "chunker structure": chunkerLaws({
    chunker: async (context) =>
      makeComponent(structureChunker, { max_tokens: 100, overlap_tokens: 20 }, context),
    tokenizer: async () => qwen3Tokenizer(),
    maxTokens: 100,
    windowBlocks: 1_000,
  }),
  "chunker whole": chunkerLaws({
    chunker: async (context) => makeComponent(wholeChunker, { max_tokens: 131_072 }, context),
    tokenizer: async () => qwen3Tokenizer(),
    maxTokens: 131_072,
    notSupported: { windowBlocks: "Its chunk is the whole document." },
  }),
  "embedder lexical": embedderLaws({
    embedder: async (context) => makeComponent(lexicalEmbedder, {}, context),
    notSupported: {
      wrong: noFarEnd,
      unreachable: noFarEnd,
      silent: noFarEnd,
      tooLongText: "It reads texts of any length.",
      inParts: "It reads texts of any length.",
    },
  }),
};

/** Connectors whose laws need a server or a database, and run in a test of their own. */
const elsewhere: Readonly<Record<string, string>> = {
  "embedder openai": "embedders/openai/laws.test.ts",
  "embedder qwen3": "embedders/qwen3/laws.test.ts",
  "sink lancedb": "sinks/lancedb/laws.test.ts",
  "sink pinecone": "sinks/pinecone/laws.test.ts",
  "sink memory": "sinks/memory/memory.test.ts",
  "sink weaviate": "../live/sinks/weaviate/laws.test.ts",
  "sink milvus": "../live/sinks/milvus/laws.test.ts",
};

const runner = { describe, it };

for (const [name, laws] of Object.entries(here))
  registerLaws(laws, runner, { title: `the ${name}` });

const tokenizer = tokenizerLaws({ tokenizer: async () => qwen3Tokenizer() });
registerLaws(tokenizer, runner, { title: "the tokenizer of Qwen3" });
const words = tokenizerLaws({
  tokenizer: async (context) => makeComponent(lexicalEmbedder, {}, context).tokenizer,
});
registerLaws(words, runner, { title: "the tokenizer of lexical" });

describe("the catalog", () => {
  it("holds no connector whose laws do not run", () => {
    const run = [...Object.keys(here), ...Object.keys(elsewhere)];
    expect(catalog.map(({ kind, type }) => `${kind} ${type}`).toSorted()).toEqual(run.toSorted());
  });

  it("has the laws of the others in their own tests", () => {
    for (const [name, path] of Object.entries(elsewhere)) {
      const url = new URL(path, import.meta.url);
      expect(existsSync(url), `${name} at ${path}`).toBe(true);
      const [kind] = name.split(" ");
      expect(readFileSync(url, "utf8"), path).toMatch(new RegExp(`registerLaws\\([\\s\\S]*`));
      expect(readFileSync(url, "utf8"), path).toContain(`${kind}Laws(`);
    }
  });
});
