import type { Json } from "../../contracts/index.ts";
import { Fields } from "./fields.ts";
import { type PineconeMetric, reservedFields, type SchemaField } from "./index-definition.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { Refusal } from "./refusal.ts";

/**
 * Reads the schema of a new index. The reserved names, alone, make a classic index; any other names make one that the
 * documents API serves.
 */
export function readSchema(schema: Fields): Readonly<Record<string, SchemaField>> {
  const given = Object.entries(schema.required("fields", schema.anyObject("fields")));
  if (given.length === 0) throw new Refusal(400, messages.emptySchema);
  const fields = given.map(([name, value]) => [name, readField(name, value)] as const);
  checkNames(fields);
  for (const type of ["dense_vector", "sparse_vector"]) {
    if (fields.filter(([, field]) => field.type === type).length > 1) {
      throw new Refusal(400, `Schema must contain at most one field of the type ${type}.`);
    }
  }
  if (fields.length > limits.textFields + 2) {
    throw new Refusal(400, `Schema must contain at most ${limits.textFields} text fields.`);
  }
  return Object.fromEntries(fields);
}

const keys: Readonly<Record<string, readonly string[]>> = {
  dense_vector: ["type", "description", "dimension", "metric"],
  sparse_vector: ["type", "description"],
  string: ["type", "description", "full_text_search", "filterable"],
};
const filterTypes = new Set(["string_list", "float", "number", "boolean"]);

function readField(name: string, value: Json): SchemaField {
  const any = new Fields(value, `schema.fields.${name}`, "control", allKeys);
  const type = any.required("type", any.string("type"));
  if (filterTypes.has(type)) throw new Refusal(400, messages.filterField(name));
  const known = keys[type];
  if (known === undefined) {
    const problem = `schema.fields.${name}: unknown variant \`${type}\``;
    throw new Refusal(422, messages.undeserializable(problem));
  }
  const fields = new Fields(value, `schema.fields.${name}`, "control", known);
  const text = fields.string("description");
  const description = text === undefined ? {} : { description: text };
  if (type === "sparse_vector") return { type, ...description };
  if (type === "dense_vector") {
    const dimension = fields.required("dimension", fields.integer("dimension"));
    const metric = fields.required("metric", fields.string("metric"));
    return {
      type,
      dimension: checkDimension(dimension),
      metric: checkMetric(metric),
      ...description,
    };
  }
  if (fields.json("filterable") !== undefined) throw new Refusal(400, messages.filterField(name));
  const search = fields.required("full_text_search", fields.anyObject("full_text_search"));
  return { type: "string", full_text_search: search, ...description };
}

const allKeys = [...new Set(Object.values(keys).flat()), "model", "field_map"];

function checkNames(fields: readonly (readonly [name: string, field: SchemaField])[]): void {
  for (const [name] of fields) {
    if (name === "" || name.startsWith("$") || Buffer.byteLength(name) > limits.fieldNameBytes) {
      const rule = `1 to ${limits.fieldNameBytes} bytes that do not begin with '$'`;
      throw new Refusal(
        400,
        `The name of a field must be ${rule}, but got '${name.slice(0, 100)}'.`,
      );
    }
  }
  const reserved = fields.filter(([name]) => name.startsWith("_"));
  if (reserved.length === 0) return;
  const isClassic = fields.every(
    ([name, { type, description }]) =>
      description === undefined &&
      ((name === reservedFields.dense && type === "dense_vector") ||
        (name === reservedFields.sparse && type === "sparse_vector")),
  );
  if (isClassic) return;
  const names = reserved.map(([name]) => `'${name}'`).join(", ");
  throw new Refusal(
    400,
    `Field names that begin with '_' are reserved: ${names}. \`_values\` and \`_sparse_values\` ` +
      "make a classic vector index, with no other fields and no descriptions.",
  );
}

export function checkDimension(dimension: number): number {
  if (dimension >= 1 && dimension <= limits.dimension) return dimension;
  const rule = `Dimension must be between 1 and ${limits.dimension}`;
  throw new Refusal(400, `${rule}, but got ${dimension}.`);
}

export function checkMetric(metric: string): PineconeMetric {
  if (metric === "cosine" || metric === "dotproduct" || metric === "euclidean") return metric;
  const rule = "The metric must be `cosine`, `dotproduct` or `euclidean`";
  throw new Refusal(400, `${rule}, but got '${metric}'.`);
}
