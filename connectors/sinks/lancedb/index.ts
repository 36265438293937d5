import { define } from "../../../src/contracts/index.ts";
import { lancedbConfig } from "./config.ts";
import { createLancedbSink } from "./sink.ts";

/** The embedded vector store: a folder, no server. */
export const lancedbSink = define({
  kind: "sink",
  type: "lancedb",
  revision: 1,
  summary: "Keeps the index in an embedded LanceDB database: a local folder, no server.",
  stability: "stable",
  config: lancedbConfig,
  examples: [
    { title: "A table in a folder", config: { uri: "./index", collection: "handbook" } },
    {
      title: "An existing table with its own column names",
      config: {
        uri: "./index",
        collection: "handbook",
        fields: { id: "chunk_id", vector: "embedding", text: "body" },
        omit: ["uri", "page"],
      },
    },
  ],
  packages: ["@lancedb/lancedb", "apache-arrow"],
  create: createLancedbSink,
});
