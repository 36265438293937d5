import { z } from "zod";
import { secret } from "../../../src/contracts/index.ts";
import { layoutKeys } from "../../../src/records/layout-keys.ts";

/** What every field says of itself when it does not change what is made of a document. */
function operational(description: string) {
  return { description, operational: true };
}

function path(description: string) {
  return z.string().min(1).optional().meta({ description });
}

const addressPattern = /^(?:https?:\/\/)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\/?$/;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const identifierWords = "expected letters, digits and `_`, a letter or `_` first";
/** What can be sent in the header that carries it. */
const tokenDescription =
  "The token of the account: an API key, or `user:password`; leave it out or empty when there is none.";
const passwordDescription = "The password that goes with `username`.";

const tls = z.strictObject({
  ca: path(
    "The file with the certificate that signed the server's, in PEM; the system's if left out.",
  ),
  certificate: path("The file with our own certificate, in PEM, where the server asks for one."),
  key: path("The file with the private key of `certificate`, in PEM."),
  server_name: path("The name that the server's certificate is for, where the address is another."),
});

const create = z.strictObject({
  metric: z
    .enum(["cosine", "dot", "euclidean"])
    .default("cosine")
    .describe(
      "How vectors are compared: cosine, dot or euclidean. Vectors are normalised, so all three rank alike.",
    ),
  index: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, { error: "expected a name such as `HNSW` or `AUTOINDEX`" })
    .default("AUTOINDEX")
    .describe(
      "The type of the index: `AUTOINDEX` leaves it to the server; others are `HNSW`, `DISKANN` and so on.",
    ),
  index_params: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean()]))
    .default({})
    .describe("What the index type takes, such as `M` and `efConstruction`."),
  consistency: z
    .enum(["strong", "session", "bounded", "eventually"])
    .default("bounded")
    .describe("What readers get who ask for nothing else. sluice itself always reads strongly."),
  shards: z.int().min(1).max(64).default(1).describe("Into how many shards writes are spread."),
  partition_key: z
    .string()
    .optional()
    .describe("Name the field whose value decides the partition, such as `source`."),
  partitions: z
    .int()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      "How many partitions there are under a partition key; the server's default if left out.",
    ),
  dynamic_field: z
    .boolean()
    .default(true)
    .describe("Keep fields that have no column of their own, such as those declared later."),
});

/** The keys of a sink of type `milvus`. */
export const milvusConfig = z
  .strictObject({
    address: z
      .string()
      .regex(addressPattern, {
        error: "expected host and port, such as `127.0.0.1:19530` or `https://example.com`",
      })
      .meta(
        operational(
          "Where the server is; `https://` stands for TLS, and the port is 19530 by default.",
        ),
      ),
    database: z
      .string()
      .max(255)
      .regex(identifier, { error: identifierWords })
      .default("default")
      .describe("Name the database; it must exist."),
    collection: z
      .string()
      .max(255)
      .regex(identifier, { error: identifierWords })
      .describe("Name the collection, or an alias of one."),
    token: secret(tokenDescription)
      .trim()
      .optional()
      .meta({
        ...operational(tokenDescription),
        secret: true,
      }),
    username: z
      .string()
      .optional()
      .meta(operational("The user to log in as, in place of `token`.")),
    password: secret(passwordDescription)
      .optional()
      .meta({ ...operational(passwordDescription), secret: true }),
    tls: tls.optional().meta(operational("Encrypt the connection, also without `https://`.")),
    timeout_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .meta(operational("How long one call may take.")),
    ready_timeout_ms: z
      .int()
      .min(100)
      .max(86_400_000)
      .default(300_000)
      .meta(operational("How long the server may take to load the collection.")),
    create: create
      .prefault({})
      .meta(operational("Say how to make the collection when it does not exist.")),
    ...layoutKeys("Give a field another name, to fit an existing collection."),
  })
  .refine(({ token = "", username = "" }) => token === "" || username === "", {
    path: ["token"],
    error: "stands beside `username`; give one of them",
  })
  .refine(({ username = "", password = "" }) => (username === "") === (password === ""), {
    path: ["password"],
    error: "goes with `username`; give both or none",
  })
  .refine(
    ({ tls: { certificate, key } = {} }) => (certificate === undefined) === (key === undefined),
    {
      path: ["tls", "key"],
      error: "goes with `certificate`; give both or none",
    },
  )
  .refine(
    ({ create: { partitions, partition_key: key } }) =>
      partitions === undefined || key !== undefined,
    {
      path: ["create", "partitions"],
      error: "goes with `partition_key`",
    },
  );

export type MilvusConfig = z.output<typeof milvusConfig>;
