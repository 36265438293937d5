import { define } from "../../../src/contracts/index.ts";
import { weaviateConfig } from "./config.ts";
import { createWeaviateSink } from "./sink.ts";

/** A Weaviate server, by its own protocol. */
export const weaviateSink = define({
  kind: "sink",
  type: "weaviate",
  revision: 1,
  summary: "Keeps the index in a collection of Weaviate, or in a tenant of one.",
  stability: "stable",
  config: weaviateConfig,
  examples: [
    {
      title: "A server on this machine",
      config: { url: "http://localhost:8080", collection: "Handbook" },
    },
    {
      title: "Weaviate Cloud",
      config: {
        url: "https://my-cluster.weaviate.cloud",
        api_key: "a-key",
        collection: "Handbook",
      },
    },
    {
      title: "A tenant, in a collection with a quantized index and replicas",
      config: {
        url: "https://weaviate.example.com",
        grpc_url: "https://grpc.weaviate.example.com",
        collection: "Handbook",
        tenant: "acme",
        create: { metric: "cosine", quantizer: "rq", replication_factor: 3 },
      },
    },
    {
      title: "An existing collection with its own property names",
      config: {
        url: "http://localhost:8080",
        collection: "Passage",
        vector: "body_vector",
        fields: { text: "body", document: "doc_id" },
        omit: ["uri", "page"],
      },
    },
  ],
  packages: [],
  create: createWeaviateSink,
});
