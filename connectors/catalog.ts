import type { Catalog, CatalogEntry, Connector, ConnectorKind } from "../src/contracts/index.ts";

/** Every connector of sluice, a line each: the only registry. A declaration is loaded when a file uses it. */
export const catalog: Catalog = [
  line("source", "files", "filesSource", () => import("./sources/files/index.ts")),
  line("parser", "text", "textParser", () => import("./parsers/text/index.ts")),
  line("parser", "markdown", "markdownParser", () => import("./parsers/markdown/index.ts")),
  line("chunker", "structure", "structureChunker", () => import("./chunkers/structure/index.ts")),
  line("chunker", "whole", "wholeChunker", () => import("./chunkers/whole/index.ts")),
  line("embedder", "openai", "openaiEmbedder", () => import("./embedders/openai/index.ts")),
  line("embedder", "qwen3", "qwen3Embedder", () => import("./embedders/qwen3/index.ts")),
  line("embedder", "lexical", "lexicalEmbedder", () => import("./embedders/lexical/index.ts")),
  line("sink", "lancedb", "lancedbSink", () => import("./sinks/lancedb/index.ts")),
  line("sink", "pinecone", "pineconeSink", () => import("./sinks/pinecone/index.ts")),
  line("sink", "milvus", "milvusSink", () => import("./sinks/milvus/index.ts")),
  line("sink", "weaviate", "weaviateSink", () => import("./sinks/weaviate/index.ts")),
  line("sink", "memory", "memorySink", () => import("./sinks/memory/index.ts")),
];

/** Ties a type to the export that declares it. */
function line<Kind extends ConnectorKind, Name extends string>(
  kind: Kind,
  type: string,
  name: Name,
  load: () => Promise<{ readonly [Key in Name]: Connector<Kind> }>,
): CatalogEntry {
  return { kind, type, load: async () => (await load())[name] } as unknown as CatalogEntry;
}
