import type { Json, JsonObject, StoredRecord } from "../../../src/contracts/index.ts";
import type { Column } from "../../../src/records/layout.ts";
import { fromFloat16 } from "../../../src/records/float16.ts";
import { type Cell, readRecord } from "../../../src/records/read-record.ts";
import { fromBfloat16 } from "./bfloat16.ts";
import type { FieldData, ScalarData } from "./messages.ts";
import type { LiveSchema } from "./schema.ts";

/** Reads the records of an answer. Columns that were not asked for are left out. */
export function decodeRecords(
  columns: readonly FieldData[],
  live: LiveSchema,
  dimension: number,
): StoredRecord[] {
  const byName = new Map(columns.map((column) => [column.field_name, column]));
  const readers: { readonly column: Column; readonly values: readonly unknown[] }[] = [];
  const dynamic = scalarsOf(byName.get("$meta")).map((value) => toObject(value));
  for (const { kind, column } of live.places) {
    const data = kind === "field" ? byName.get(column.name) : undefined;
    if (kind === "dynamic") {
      readers.push({ column, values: dynamic.map((object) => object?.[column.name]) });
    } else if (data !== undefined) readers.push({ column, values: scalarsOf(data) });
  }
  const vectors = vectorsOf(byName.get(live.vector?.name ?? ""), dimension);
  const ids = readers.find(({ column }) => column.field === "id")?.values ?? [];
  return ids.map((_, row) => {
    const cells = readers.map(({ column, values }): Cell => [column, toValue(column, values[row])]);
    return readRecord(cells, { vector: vectors[row] });
  });
}

/** A value as records have it; undefined when there is none, or one of another type, which something else wrote. */
function toValue({ type }: Column, raw: unknown): Json | undefined {
  if (raw === null || raw === undefined) return undefined;
  switch (type) {
    case "integer":
    case "timestamp":
      // The protocol's 64-bit integers come as decimals; those that would be rounded are not ours.
      return Number.isSafeInteger(Number(raw)) && raw !== "" ? Number(raw) : undefined;
    case "float":
      return Number.isFinite(Number(raw)) && raw !== "" ? Number(raw) : undefined;
    case "boolean":
      return typeof raw === "boolean" ? raw : undefined;
    case "string_list":
      return Array.isArray(raw) ? raw.map(String) : undefined;
    case "json":
      return raw as Json;
    default:
      return typeof raw === "string" ? raw : undefined;
  }
}

/** The values of a column, undefined where a row has none. */
function scalarsOf(column: FieldData | undefined): unknown[] {
  if (column === undefined) return [];
  const data = dataOf(column.scalars);
  const { valid_data: valid } = column;
  if (valid.length === 0) return data;
  // Some servers leave out the rows that have no value, others fill them.
  const isDense = data.length === valid.length;
  let next = 0;
  return valid.map((has, row) => {
    if (!has) return undefined;
    return isDense ? data[row] : data[next++];
  });
}

function dataOf(scalars: ScalarData | null | undefined): unknown[] {
  const kind = scalars?.data;
  const list = kind === undefined ? undefined : (scalars?.[kind] as { data?: unknown[] });
  const data = list?.data ?? [];
  if (kind === "array_data") return data.map((items) => dataOf(items as ScalarData));
  if (kind === "json_data") return data.map((bytes) => toJson(bytes as Uint8Array));
  return data;
}

/** The value of JSON; undefined where a row has none. */
function toJson(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? undefined : JSON.parse(Buffer.from(bytes).toString());
}

function toObject(value: unknown): JsonObject | undefined {
  const object: unknown = typeof value === "string" ? tryParse(value) : value;
  const isObject = typeof object === "object" && object !== null && !Array.isArray(object);
  return isObject ? (object as JsonObject) : undefined;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function vectorsOf(column: FieldData | undefined, dimension: number): Float32Array[] {
  const {
    float_vector: floats,
    float16_vector: halves,
    bfloat16_vector: brains,
  } = column?.vectors ?? {};
  switch (column?.vectors?.data) {
    case "float_vector":
      return slices(floats?.data.length ?? 0, dimension, (start, end) =>
        Float32Array.from(floats?.data.slice(start, end) ?? []),
      );
    case "float16_vector":
      return halfVectors(halves, dimension, fromFloat16);
    case "bfloat16_vector":
      return halfVectors(brains, dimension, fromBfloat16);
    default:
      return [];
  }
}

function halfVectors(
  bytes: Uint8Array | undefined,
  dimension: number,
  convert: (bits: number) => number,
): Float32Array[] {
  // A copy, since the bytes may begin at an odd place.
  const bits = new Uint16Array(Uint8Array.from(bytes ?? []).buffer);
  return slices(bits.length, dimension, (start, end) =>
    Float32Array.from(bits.subarray(start, end), convert),
  );
}

function slices<Slice>(
  length: number,
  size: number,
  take: (start: number, end: number) => Slice,
): Slice[] {
  return Array.from({ length: Math.floor(length / size) }, (_, index) =>
    take(index * size, (index + 1) * size),
  );
}
