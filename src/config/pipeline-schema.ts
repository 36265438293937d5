import { z } from "zod";

const nameRule =
  "1 to 63 lower-case letters, digits, `-` and `_`, beginning with a letter or a digit";

/** The name of a pipeline, source or sink. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, `expected ${nameRule}`)
  .describe(`${nameRule}.`);

const fieldNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/)
  .describe("1 to 63 letters, digits and `_`, not beginning with a digit.");

/** Free values: text, numbers, booleans, lists and maps of them. */
const freeValue: z.ZodType = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.array(freeValue),
    z.record(z.string(), freeValue),
  ]),
);

/** Any component; its other keys are checked by the declaration of its type. */
const component = z.looseObject({
  type: z
    .string()
    .min(1)
    .describe("Which connector: a type of sluice, a path (`./mine.ts`) or a package."),
});

const positive = z.int().min(1);
const fraction = z.number().min(0).max(1);

const previously = nameSchema
  .optional()
  .describe("The former name, after a rename; its state is taken over.");

/** Keys of every source, besides those of its connector. */
export const sourceKeys = z.strictObject({
  previously,
  metadata: z
    .record(z.string(), freeValue)
    .default({})
    .describe("Metadata added to every record of this source."),
  parsers: z
    .record(z.string().min(1), z.looseObject({}))
    .default({})
    .describe(
      "Settings by parser, such as `csv: { text: … }`; also own parsers, by path or package.",
    ),
  chunker: component.optional().describe("A chunker for this source instead of the pipeline's."),
});

/** Keys of every sink, besides those of its connector. */
export const sinkKeys = z.strictObject({
  previously,
  dimension: z
    .union([z.literal("auto"), z.int().min(1).max(65_536)])
    .default("auto")
    .describe(
      "The length of stored vectors; `auto` is that of the live collection, or the model's native one.",
    ),
});

/** Keys of chunkers, embedders and parsers besides their connector's: none. */
export const noKeys = z.strictObject({});

export const fieldTypes = {
  string: "string",
  integer: "integer",
  float: "float",
  boolean: "boolean",
  timestamp: "timestamp",
  "list of string": "string_list",
} as const;

const stateSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("sqlite").default("sqlite").describe("A file on a local disk."),
    path: z
      .string()
      .min(1)
      .optional()
      .describe("The file; default `.sluice/NAME.sqlite` beside the pipeline file."),
  }),
  z.strictObject({
    type: z.literal("memory").describe("Forgotten when the process ends; for trials."),
  }),
]);

const storage = z
  .enum(["float32", "float16"])
  .default("float32")
  .describe("The numbers of a vector: as they are, or in half the room with three digits.");

/** Neither a query nor a fragment; credentials with other signs than these are given apart. */
const redisAddress =
  /^rediss?:\/\/(?:[^\s/?#@]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:[\]]+)(?::\d{1,5})?(?:\/\d{0,5})?$/;

const cacheSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z
      .literal("sqlite")
      .default("sqlite")
      .describe("A file on a local disk, shared between pipelines."),
    path: z
      .string()
      .min(1)
      .optional()
      .describe("The file; default `.sluice/cache.sqlite` beside the pipeline file."),
    max_mb: positive
      .max(1_048_576)
      .default(4096)
      .describe("The size in MB beyond which the least recently used vectors go."),
    storage,
  }),
  z.strictObject({
    type: z.literal("redis").describe("A Redis server, shared between machines."),
    url: z
      .string()
      .regex(redisAddress, {
        error: "expected an address like `redis://host:6379/0`, or `rediss://` for TLS",
      })
      .describe("`redis://HOST:PORT/DATABASE`; `rediss://` for TLS."),
    username: z.string().min(1).optional().describe("The user, where there is one."),
    password: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "The password, such as `${REDIS_PASSWORD}`.", secret: true }),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._:/-]{1,64}$/, {
        error: "expected 1 to 64 letters, digits and `.`, `_`, `:`, `/`, `-`",
      })
      .default("sluice:")
      .describe("What stands before every key; pipelines that share it share their embeddings."),
    ttl_days: positive
      .max(3_650)
      .default(30)
      .describe("Days after which a vector goes that was not used."),
    timeout_ms: z
      .int()
      .min(10)
      .max(60_000)
      .default(2_000)
      .describe("How long a call waits for the server; then the run goes on without the cache."),
    storage,
  }),
  z.strictObject({
    type: z.literal("none").describe("No cache: unchanged text may be embedded again."),
  }),
]);

