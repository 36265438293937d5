import type {
  CollectionDescription,
  CollectionMarker,
  EmbeddingModel,
} from "../contracts/index.ts";
import { modelsReaching } from "../models/index.ts";
import type { DimensionInput, DimensionRefusal } from "./decision.ts";

/** Where the number comes from that a model cannot give. */
export type Origin = "configured" | "live";

/** Refuses a length that the model cannot give. */
export function modelRefusal(
  input: DimensionInput,
  dimension: number,
  origin: Origin,
): DimensionRefusal {
  const wanted = origin === "configured" ? "is to get" : "has";
  return refuse(
    "refused.dimension",
    `${where(input)} ${wanted} dimension ${dimension}; ${range(input.model)}.`,
    modelRemedy(input, dimension) + numberRemedy(input.model, origin),
  );
}

/** Refuses another number than the collection has. */
export function configuredRefusal(
  input: DimensionInput,
  known: number,
  configured: number,
): DimensionRefusal {
  return refuse(
    "refused.dimension",
    `${where(input)} has dimension ${known}, \`dimension: ${configured}\` is configured.`,
    `Set \`dimension: auto\` to follow the collection, or name another \`collection\` for ${configured} numbers.`,
  );
}

/** Refuses a collection that is not what its marker was made for. */
export function alteredRefusal(
  input: DimensionInput,
  live: number,
  remembered: number,
): DimensionRefusal {
  return refuse(
    "refused.dimension",
    `${where(input)} has dimension ${live}, its marker says ${remembered}: it was altered after sluice made it.`,
    "Restore the collection, or name one that does not exist yet.",
  );
}

/** Refuses to guess. */
export function unknownRefusal(
  input: DimensionInput,
  live: CollectionDescription,
): DimensionRefusal {
  const when = live.records === 0 ? " while it is empty" : "";
  return refuse(
    "refused.dimension",
    `${where(input)} exists, but the store cannot tell its dimension${when}, and \`dimension: auto\` does not say it ` +
      "either.",
    `Set \`sinks.${input.sink}.dimension\` to a number; ${range(input.model)}.`,
  );
}

const elementNames: Record<string, string> = {
  binary: "binary vectors",
  int8: "8-bit integer vectors",
  sparse: "sparse vectors only",
  multivector: "several vectors for each record",
};

/** Refuses, by name, whatever a dense float vector does not fit into. */
export function elementRefusal(input: DimensionInput, elementType: string): DimensionRefusal {
  return refuse(
    "refused.element",
    `${where(input)} holds ${elementNames[elementType] ?? elementType}, expected one dense float vector ` +
      "(float32, float16 or bfloat16) for each record.",
    "Name a vector field that is dense, or a collection that does not exist yet: it is created to fit.",
  );
}

/** Refuses a metric by which normalised vectors say nothing. */
export function metricRefusal(input: DimensionInput, name: string | undefined): DimensionRefusal {
  const metric = name === undefined ? "a metric that" : `\`${name}\`, which`;
  return refuse(
    "refused.metric",
    `${where(input)} compares vectors by ${metric} does not suit normalised vectors, expected cosine, dot or ` +
      "euclidean.",
    "Name a collection that does not exist yet: it is created with `create.metric`.",
  );
}

/** Refuses records that do not fit the live schema, with every misfit. */
export function schemaRefusal(input: DimensionInput, misfits: readonly string[]): DimensionRefusal {
  return refuse(
    "refused.schema",
    `${where(input)} cannot take the records: ${misfits.join(" ")}`,
    "Map names with `fields`, leave fields out with `omit`, or name a collection that does not exist yet.",
  );
}

/** Refuses records that are nobody's. */
export function recordsRefusal(input: DimensionInput, count: number): DimensionRefusal {
  return refuse(
    "refused.records",
    `${where(input)} holds ${records(count)} but no marker of sluice, so nothing tells which model they come from.`,
    "Use an empty or a new collection. If the records are those of pipeline " +
      `\`${input.pipeline}\`, run \`sluice adopt --sink ${input.sink}\`.`,
  );
}

/** Refuses to mix embedding spaces. */
export function spaceRefusal(input: DimensionInput, marker: CollectionMarker): DimensionRefusal {
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

function modelRemedy(input: DimensionInput, dimension: number): string {
  const models = modelsReaching(dimension).filter((id) => id !== input.model.id);
  if (models.length === 0) return `No catalogued model gives ${dimension} numbers. `;
  return `Embed with a model that gives them (${models.map((id) => `\`${id}\``).join(", ")}). `;
}

function numberRemedy(model: EmbeddingModel, origin: Origin): string {
  const { native, min, matryoshka } = model.dimensions;
  const isRange = matryoshka && min < native;
  const numbers = isRange ? `${min} to ${native}` : `${native}`;
  return origin === "configured"
    ? `With this model set \`dimension\` to ${isRange ? "a number from " : ""}${numbers}.`
    : `With this model name a collection of dimension ${numbers}, or one that does not exist yet.`;
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
