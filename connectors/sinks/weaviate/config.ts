import { z } from "zod";
import { secret } from "../../../src/contracts/index.ts";
import { layoutKeys } from "../../../src/records/layout-keys.ts";

const keyDescription =
  "The key to send as a bearer token; leave it out or empty when the server takes everybody.";

/** What every field says of itself when it does not change what is made of a document. */
function operational(description: string) {
  return { description, operational: true };
}

function address(description: string) {
  return z
    .url({ protocol: /^https?$/, error: "expected an http or https address" })
    .refine((text) => !/^[^/]*\/\/[^/?#]*@/.test(text), {
      error: "holds credentials; put the key into `api_key`",
    })
    .meta(operational(description));
}

function whole(minimum: number, maximum: number, description: string) {
  return z.int().min(minimum).max(maximum).optional().meta({ description });
}

const createKeys = z.strictObject({
  metric: z.enum(["cosine", "dot", "euclidean"]).default("cosine").meta({
    description:
      "How vectors are compared: cosine, dot or euclidean. Vectors are normalised, so all three rank alike.",
  }),
  index: z
    .enum(["hnsw", "flat", "dynamic"])
    .default("hnsw")
    .meta({
      description:
        "The index: `hnsw` for most, `flat` for few records or many tenants, `dynamic` from one to the other (the " +
        "server must index asynchronously).",
    }),
  quantizer: z.enum(["none", "rq", "bq", "pq", "sq"]).optional().meta({
    description:
      "How the index shortens its copy of the vectors; the server's own default when left out.",
  }),
  ef: whole(-1, 65_535, "Candidates of a search in an `hnsw` index; -1 lets the server choose."),
  ef_construction: whole(4, 65_535, "Candidates while an `hnsw` index is built."),
  max_connections: whole(4, 2_047, "Connections of a vector in an `hnsw` index."),
  dynamic_threshold: whole(1, 10_000_000, "Records from which a `dynamic` index is `hnsw`."),
  replication_factor: whole(
    1,
    100,
    "Replicas of every record; the server's default when left out.",
  ),
  shards: whole(1, 10_000, "Shards of the collection; one for each node when left out."),
});

/** The keys of a sink of type `weaviate`. */
export const weaviateConfig = z.strictObject({
  url: address("The address of the server's REST API, usually on port 8080."),
  grpc_url: address(
    "The address of the server's gRPC API. When left out: that of Weaviate Cloud, else port 50051 of the host of `url`.",
  ).optional(),
  api_key: secret(keyDescription)
    .trim()
    .regex(/^[\x20-\x7e]*$/, "holds characters that cannot be sent in a header")
    .optional()
    .meta({ ...operational(keyDescription), secret: true }),
  collection: z
    .string()
    .regex(/^[A-Za-z][_0-9A-Za-z]{0,254}$/, {
      error: "expected letters, digits and `_`, a letter first",
    })
    .meta({
      description:
        "Name the collection, or an alias of it. Weaviate makes the first letter a capital.",
    }),
  vector: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,229}$/, {
      error: "expected letters, digits and `_`, no digit first",
    })
    .optional()
    .meta({
      description:
        "Name the vector, where a collection has several. A collection that is created gets one named `default`.",
    }),
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "expected up to 64 letters, digits, `-` and `_`" })
    .optional()
    .meta({
      description:
        "Name the tenant, in a collection that has tenants. It is made when it does not exist.",
    }),
  consistency: z
    .enum(["one", "quorum", "all"])
    .default("quorum")
    .meta(operational("How many replicas must take part in every write and read.")),
  timeout_ms: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .meta(operational("How long one request may take, answer included.")),
  create: createKeys.prefault({}).meta({
    description: "Say how to make the collection when it does not exist.",
    operational: true,
  }),
  ...layoutKeys("Give a field another property name, to fit an existing collection."),
});

export type WeaviateConfig = z.output<typeof weaviateConfig>;
