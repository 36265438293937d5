import { define } from "../../../src/contracts/index.ts";
import { pineconeConfig } from "./config.ts";
import { createPineconeSink } from "./sink.ts";

/** The managed vector store: a namespace of an index that holds dense vectors. */
export const pineconeSink = define({
  kind: "sink",
  type: "pinecone",
  revision: 1,
  summary: "Keeps the index in a namespace of a Pinecone index.",
  stability: "beta",
  config: pineconeConfig,
  examples: [
    { title: "An index of the project", config: { api_key: "a-key", index: "handbook" } },
    {
      title: "A namespace of an index that is made in Europe",
      config: {
        api_key: "a-key",
        index: "handbook",
        namespace: "production",
        create: {
          cloud: "aws",
          region: "eu-west-1",
          deletion_protection: true,
          tags: { team: "docs" },
          indexed_metadata: "filterable",
        },
      },
    },
    {
      title: "An existing index with its own metadata keys, by its address",
      config: {
        api_key: "a-key",
        index: "handbook",
        host: "https://handbook-abc1234.svc.aped-4627-b74a.pinecone.io",
        fields: { text: "chunk_text", uri: "url" },
        omit: ["headings", "page"],
      },
    },
  ],
  packages: ["@pinecone-database/pinecone"],
  create: createPineconeSink,
});
