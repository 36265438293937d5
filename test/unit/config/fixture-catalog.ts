import { z } from "zod";
import {
  type Catalog,
  type Connector,
  type ConnectorKind,
  define,
  secret,
} from "../../../src/contracts/index.ts";

/** Declarations as connectors make them; validating a file must never call `create`. */
function declare<Kind extends ConnectorKind, Config>(
  kind: Kind,
  type: string,
  config: z.ZodType<Config>,
): Connector<Kind, Config> {
  return define({
    kind,
    type,
    revision: 1,
    summary: `A ${kind} for tests.`,
    stability: "stable",
    config,
    examples: [],
    packages: [],
    create() {
      throw new Error("no component is made while a file is checked");
    },
  });
}

const text = (description: string) => z.string().min(1).describe(description);

export const fixtureConnectors: readonly Connector[] = [
  declare(
    "source",
    "files",
    z.strictObject({
      root: text("The folder to read."),
      include: z.array(z.string().min(1)).min(1).default(["**/*"]).describe("Globs."),
    }),
  ),
  declare("parser", "text", z.strictObject({})),
  declare("parser", "csv", z.strictObject({ text: text("A template.").default("{title}") })),
  declare("parser", "needy", z.strictObject({ path: text("A path without a default.") })),
  declare(
    "chunker",
    "structure",
    z
      .strictObject({
        max_tokens: z.int().min(16).max(8192).default(512).describe("Tokens of a chunk."),
        overlap_tokens: z.int().min(0).default(64).describe("Tokens repeated."),
        context: z.enum(["none", "headings"]).default("headings").describe("The prefix."),
      })
      .refine((config) => config.overlap_tokens < config.max_tokens, {
        path: ["overlap_tokens"],
        message: "must be smaller than `max_tokens`",
      }),
  ),
  declare("chunker", "whole", z.strictObject({})),
  declare(
    "embedder",
    "openai",
    z.strictObject({
      url: z.url().describe("The address of the server."),
      api_key: secret("The key.").optional(),
      model: text("The model."),
      timeout_ms: z
        .int()
        .min(1)
        .default(1000)
        .meta({ description: "A timeout.", operational: true }),
    }),
  ),
  declare("embedder", "lexical", z.strictObject({})),
  declare(
    "sink",
    "milvus",
    z.strictObject({
      address: text("The server."),
      token: secret("The token.").optional(),
      collection: text("The collection.").refine((name) => !name.includes("/"), {
        error: (issue) => `cannot be \`${String(issue.input)}\`, which holds a slash`,
      }),
      create: z
        .strictObject({ metric: z.enum(["cosine", "dot"]).default("cosine").describe("m") })
        .prefault({})
        .describe("How to create it."),
    }),
  ),
  declare("sink", "lancedb", z.strictObject({ uri: text("A folder."), collection: text("c") })),
];

/** Counts which declarations were loaded. */
export function fixtureCatalog(loaded: string[] = []): Catalog {
  return fixtureConnectors.map((connector) => ({
    kind: connector.kind,
    type: connector.type,
    load: async () => {
      loaded.push(`${connector.kind} ${connector.type}`);
      return connector;
    },
  })) as Catalog;
}

/** A file that is right, as lines to change. */
export const goodFile = `version: 1
name: handbook
sources:
  docs:
    type: files
    root: ../docs
embedder:
  type: openai
  url: http://localhost:30000/v1
  model: Qwen/Qwen3-Embedding-4B
sinks:
  search:
    type: milvus
    address: localhost:19530
    collection: handbook
`;
