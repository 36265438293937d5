import { z } from "zod";
import { Fault } from "../../../src/faults/index.ts";

/** What a collection's schema says, as far as it matters here; the rest is left alone. */
const propertySchema = z.object({
  name: z.string(),
  dataType: z.array(z.string()),
  tokenization: z.string().optional(),
  indexFilterable: z.boolean().nullish(),
  indexSearchable: z.boolean().nullish(),
  indexRangeFilters: z.boolean().nullish(),
});

const vectorIndexSchema = z.object({
  distance: z.string().optional(),
  skip: z.boolean().optional(),
  multivector: z.object({ enabled: z.boolean().optional() }).optional(),
});

const classSchema = z.object({
  class: z.string(),
  description: z.string().optional(),
  properties: z.array(propertySchema).nullish(),
  vectorizer: z.string().optional(),
  vectorIndexType: z.string().optional(),
  vectorIndexConfig: vectorIndexSchema.nullish(),
  vectorConfig: z
    .record(
      z.string(),
      z.object({
        vectorizer: z.record(z.string(), z.unknown()).optional(),
        vectorIndexType: z.string().optional(),
        vectorIndexConfig: vectorIndexSchema.nullish(),
      }),
    )
    .nullish(),
  multiTenancyConfig: z
    .object({ enabled: z.boolean().optional(), autoTenantActivation: z.boolean().optional() })
    .nullish(),
  objectTtlConfig: z.object({ enabled: z.boolean().optional() }).nullish(),
});

export type ClassSchema = z.output<typeof classSchema>;
export type PropertySchema = z.output<typeof propertySchema>;

/** A vector of a collection, with the index on it. */
export interface ClassVector {
  /** Undefined for the one vector without a name, of older collections. */
  readonly name: string | undefined;
  /** The module that makes it; `none` when clients bring it. */
  readonly vectorizer: string;
  readonly distance: string;
  readonly multivector: boolean;
  /** The vector is stored but cannot be searched. */
  readonly skipped: boolean;
}

/** Reads the schema that the server gives. Rejects with `sink.foreign` when it is no schema. */
export function parseClass(body: unknown, shown: string): ClassSchema {
  const parsed = classSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Fault(
    "sink.foreign",
    `What the server says of the collection ${shown} is no schema of Weaviate. Check \`url\`.`,
    { cause: parsed.error },
  );
}

/** The vectors of a collection; those that were dropped are left out. */
export function vectorsOf(schema: ClassSchema): ClassVector[] {
  const named = Object.entries(schema.vectorConfig ?? {})
    .filter(([, { vectorIndexType }]) => vectorIndexType !== "none")
    .map(([name, { vectorizer = {}, vectorIndexConfig }]) =>
      toVector(name, Object.keys(vectorizer)[0], vectorIndexConfig),
    );
  // A collection with named vectors only has no type of an index of its own.
  const hasUnnamed = schema.vectorIndexType !== undefined && schema.vectorIndexType !== "";
  if (!hasUnnamed) return named;
  return [toVector(undefined, schema.vectorizer, schema.vectorIndexConfig), ...named];
}

function toVector(
  name: string | undefined,
  vectorizer: string | undefined,
  index: ClassSchema["vectorIndexConfig"],
): ClassVector {
  return {
    name,
    vectorizer: vectorizer === undefined || vectorizer === "" ? "none" : vectorizer,
    distance: index?.distance ?? "cosine",
    multivector: index?.multivector?.enabled === true,
    skipped: index?.skip === true,
  };
}
