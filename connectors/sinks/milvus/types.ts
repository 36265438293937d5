import type { Column, ColumnType } from "../../../src/records/layout.ts";
import { valueFor, type FieldSchema } from "./messages.ts";

/** Types of Milvus that keep a column's values without loss. */
const fitting: Readonly<Record<Exclude<ColumnType, "vector">, readonly string[]>> = {
  string: ["VarChar"],
  json: ["JSON", "VarChar"],
  string_list: ["Array of VarChar", "JSON"],
  integer: ["Int64", "Double"],
  float: ["Double"],
  boolean: ["Bool"],
  timestamp: ["Int64", "Double"],
};

/** Whether a field keeps all values that a column may have. */
export function fitsType(column: Column, field: FieldSchema): boolean {
  if (column.type === "vector") return false;
  const type = scalarName(field);
  if (column.field === "id") return type === "VarChar";
  // Pages and positions have 31 bits, declared integers 53.
  if (column.type === "integer" && !column.declared && type === "Int32") return true;
  return fitting[column.type].includes(type);
}

/** What a message says that a field should hold. */
export function expectedType(column: Column): string {
  if (column.type === "vector") return "FloatVector, Float16Vector or BFloat16Vector";
  if (column.type === "timestamp") return "Int64 (milliseconds since 1970)";
  if (column.field === "id") return "VarChar (ids are UUIDs)";
  return fitting[column.type][0] ?? column.type;
}

/** What a message says that a field holds. */
export function typeName(field: FieldSchema): string {
  const dimension = valueFor(field.type_params, "dim");
  return dimension === undefined ? scalarName(field) : `${field.data_type} of ${dimension}`;
}

function scalarName({ data_type: type, element_type: element }: FieldSchema): string {
  return type === "Array" ? `Array of ${element}` : type;
}
