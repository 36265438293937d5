import type { Json, VectorRecord } from "../../../src/contracts/index.ts";
import { valueOf } from "../../../src/records/layout.ts";
import { maxBytes, maxItems, type LiveSchema, type Place } from "./schema.ts";

/** A record in the live collection's own terms. */
export interface Row {
  readonly record: VectorRecord;
  /** In the order of the schema's fields; a value for JSON is its text. */
  readonly values: readonly (Json | undefined)[];
  /** The dynamic field, as JSON. */
  readonly dynamic: string;
}

/** The most bytes of a JSON value, which the server's configuration may lower but seldom does. */
const maxJsonBytes = 65_536;

/**
 * The rows of records, and by id why a record has none. The server would check the lengths too, but refuses the whole
 * request for one value, and Milvus Lite counts characters.
 */
export function toRows(
  records: readonly VectorRecord[],
  live: LiveSchema,
): { readonly rows: readonly Row[]; readonly problems: ReadonlyMap<VectorRecord, string> } {
  const rows: Row[] = [];
  const problems = new Map<VectorRecord, string>();
  for (const record of records) {
    const row = toRow(record, live);
    if (typeof row === "string") problems.set(record, row);
    else rows.push(row);
  }
  return { rows, problems };
}

/** The row, or why there is none. */
function toRow(record: VectorRecord, live: LiveSchema): Row | string {
  const values: (Json | undefined)[] = [];
  const dynamic: Record<string, Json> = {};
  for (const place of live.places) {
    const value = wellFormed(valueOf(record, place.column));
    if (place.kind === "dynamic") {
      const kept = place.column.type === "json" ? parsed(value) : value;
      if (kept !== undefined) dynamic[place.column.name] = kept;
      continue;
    }
    const problem = fieldProblem(place, value);
    if (problem !== undefined) return problem;
    values.push(isJson(place) && value !== undefined ? jsonText(value) : value);
  }
  const json = JSON.stringify(dynamic);
  if (Buffer.byteLength(json) > maxJsonBytes) {
    return (
      `its fields without a column have ${Buffer.byteLength(json)} bytes as JSON, the dynamic field takes ` +
      `${maxJsonBytes}. Leave some out with \`omit\``
    );
  }
  return { record, values, dynamic: json };
}

export function isJson(place: Place): boolean {
  return place.kind === "field" && place.field.data_type === "JSON";
}

function fieldProblem(place: Place & { kind: "field" }, value: Json | undefined) {
  const { column, field } = place;
  const name = `\`${column.field}\``;
  if (value === undefined) {
    return field.nullable
      ? undefined
      : `it has no ${name}, which the field \`${field.name}\` needs`;
  }
  const most = isJson(place) ? maxJsonBytes : maxBytes(field);
  const longest = isJson(place) ? Buffer.byteLength(jsonText(value)) : longestText(value);
  if (most !== undefined && longest > most) {
    return `${name} has ${longest} bytes, the field \`${field.name}\` takes ${most}${remedy(column.field)}`;
  }
  const items = maxItems(field);
  if (Array.isArray(value) && items !== undefined && value.length > items) {
    return `${name} has ${value.length} items, the field \`${field.name}\` takes ${items}`;
  }
  return undefined;
}

function remedy(field: string): string {
  if (field === "text") return ". Lower `chunker.max_tokens`, or leave the text out with `omit`";
  return field === "metadata" ? ". Leave it out with `omit`, or declare the fields you need" : "";
}

function longestText(value: Json): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (!Array.isArray(value)) return 0;
  return value.reduce((longest, item) => Math.max(longest, longestText(item as Json)), 0);
}

/** Halves of surrogate pairs have no bytes in UTF-8, and gRPC refuses them. */
function wellFormed(value: Json | undefined): Json | undefined {
  if (typeof value === "string") return value.toWellFormed();
  return Array.isArray(value) ? value.map((item) => wellFormed(item as Json) ?? null) : value;
}

/** The JSON text of a value; metadata comes as text already. */
function jsonText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parsed(value: Json | undefined): Json | undefined {
  return typeof value === "string" ? (JSON.parse(value) as Json) : value;
}
