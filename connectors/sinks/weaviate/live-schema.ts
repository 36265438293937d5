import type { CollectionDescription, Metric } from "../../../src/contracts/index.ts";
import type { Column, Layout } from "../../../src/records/layout.ts";
import {
  type ClassSchema,
  type ClassVector,
  type PropertySchema,
  vectorsOf,
} from "./class-schema.ts";
import { madeDimension } from "./class-body.ts";
import { markerProperty, propertyTypes } from "./property-types.ts";

/** A column of the layout that the collection has. */
export interface LiveColumn {
  readonly column: Column;
  readonly property: PropertySchema;
  /** The property's type, such as `text` or `date`. */
  readonly type: string;
}

/** What the live schema says about records of this pipeline. */
export interface LiveSchema {
  /** The collection's own name, also when it was found by an alias. */
  readonly collection: string;
  /** The vector that records get; undefined when the collection has none, or several and none is named. */
  readonly vector: ClassVector | undefined;
  readonly metric: Metric | "other" | undefined;
  readonly elementType: CollectionDescription["elementType"];
  /** Sluice made it, with vectors of this length. */
  readonly madeDimension: number | undefined;
  readonly hasTenants: boolean;
  readonly activatesTenants: boolean;
  readonly columns: readonly LiveColumn[];
  /** Columns of the layout that the collection lacks. */
  readonly missing: readonly Column[];
  readonly hasMarkerProperty: boolean;
  /** Why records do not fit, one sentence each. */
  readonly misfits: readonly string[];
}

const metrics: Readonly<Record<string, Metric>> = {
  cosine: "cosine",
  dot: "dot",
  "l2-squared": "euclidean",
};

export interface SchemaWishes {
  readonly layout: Layout;
  /** The vector's configured name. */
  readonly vector: string | undefined;
  readonly tenant: string | undefined;
}

/** Compares the live schema with the layout and the configuration. */
export function readSchema(schema: ClassSchema, wishes: SchemaWishes): LiveSchema {
  const made = madeDimension(schema.description);
  const { vector, misfits: ofVector } = chooseVector(vectorsOf(schema), wishes.vector);
  const hasTenants = schema.multiTenancyConfig?.enabled === true;
  const properties = new Map((schema.properties ?? []).map((entry) => [entry.name, entry]));
  const { columns, missing, misfits } = readColumns(properties, wishes.layout, made !== undefined);
  return {
    collection: schema.class,
    vector,
    metric: vector === undefined ? undefined : (metrics[vector.distance] ?? "other"),
    elementType: vector?.multivector === true ? "multivector" : "float32",
    madeDimension: made,
    hasTenants,
    activatesTenants: schema.multiTenancyConfig?.autoTenantActivation === true,
    columns,
    missing,
    hasMarkerProperty: properties.has(markerProperty),
    misfits: [
      ...ofVector,
      ...tenantMisfits(hasTenants, wishes.tenant),
      ...ownWays(schema),
      ...misfits,
    ],
  };
}

/** Why records cannot be written to the collection at all; undefined when they can. */
export function problemOf({ misfits, elementType, metric }: LiveSchema): string | undefined {
  if (misfits.length > 0) return misfits.join(" ");
  if (elementType !== "float32") return `it holds ${elementType} vectors, expected float32.`;
  if (metric === "other") return "its index compares by a metric that does not suit its vectors.";
  return undefined;
}

