import type { CollectionDescription } from "../../../src/contracts/index.ts";
import type { Column, Layout } from "../../../src/records/layout.ts";
import { valueFor, type CollectionSchema, type FieldSchema } from "./messages.ts";
import { expectedType, fitsType, typeName } from "./types.ts";

/** Where the live collection keeps a column of the layout. */
export type Place =
  | {
      readonly kind: "field";
      readonly column: Column;
      readonly field: FieldSchema;
      /** The field decides the partition, and the server may have put rows elsewhere. */
      readonly scattered?: boolean;
    }
  /** As a key of the dynamic field. */
  | { readonly kind: "dynamic"; readonly column: Column };

/** What the live schema says about records of this pipeline. */
export interface LiveSchema {
  readonly dimension: number | undefined;
  readonly elementType: CollectionDescription["elementType"];
  /** The field of the vectors, if it is there. */
  readonly vector: FieldSchema | undefined;
  /** Of all columns but the vector that the collection can keep. */
  readonly places: readonly Place[];
  /** The collection has a dynamic field. */
  readonly dynamic: boolean;
  /** Why records do not fit, one sentence each. */
  readonly misfits: readonly string[];
}

const elementTypes: Readonly<Record<string, CollectionDescription["elementType"]>> = {
  FloatVector: "float32",
  Float16Vector: "float16",
  BFloat16Vector: "bfloat16",
  Int8Vector: "int8",
  BinaryVector: "binary",
  SparseFloatVector: "sparse",
  ArrayOfVector: "multivector",
};

/** The bytes of values whose length is known before there are any. */
const knownBytes: Readonly<Record<string, number>> = { id: 36, fingerprint: 42, revision: 32 };

/** Compares the live schema with the layout. `pipeline` is the pipeline's name. */
export function readSchema({
  schema,
  layout,
  pipeline,
}: {
  readonly schema: CollectionSchema;
  readonly layout: Layout;
  readonly pipeline: string;
}): LiveSchema {
  const fields = new Map(schema.fields.map((field) => [field.name, field]));
  const dynamic = schema.enable_dynamic_field;
  const places: Place[] = [];
  const misfits: string[] = [];
  for (const column of layout.columns) {
    const field = fields.get(column.name);
    if (column.type === "vector") continue;
    if (field !== undefined) {
      places.push({ kind: "field", column, field });
      misfits.push(...misfitsOf(column, field, pipeline));
    } else if (column.field === "id") {
      misfits.push(noKeyField(schema, column));
    } else if (dynamic) places.push({ kind: "dynamic", column });
    else if (column.field !== "position") misfits.push(noField(column));
  }
  const vectors = schema.fields.filter(({ data_type: type }) => Object.hasOwn(elementTypes, type));
  const vector = layout.columns.find(({ type }) => type === "vector");
  const chosen = vectors.find(({ name }) => name === vector?.name);
  if (chosen === undefined) misfits.push(noVector(vector?.name ?? "vector", vectors));
  else if (chosen.is_function_output) misfits.push(filledByFunction(chosen, "vector"));
  misfits.push(...requiredByOthers(layout, schema));
  const shown = chosen ?? (vectors.length === 1 ? vectors[0] : undefined);
  return { ...shapeOf(shown), vector: chosen, places, dynamic, misfits };
}

/** How many bytes a field of texts takes; undefined when only the server knows. */
export function maxBytes(field: FieldSchema): number | undefined {
  return numberFor(field, "max_length");
}

/** How many items a field of lists takes. */
export function maxItems(field: FieldSchema): number | undefined {
  return numberFor(field, "max_capacity");
}

function numberFor(field: FieldSchema, key: string): number | undefined {
  const text = valueFor(field.type_params, key);
  return text === undefined ? undefined : Number(text);
}

function shapeOf(field: FieldSchema | undefined): Pick<LiveSchema, "dimension" | "elementType"> {
  const elementType = elementTypes[field?.data_type ?? ""] ?? "float32";
  return { dimension: field === undefined ? undefined : numberFor(field, "dim"), elementType };
}

function misfitsOf(column: Column, field: FieldSchema, pipeline: string): string[] {
  if (column.field === "id") {
    const misfit = keyMisfit(field);
    if (misfit !== undefined) return [misfit];
  } else if (field.is_primary_key) {
    return [
      `The field \`${field.name}\` for \`${column.field}\` is the primary key, which takes \`id\`.`,
    ];
  }
  if (field.is_function_output) {
    return [filledByFunction(field, column.field)];
  }
  if (!fitsType(column, field)) {
    const expected = expectedType(column);
    return [`The field \`${field.name}\` holds ${typeName(field)}, expected ${expected}.`];
  }
  const needed =
    column.field === "pipeline" ? Buffer.byteLength(pipeline) : knownBytes[column.field];
  const most = maxBytes(field);
  if (needed !== undefined && most !== undefined && most < needed) {
    return [`The field \`${field.name}\` takes ${most} bytes, \`${column.field}\` has ${needed}.`];
  }
  // Who partitions by a field wants it in every record; one without it is refused by itself.
  if (column.required || field.nullable || field.is_partition_key || isAlwaysThere(column))
    return [];
  return [
    `The field \`${field.name}\` must not be null, but not every record has \`${column.field}\`. Leave it out with ` +
      "`omit`.",
  ];
}

/** A record has these also when they are empty. */
export function isAlwaysThere({ field }: Column): boolean {
  return field === "headings" || field === "metadata";
}

function filledByFunction({ name }: FieldSchema, field: string): string {
  return `The field \`${name}\` is filled by a function of the server. Map \`${field}\` to another.`;
}

function keyMisfit(field: FieldSchema): string | undefined {
  const name = `\`${field.name}\``;
  if (!field.is_primary_key) return `The field ${name} for \`id\` is not the primary key.`;
  if (field.autoID) {
    return `The primary key ${name} is made by the server (auto-id), but records keep their own ids.`;
  }
  return undefined;
}

function noKeyField({ fields }: CollectionSchema, column: Column): string {
  const key = fields.find((field) => field.is_primary_key)?.name ?? "id";
  return `No field \`${column.name}\` for \`id\`; the primary key is \`${key}\`. Map it with \`fields: { id: ${key} }\`.`;
}

function noField(column: Column): string {
  const ways = column.required
    ? "Map it with `fields`"
    : "Map it with `fields`, or leave it out with `omit`";
  return (
    `No field \`${column.name}\` for \`${column.field}\`, and no dynamic field. ${ways}, or add the field ` +
    `(${expectedType(column)}, nullable).`
  );
}

function noVector(name: string, vectors: readonly FieldSchema[]): string {
  const there = vectors.map((field) => `\`${field.name}\` (${typeName(field)})`).join(", ");
  const [first] = vectors;
  if (first === undefined)
    return `No field \`${name}\` for \`vector\`; the collection has no vectors.`;
  return `No field \`${name}\` for \`vector\`; there is ${there}. Name one with \`fields: { vector: ${first.name} }\`.`;
}

function requiredByOthers(layout: Layout, schema: CollectionSchema): string[] {
  const ours = new Set(layout.columns.map((column) => column.name));
  const fields = schema.fields
    .filter((field) => !ours.has(field.name) && !field.is_primary_key && !field.is_function_output)
    .filter((field) => !field.nullable && (field.default_value ?? null) === null);
  return [...fields, ...(schema.struct_array_fields ?? [])].map(
    ({ name }) => `The field \`${name}\` needs a value, and no record has one.`,
  );
}
