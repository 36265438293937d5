import type {
  CollectionDescription,
  CollectionMarker,
  EmbeddingModel,
  Metric,
} from "../contracts/index.ts";
import type { FaultCodeName } from "../faults/index.ts";
import { modelsReaching } from "./catalog.ts";

/** What is known of one sink before anything is written. */
export interface DimensionInput {
  /** The sink's name in the file. */
  readonly sink: string;
  readonly address: string;
  readonly pipeline: string;
  readonly model: EmbeddingModel;
  /** The sink's `dimension`. */
  readonly configured: "auto" | number;
  /** What the store says now; undefined when there is no such collection. */
  readonly live: CollectionDescription | undefined;
  /** Names the embedding space that this run would write. */
  readonly spaceHash: string;
  /** The sink's `create.metric`; only used when the store does not decide otherwise. */
  readonly createMetric: Metric;
  /** Set by `sluice adopt`, which is the remedy for records without a marker. */
  readonly adopting?: boolean;
}

/** What to do with the sink's collection, or why nothing may be done. */
export type DimensionDecision = DimensionAgreement | DimensionRefusal;

export interface DimensionAgreement {
  readonly kind: "create" | "open";
  /** The length of every vector written; the live collection's, when it has one. */
  readonly dimension: number;
  readonly metric: Metric;
  /** Whether vectors are shorter than the model's own. */
  readonly sliced: boolean;
  /** What the store keeps; the adapter converts from float32. */
  readonly elementType: "float32" | "float16" | "bfloat16";
}