function chooseVector(
  vectors: readonly ClassVector[],
  wanted: string | undefined,
): { readonly vector: ClassVector | undefined; readonly misfits: readonly string[] } {
  const names = vectors.map(({ name }) =>
    name === undefined ? "one without a name" : `\`${name}\``,
  );
  const there = names.length === 0 ? "It has no vector." : `It has ${names.join(", ")}.`;
  const unnamed = vectors.find(({ name }) => name === undefined);
  const found =
    wanted === undefined
      ? (unnamed ?? (vectors.length === 1 ? vectors[0] : undefined))
      : vectors.find(({ name }) => name === wanted);
  if (found !== undefined) {
    const misfits = found.skipped
      ? ["Its vector cannot be searched, because `skip` is set in its index."]
      : [];
    return { vector: found, misfits };
  }
  if (wanted === undefined && vectors.length > 1) {
    return {
      vector: undefined,
      misfits: [`It has several vectors, ${names.join(", ")}: name one with \`vector\`.`],
    };
  }
  const remedy = unnamed === undefined ? "" : " Leave `vector` out to use the one without a name.";
  const what = wanted === undefined ? "No vector." : `No vector \`${wanted}\`.`;
  return { vector: undefined, misfits: [`${what} ${there}${remedy}`] };
}

function tenantMisfits(hasTenants: boolean, tenant: string | undefined): readonly string[] {
  if (hasTenants && tenant === undefined) return ["It has tenants: name one with `tenant`."];
  if (!hasTenants && tenant !== undefined) {
    return ["It has no tenants: leave `tenant` out, or name another collection."];
  }
  return [];
}

/** What a collection would do of itself to records. */
function ownWays(schema: ClassSchema): readonly string[] {
  const modules = vectorsOf(schema)
    .filter(({ vectorizer }) => vectorizer !== "none")
    .map(
      ({ name, vectorizer }) =>
        `\`${vectorizer}\` (${name === undefined ? "the vector" : `\`${name}\``})`,
    );
  const misfits: string[] = [];
  if (modules.length > 0) {
    misfits.push(
      `It makes vectors itself, by ${modules.join(", ")}, and would compare them with sluice's: name a collection ` +
        "whose vectors come from clients (vectorizer `none`).",
    );
  }
  if (schema.objectTtlConfig?.enabled === true) {
    misfits.push("It deletes objects by itself after a time (`objectTtlConfig`): switch that off.");
  }
  return misfits;
}

function readColumns(
  properties: ReadonlyMap<string, PropertySchema>,
  layout: Layout,
  made: boolean,
): Pick<LiveSchema, "columns" | "missing" | "misfits"> {
  const columns: LiveColumn[] = [];
  const missing: Column[] = [];
  const misfits: string[] = [];
  for (const column of layout.columns) {
    // The id and the vector of an object are no properties.
    if (column.field === "id" || column.type === "vector") continue;
    const property = properties.get(column.name);
    if (property === undefined) {
      missing.push(column);
      if (!made && column.field !== "position") misfits.push(missingSentence(column));
      continue;
    }
    const type = property.dataType.join(" or ");
    const misfit = misfitOf(column, property, type);
    if (misfit !== undefined) misfits.push(misfit);
    columns.push({ column, property, type });
  }
  return { columns, missing, misfits };
}

function missingSentence({ field, name, type, required }: Column): string {
  const way = required
    ? `Add it with the type ${propertyTypes[type][0]}, or map it with \`fields\`.`
    : "Map it with `fields`, or leave the field out with `omit`.";
  return `No property \`${name}\` for \`${field}\`. ${way}`;
}

function misfitOf(
  { field, name, type }: Column,
  property: PropertySchema,
  found: string,
): string | undefined {
  if (!propertyTypes[type].includes(found)) {
    return `The property \`${name}\` has the type ${found}, expected ${propertyTypes[type].join(" or ")}.`;
  }
  if (field === "pipeline" && !isWhole(property)) {
    return (
      `The property \`${name}\` for \`pipeline\` cannot be compared as a whole (tokenization ` +
      `\`${property.tokenization ?? "word"}\`). Make it filterable with the tokenization \`field\`, or map another one ` +
      "with `fields`."
    );
  }
  return undefined;
}

/** Whether filters compare texts of the property as a whole, not word by word. */
export function isWhole({
  dataType,
  tokenization,
  indexFilterable,
  indexSearchable,
}: PropertySchema): boolean {
  const isText = dataType.some((type) => type.startsWith("text") || type.startsWith("string"));
  if (!isText) return indexFilterable !== false;
  return tokenization === "field" && (indexFilterable !== false || indexSearchable !== false);
}
