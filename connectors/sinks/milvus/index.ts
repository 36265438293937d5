import { define } from "../../../src/contracts/index.ts";
import { milvusConfig } from "./config.ts";
import { createMilvusSink } from "./sink.ts";

/** Milvus, Milvus Lite and Zilliz Cloud. */
export const milvusSink = define({
  kind: "sink",
  type: "milvus",
  revision: 1,
  summary: "Keeps the index in a collection of Milvus 2.3 or later, Milvus Lite or Zilliz Cloud.",
  stability: "stable",
  config: milvusConfig,
  examples: [
    {
      title: "A collection of a local server",
      config: { address: "127.0.0.1:19530", collection: "handbook" },
    },
    {
      title: "A database of Zilliz Cloud",
      config: {
        address: "https://example.api.gcp-us-west1.zillizcloud.com",
        token: "${ZILLIZ_TOKEN:-none}",
        database: "search",
        collection: "handbook",
      },
    },
    {
      title: "An index and partitions of one's own choice",
      config: {
        address: "127.0.0.1:19530",
        collection: "handbook",
        create: {
          index: "HNSW",
          index_params: { M: 32, efConstruction: 400 },
          consistency: "strong",
          partition_key: "source",
          partitions: 64,
        },
      },
    },
    {
      title: "An existing collection with its own field names",
      config: {
        address: "127.0.0.1:19530",
        collection: "passages",
        fields: { id: "pk", vector: "embedding", text: "body" },
        omit: ["uri", "page"],
      },
    },
  ],
  packages: ["@zilliz/milvus2-sdk-node", "@grpc/grpc-js"],
  create: createMilvusSink,
});