export interface DimensionRefusal {
  readonly kind: "refuse";
  readonly code: FaultCodeName & `refused.${string}`;
  /** What does not fit: the received value beside the expected one. */
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * Decides the dimension of one sink: the live collection's, where there is one; else the configured number; else the
 * model's native one. Pure. Used by plan, run and query. The state and the sequence number in the marker are the
 * engine's to check.
 */
export function decideDimension(input: DimensionInput): DimensionDecision {
  const { live } = input;
  if (live === undefined) {
    const dimension =
      input.configured === "auto" ? input.model.dimensions.native : input.configured;
    const refusal = modelRefusal(input, dimension, "configured");
    return refusal ?? agree(input, "create", dimension, input.createMetric, "float32");
  }
  const { elementType } = live;
  if (!isDenseFloat(elementType)) return elementRefusal(input, elementType);
  const metric = live.metric ?? input.createMetric;
  if (metric === "other") return metricRefusal(input);
  const refusal =
    schemaRefusal(input, live) ?? ownerRefusal(input, live) ?? disagreement(input, live);
  if (refusal !== undefined) return refusal;
  const dimension = live.dimension ?? live.marker?.dimension ?? input.configured;
  if (dimension === "auto") return unknownDimension(input);
  return (
    modelRefusal(input, dimension, live.dimension === undefined ? "remembered" : "live") ??
    agree(input, "open", dimension, metric, elementType)
  );
}

function agree(
  input: DimensionInput,
  kind: "create" | "open",
  dimension: number,
  metric: Metric,
  elementType: DimensionAgreement["elementType"],
): DimensionAgreement {
  const sliced = dimension !== input.model.dimensions.native;
  return { kind, dimension, metric, sliced, elementType };
}

function isDenseFloat(
  type: CollectionDescription["elementType"],
): type is DimensionAgreement["elementType"] {
  return type === "float32" || type === "float16" || type === "bfloat16";
}

const elementNames: Record<string, string> = {
  binary: "binary vectors",
  int8: "8-bit integer vectors",
  sparse: "sparse vectors only",
  multivector: "several vectors for each record",
};

function elementRefusal(input: DimensionInput, elementType: string): DimensionRefusal {
  return refuse(
    "refused.element",
    `${where(input)} holds ${elementNames[elementType] ?? elementType}, expected one dense float vector ` +
      "(float32, float16 or bfloat16) for each record.",
    "Name a vector field that is dense, or a collection that does not exist yet: it is created to fit.",
  );
}

function metricRefusal(input: DimensionInput): DimensionRefusal {
  return refuse(
    "refused.metric",
    `${where(input)} compares vectors by a metric that does not suit normalised vectors, expected cosine, dot or ` +
      "euclidean.",
    "Name a collection that does not exist yet: it is created with `create.metric`.",
  );
}

/** Refuses what belongs to nobody or to another embedding space. */
function ownerRefusal(
  input: DimensionInput,
  live: CollectionDescription,
): DimensionRefusal | undefined {
  const { marker } = live;
  if (marker === undefined) {
    if (live.records === 0 || input.adopting === true) return undefined;
    return refuse(
      "refused.records",
      `${where(input)} holds ${records(live.records)} but no marker of sluice, so nothing tells which model they come ` +
        "from.",
      "Use an empty or a new collection. If the records are those of pipeline " +
        `\`${input.pipeline}\`, run \`sluice adopt --sink ${input.sink}\`.`,
    );
  }
  if (marker.space.hash === input.spaceHash) return undefined;
  const isSameModel = marker.space.model === input.model.id;
  const back = isSameModel ? "what it was" : `\`${marker.space.model}\``;
  return refuse(
    "refused.space",
    `${where(input)} ${isSameModel ? sameModel(input, marker) : otherModel(input, marker)} Vectors of two spaces cannot ` +
      "be compared and are never mixed.",
    "Give the sink a new `collection` and run; when the new one is complete, " +
      `\`sluice forget --sink ${input.sink}\` detaches the old one. Or set the embedder back to ${back}.`,
  );
}

function otherModel({ model, spaceHash }: DimensionInput, { space }: CollectionMarker): string {
  return (
    `holds vectors of the embedding space \`${space.model}\` (${short(space.hash)}), this pipeline embeds with ` +
    `\`${model.id}\` (${short(spaceHash)}).`
  );
}

/** Two spaces of one name. Of what makes a space, the marker remembers only the length, as far as it was not cut. */
function sameModel({ model }: DimensionInput, { dimension }: CollectionMarker): string {
  const { native } = model.dimensions;
  return dimension > native
    ? `holds vectors of ${dimension} numbers, the model \`${model.id}\` now gives ${native}: another model under its name?`
    : `holds vectors of another embedding space, though of the same model \`${model.id}\` by name: its revision, its ` +
        `document prompt or its native length (now ${native}) was another one.`;
}

/** Refuses when the store, its marker and the file name different numbers. */
function disagreement(
  input: DimensionInput,
  live: CollectionDescription,
): DimensionRefusal | undefined {
  const { dimension, marker } = live;
  if (dimension !== undefined && marker !== undefined && marker.dimension !== dimension) {
    return refuse(
      "refused.dimension",
      `${where(input)} has dimension ${dimension}, its marker says ${marker.dimension}: it was altered after sluice ` +
        "made it.",
      "Restore the collection, or name one that does not exist yet.",
    );
  }
  const known = dimension ?? marker?.dimension;
  if (known === undefined || input.configured === "auto" || input.configured === known) {
    return undefined;
  }
  return refuse(
    "refused.dimension",
    `${where(input)} has dimension ${known}, \`dimension: ${input.configured}\` is configured.`,
    "Set `dimension: auto` to follow the collection, or name another `collection` for " +
      `${input.configured} numbers.`,
  );
}

function unknownDimension(input: DimensionInput): DimensionRefusal {
  return refuse(
    "refused.dimension",
    `${where(input)} exists, but the store cannot tell its dimension while it is empty, and \`dimension: auto\` does ` +
      "not say it either.",
    `Set \`sinks.${input.sink}.dimension\` to a number; ${range(input.model)}.`,
  );
}

/** Refuses a length that the model cannot give. */
function modelRefusal(
  input: DimensionInput,
  dimension: number,
  origin: "configured" | "remembered" | "live",
): DimensionRefusal | undefined {
  const { native, min, matryoshka } = input.model.dimensions;
  const fits = dimension === native || (matryoshka && min <= dimension && dimension < native);
  if (fits && Number.isInteger(dimension)) return undefined;
  const wanted = origin === "configured" ? "is to get" : "has";
  return refuse(
    "refused.dimension",
    `${where(input)} ${wanted} dimension ${dimension}; ${range(input.model)}.`,
    modelRemedy(input, dimension) + numberRemedy(input.model, origin),
  );
}

function modelRemedy(input: DimensionInput, dimension: number): string {
  const models = modelsReaching(dimension).filter((id) => id !== input.model.id);
  if (models.length === 0) return `No catalogued model gives ${dimension} numbers. `;
  return `Embed with a model that gives them (${models.map((id) => `\`${id}\``).join(", ")}). `;
}

function numberRemedy(model: EmbeddingModel, origin: "configured" | "remembered" | "live"): string {
  const { native, min, matryoshka } = model.dimensions;
  const numbers = matryoshka && min < native ? `${min} to ${native}` : `${native}`;
  return origin === "configured"
    ? `With this model set \`dimension\` to ${numbers}.`
    : `With this model name a collection of dimension ${numbers}, or one that does not exist yet.`;
}

function schemaRefusal(
  input: DimensionInput,
  live: CollectionDescription,
): DimensionRefusal | undefined {
  if (live.misfits.length === 0) return undefined;
  return refuse(
    "refused.schema",
    `${where(input)} cannot take the records: ${live.misfits.join(" ")}`,
    "Map names with `fields`, leave fields out with `omit`, or name a collection that does not exist yet.",
  );
}

function range(model: EmbeddingModel): string {
  const { native, min, matryoshka } = model.dimensions;
  if (matryoshka && min < native) return `the model \`${model.id}\` gives ${min} to ${native}`;
  return `the model \`${model.id}\` gives ${native} and cannot be sliced (it is not Matryoshka)`;
}

function where(input: DimensionInput): string {
  return `Sink \`${input.sink}\`: the collection ${input.address}`;
}

function records(count: number): string {
  return count === 1 ? "1 record" : `${count} records`;
}

function short(hash: string): string {
  return hash.slice(0, 12);
}

function refuse(code: DimensionRefusal["code"], reason: string, remedy: string): DimensionRefusal {
  return { kind: "refuse", code, reason, remedy };
}