const limitsSchema = z.strictObject({
  tokens_in_flight: positive
    .max(100_000_000)
    .default(400_000)
    .describe("Tokens of chunks on their way from chunker to sinks."),
  memory_mb: z
    .int()
    .min(16)
    .max(1_048_576)
    .default(1024)
    .describe("MB of documents, chunks and vectors held at once."),
  max_document_mb: positive
    .max(1_048_576)
    .default(100)
    .describe("Larger documents fail, unless their parser streams."),
  parse_timeout_ms: positive
    .max(86_400_000)
    .default(10_000)
    .describe("How long a document may take to parse."),
  documents: positive.max(10_000).default(128).describe("Documents worked on at once."),
});

const retrySchema = z.strictObject({
  attempts: positive.max(100).default(6).describe("How often a call is tried in all."),
  base_ms: positive.max(600_000).default(250).describe("The first wait; it doubles, with jitter."),
  max_ms: positive.max(3_600_000).default(30_000).describe("The longest wait."),
  total_ms: positive
    .max(86_400_000)
    .default(300_000)
    .describe("Attempts and waits of a call together."),
});

/** The pipeline file, except for what the connectors declare. */
export const pipelineSchema = z.strictObject({
  version: z.literal(1).default(1).describe("The version of this file's format."),
  name: nameSchema.describe(`The identity of the pipeline: ${nameRule}.`),
  previously,
  sources: z
    .record(nameSchema, component)
    .refine((sources) => Object.keys(sources).length > 0, "is empty; name at least one source")
    .describe(
      "Where documents come from, by a name of your own; document ids are prefixed with it.",
    ),
  metadata: z
    .record(fieldNameSchema, z.enum(Object.keys(fieldTypes) as (keyof typeof fieldTypes)[]))
    .default({})
    .describe("Types of the metadata fields that stores should know and filter by."),
  chunker: component.optional().describe("Cuts documents into chunks; default `structure`."),
  embedder: component.describe("Turns text into vectors."),
  sinks: z
    .record(nameSchema, component)
    .refine((sinks) => Object.keys(sinks).length > 0, "is empty; name at least one sink")
    .describe("Vector stores to keep equal to the sources, by a name of your own."),
  state: stateSchema
    .default({ type: "sqlite" })
    .describe("What is known of documents and sinks between runs."),
  cache: cacheSchema
    .default({ type: "sqlite", max_mb: 4096, storage: "float32" })
    .describe("Embeddings at native dimension, so that no text is embedded twice."),
  deletions: z
    .strictObject({
      max_fraction: fraction
        .default(0.1)
        .describe("The fraction of a source's documents that may go within 24 hours."),
    })
    .prefault({})
    .describe("The guard against mass deletion."),
  reprocess: z
    .strictObject({
      max_fraction: fraction
        .default(0.2)
        .describe("The fraction of documents that a changed recipe may embed again."),
    })
    .prefault({})
    .describe("The guard against re-embedding everything for a changed setting."),
  failures: z
    .strictObject({
      max_documents: z
        .int()
        .min(0)
        .max(1_000_000_000)
        .default(100)
        .describe("New failures of one run beyond this, or 1 %, stop it."),
    })
    .prefault({})
    .describe("When failing documents stop the run."),
  limits: limitsSchema.prefault({}).describe("Bounds on memory and time."),
  retry: retrySchema.prefault({}).describe("How calls that may succeed later are tried again."),
  positions: z
    .boolean()
    .default(false)
    .describe("Store the chunk's number in the document with every record."),
});

export type PipelineValue = z.output<typeof pipelineSchema>;
