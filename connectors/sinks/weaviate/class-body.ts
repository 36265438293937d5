import type { CollectionSpec, Json, JsonObject } from "../../../src/contracts/index.ts";
import type { Column, Layout } from "../../../src/records/layout.ts";
import type { WeaviateConfig } from "./config.ts";
import { markerProperty, propertyTypes } from "./property-types.ts";

const distances = { cosine: "cosine", dot: "dot", euclidean: "l2-squared" } as const;

/** Texts that readers search by words. All others are compared as a whole. */
const searched: readonly string[] = ["text"];
/** What nobody filters by; an index of it would only cost. */
const unfiltered: readonly string[] = ["text", "metadata", "fingerprint", "revision"];

const description = /^Kept by sluice, vectors of (\d+) numbers\./;

/** The length of the vectors that a collection was made for, as its description tells; undefined if sluice did not. */
export function madeDimension(text: string | undefined): number | undefined {
  const [, digits] = description.exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export interface ClassWishes {
  readonly collection: string;
  readonly layout: Layout;
  readonly config: WeaviateConfig;
}

/** The schema of a collection that sluice makes. */
export function createClass(
  { collection, layout, config }: ClassWishes,
  spec: CollectionSpec,
): JsonObject {
  const { create, vector = "default", tenant } = config;
  return {
    class: collection,
    // The server tells the dimension of an empty collection nowhere else.
    description: `Kept by sluice, vectors of ${spec.dimension} numbers.`,
    vectorConfig: {
      [vector]: {
        vectorizer: { none: {} },
        vectorIndexType: create.index,
        vectorIndexConfig: indexOptions(create, distances[spec.metric]),
      },
    },
    properties: [
      ...layout.columns
        .filter(({ field, type }) => field !== "id" && type !== "vector")
        .map((column) => createProperty(column)),
      createMarkerProperty(),
    ],
    ...optional("replicationConfig", "factor", create.replication_factor),
    ...optional("shardingConfig", "desiredCount", tenant === undefined ? create.shards : undefined),
    ...(tenant === undefined ? {} : { multiTenancyConfig: { enabled: true } }),
  };
}

function optional(section: string, key: string, value: number | undefined): JsonObject {
  return value === undefined ? {} : { [section]: { [key]: value } };
}

function indexOptions(create: WeaviateConfig["create"], distance: string): JsonObject {
  const { index, quantizer } = create;
  const shortening = quantizerOptions(quantizer);
  const graph = defined({
    ef: create.ef,
    efConstruction: create.ef_construction,
    maxConnections: create.max_connections,
  });
  if (index === "flat") return { distance, ...shortening };
  if (index === "hnsw") return { distance, ...graph, ...shortening };
  return {
    distance,
    ...defined({ threshold: create.dynamic_threshold }),
    hnsw: { distance, ...graph, ...shortening },
    flat: { distance },
  };
}

function quantizerOptions(quantizer: WeaviateConfig["create"]["quantizer"]): JsonObject {
  if (quantizer === undefined) return {};
  return quantizer === "none"
    ? { skipDefaultQuantization: true }
    : { [quantizer]: { enabled: true } };
}

function defined(options: Readonly<Record<string, Json | undefined>>): JsonObject {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as JsonObject;
}

/** A property of a collection that sluice makes, also one for a field that was declared later. */
export function createProperty({ field, name, type }: Column): JsonObject {
  const isText = ["string", "json", "string_list"].includes(type);
  return {
    name,
    dataType: [propertyTypes[type][0] ?? "text"],
    indexFilterable: !unfiltered.includes(field),
    ...(isText ? { indexSearchable: searched.includes(field) } : {}),
    ...(isText ? { tokenization: searched.includes(field) ? "word" : "field" } : {}),
  };
}

/** The property that holds markers; in no index, so that no search finds it. */
export function createMarkerProperty(): JsonObject {
  return {
    name: markerProperty,
    dataType: ["text"],
    description: "What sluice knows of the collection; on objects of its own, never on records.",
    indexFilterable: false,
    indexSearchable: false,
    tokenization: "field",
  };
}
