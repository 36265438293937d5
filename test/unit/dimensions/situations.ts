import type { CollectionDescription, EmbeddingModel } from "../../../src/contracts/index.ts";
import type { DimensionInput } from "../../../src/dimensions/index.ts";

/** A row of the table in `docs/guide/dimensions.md`: its first three cells, and what they mean. */
export interface Situation {
  /** The sink's `dimension`. */
  readonly configured: "auto" | number;
  /** What is there. */
  readonly collection: string;
  readonly model: "32 to 1024" | "1024 only";
  readonly live?: CollectionDescription;
  readonly adopting?: boolean;
}

const id = "Qwen/Qwen3-Embedding-0.6B";

/** The models of the table. */
const models: Readonly<Record<Situation["model"], EmbeddingModel>> = {
  "32 to 1024": modelOf({ native: 1024, min: 32, matryoshka: true }),
  "1024 only": modelOf({ native: 1024, min: 1024, matryoshka: false }),
};

const whole = models["32 to 1024"];

/** Every row, in the order of the page. */
export const situations: readonly Situation[] = [
  row("auto", "none"),
  row(256, "none"),
  row(4096, "none"),
  row(9000, "none"),
  row(16, "none"),
  { ...row(512, "none"), model: "1024 only" },
  row("auto", "1024 numbers", live(1024)),
  row("auto", "256 numbers", live(256)),
  row(256, "256 numbers", live(256)),
  row(512, "256 numbers", live(256)),
  row("auto", "4096 numbers", live(4096)),
  row("auto", "16 numbers", live(16)),
  { ...row("auto", "512 numbers", live(512)), model: "1024 only" },
  { ...row("auto", "1024 numbers", live(1024)), model: "1024 only" },
  row("auto", "256 numbers, compared by dot product", live(256, { metric: "dot" })),
  row("auto", "256 numbers, compared as each search says", live(256, { metric: undefined })),
  row("auto", "256 numbers, compared by Hamming distance", live(256, { metric: "other" })),
  row("auto", "256 numbers of float16", live(256, { elementType: "float16" })),
  row("auto", "256 numbers of bfloat16", live(256, { elementType: "bfloat16" })),
  row("auto", "256 bits", live(256, { elementType: "binary" })),
  row("auto", "256 bytes", live(256, { elementType: "int8" })),
  row("auto", "sparse vectors only", live(undefined, { elementType: "sparse" })),
  row("auto", "several vectors for a record", live(256, { elementType: "multivector" })),
  row("auto", "empty, its length unknown", live(undefined)),
  row(256, "empty, its length unknown", live(undefined)),
  row("auto", "empty, its marker remembers 256", live(undefined, { marker: marker(256) })),
  row(512, "empty, its marker remembers 256", live(undefined, { marker: marker(256) })),
  row("auto", "1024 numbers, its marker says 256", live(1024, { marker: marker(256) })),
  row("auto", "256 numbers, 3 records, no marker", live(256, { records: 3 })),
  {
    ...row("auto", "256 numbers, 3 records, no marker, `sluice adopt`", live(256, { records: 3 })),
    adopting: true,
  },
  {
    ...row(
      "auto",
      "4096 numbers, 3 records, no marker, `sluice adopt`",
      live(4096, { records: 3 }),
    ),
    adopting: true,
  },
  row("auto", "256 numbers of this model", live(256, { records: 3, marker: marker(256) })),
  row(
    "auto",
    "256 numbers of another model",
    live(256, { records: 3, marker: marker(256, "text-embedding-3-small") }),
  ),
  row(
    "auto",
    "256 numbers of this model with another prompt",
    live(256, { records: 3, marker: marker(256, id, "another prompt") }),
  ),
  row("auto", "256 numbers, no field for `text`", live(256, { misfits: ["No field `text`."] })),
];

/** What is decided on. */
export function inputOf({ configured, model, live: there, adopting }: Situation): DimensionInput {
  return {
    sink: "search",
    address: "`handbook`",
    pipeline: "handbook",
    model: models[model],
    configured,
    live: there,
    spaceHash: "this space",
    createMetric: "cosine",
    adopting: adopting ?? false,
  };
}

function row(
  configured: Situation["configured"],
  collection: string,
  there?: CollectionDescription,
): Situation {
  const about = { configured, collection, model: "32 to 1024" } as const;
  return there === undefined ? about : { ...about, live: there };
}

function modelOf(dimensions: EmbeddingModel["dimensions"]): EmbeddingModel {
  return {
    id,
    dimensions,
    contextTokens: 32_768,
    prompts: { document: "{text}", query: "{text}" },
  };
}

type Parts = {
  readonly [Key in keyof CollectionDescription]?: CollectionDescription[Key] | undefined;
};

/** A collection; what is undefined is left out. */
function live(dimension: number | undefined, parts: Parts = {}): CollectionDescription {
  const known = { dimension, metric: "cosine", elementType: "float32", records: 0, misfits: [] };
  const entries = Object.entries({ ...known, ...parts });
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined),
  ) as unknown as CollectionDescription;
}

function marker(dimension: number, name = whole.id, hash = name === id ? "this space" : "another") {
  return {
    version: 1,
    incarnation: "0198c0de-0000-8000-8000-000000000001",
    space: { hash, model: name },
    dimension,
    probe: "",
    pipelines: {},
  } as const;
}
