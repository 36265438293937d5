import type * as Sdk from "@pinecone-database/pinecone";
import type { CollectionDescription, Metric } from "../../../src/contracts/index.ts";
import type { Layout } from "../../../src/records/layout.ts";

/** What an index is, as far as records of this pipeline are concerned. */
export interface LiveIndex {
  readonly host: string;
  readonly dimension: number | undefined;
  readonly metric: Metric | "other" | undefined;
  readonly elementType: CollectionDescription["elementType"];
  /** Metadata keys that filters can name; undefined when all can be. */
  readonly filterable: ReadonlySet<string> | undefined;
  /** Why it takes no records at all, one sentence each. */
  readonly misfits: readonly string[];
}

/** The fields that an index of the classic kind has, whatever else it reports. */
const reserved = { dense: "_values", sparse: "_sparse_values" } as const;

const metrics: Readonly<Record<string, Metric>> = {
  cosine: "cosine",
  dotproduct: "dot",
  euclidean: "euclidean",
};

/** The service's name of a metric. */
export const serviceMetrics = {
  cosine: "cosine",
  dot: "dotproduct",
  euclidean: "euclidean",
} as const satisfies Record<Metric, string>;

/** Reads the control plane's description. */
export function readIndexModel(model: Sdk.IndexModel): LiveIndex {
  const fields = Object.entries(model.schema.fields);
  const typed = fields.flatMap(([name, field]) => ("type" in field ? [{ name, field }] : []));
  const dense = typed.find(({ name }) => name === reserved.dense)?.field;
  // Classic dense indexes report both reserved fields, sparse ones only the other.
  const isSparse = dense === undefined && typed.some(({ name }) => name === reserved.sparse);
  const shape =
    dense?.type === "dense_vector" ? { dimension: dense.dimension, metric: dense.metric } : {};
  const filterable = fields.flatMap(([name, field]) => ("type" in field ? [] : [name]));
  return {
    host: model.privateHost ?? model.host,
    dimension: shape.dimension,
    metric: toMetric(shape.metric),
    elementType: isSparse ? "sparse" : "float32",
    filterable: filterable.length === 0 ? undefined : new Set(filterable),
    misfits: [...kindMisfits(typed), ...deploymentMisfits(model)],
  };
}

/** Reads the data plane's statistics, which is all there is when the host is configured. */
export function readStatistics(host: string, text: string): LiveIndex {
  const body = JSON.parse(text) as {
    readonly dimension?: number;
    readonly metric?: string;
    readonly vectorType?: string;
  };
  const isSparse = body.vectorType === "sparse";
  const hasVectors = isSparse || typeof body.dimension === "number";
  return {
    host,
    dimension: body.dimension,
    metric: toMetric(body.metric),
    elementType: isSparse ? "sparse" : "float32",
    filterable: undefined,
    misfits: hasVectors ? [] : [documentsKind("It tells no dimension")],
  };
}

function toMetric(metric: string | undefined): LiveIndex["metric"] {
  return metric === undefined ? undefined : (metrics[metric] ?? "other");
}

function kindMisfits(
  typed: readonly { readonly name: string; readonly field: Sdk.TypedIndexSchemaField }[],
): readonly string[] {
  const own = typed.filter(({ name }) => !Object.values<string>(reserved).includes(name));
  const semantic = own.filter(({ field }) => field.type === "semantic_text");
  if (semantic.length > 0) {
    return [
      `It embeds texts itself (field ${list(semantic)}), so its vectors would be of two models. ` +
        "Name an index of vectors, or one that does not exist yet.",
    ];
  }
  if (own.length > 0) {
    return [documentsKind(`Its schema has fields of its own (${list(own)})`)];
  }
  return typed.length > 0 ? [] : [documentsKind("Its schema has no vectors")];
}

function documentsKind(why: string): string {
  return (
    `${why}: it is of the documents kind, which takes no vectors. ` +
    "Name an index of vectors, or one that does not exist yet."
  );
}

function deploymentMisfits({ deployment }: Sdk.IndexModel): readonly string[] {
  if (deployment.deploymentType !== "pod") return [];
  return ["It runs on pods, which cannot list their records. Move it to a serverless index."];
}

/** Why filters on records of this pipeline would find nothing. */
export function filterMisfits(
  layout: Layout,
  filterable: ReadonlySet<string> | undefined,
): readonly string[] {
  if (filterable === undefined) return [];
  return filterableColumns(layout)
    .filter(({ field, declared }) => declared || field === "pipeline")
    .filter(({ name }) => !filterable.has(name))
    .map(
      ({ field, name }) =>
        `Only some metadata keys can be filtered by, and \`${name}\` for \`${field}\` is not one of them. ` +
        "Name another index or namespace, or do not declare the field.",
    );
}

/** What a filter can name. */
export function filterableColumns({ columns }: Layout): Layout["columns"] {
  const fixed = ["document", "source", "title", "uri", "pipeline"];
  return columns.filter(({ field, declared }) => declared || fixed.includes(field));
}

function list(fields: readonly { readonly name: string }[]): string {
  return fields.map(({ name }) => `\`${name}\``).join(", ");
}
