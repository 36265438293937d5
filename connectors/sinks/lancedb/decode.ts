import type * as Arrow from "apache-arrow";
import type { Json, JsonObject, StoredRecord } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import { fromFloat16 } from "./float16.ts";
import type { LiveColumn } from "./schema.ts";

/** Reads the records of a batch. Columns that were not asked for are left out. */
export function decodeBatch(
  batch: Arrow.RecordBatch,
  columns: readonly LiveColumn[],
): StoredRecord[] {
  const readers = columns.flatMap(({ column }) => {
    const vector = batch.getChild(column.name);
    return vector === null ? [] : [{ column, vector }];
  });
  return Array.from({ length: batch.numRows }, (_, row) => {
    const values: Record<string, unknown> = {};
    const fields: Record<string, Json> = {};
    for (const { column, vector } of readers) {
      const raw: unknown = vector.get(row);
      if (raw === null || raw === undefined) continue;
      const value = column.type === "vector" ? toFloats(raw) : toJson(raw);
      if (column.declared) fields[column.field] = value as Json;
      else values[column.field] = value;
    }
    return toRecord(values, fields);
  });
}

function toRecord(values: Record<string, unknown>, fields: JsonObject): StoredRecord {
  const text = (name: string): string => (typeof values[name] === "string" ? values[name] : "");
  const { headings, page, vector } = values;
  return {
    id: text("id"),
    document: text("document"),
    source: text("source"),
    fingerprint: text("fingerprint"),
    revision: text("revision"),
    pipeline: text("pipeline"),
    ...optional("text", values["text"]),
    ...optional("title", values["title"]),
    ...optional("uri", values["uri"]),
    ...(Array.isArray(headings) ? { headings: headings.map(String) } : {}),
    ...(typeof page === "number" ? { page } : {}),
    fields,
    metadata: parseMetadata(values["metadata"], text("id")),
    ...(vector instanceof Float32Array ? { vector } : {}),
  };
}

function optional<Name extends "text" | "title" | "uri">(
  name: Name,
  value: unknown,
): Partial<Record<Name, string>> {
  return typeof value === "string" ? ({ [name]: value } as Record<Name, string>) : {};
}

function parseMetadata(value: unknown, id: string): JsonObject {
  if (typeof value !== "string") return {};
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed as JsonObject;
    }
  } catch (cause) {
    throw notJson(id, cause);
  }
  throw notJson(id, undefined);
}

function notJson(id: string, cause: unknown): Fault {
  return new Fault(
    "sink.foreign",
    `The metadata of the record \`${id}\` is not a JSON object: something else wrote it.`,
    { cause },
  );
}

/** Values as records have them: times in milliseconds, 64-bit integers as numbers, lists as arrays. */
function toJson(raw: unknown): unknown {
  if (typeof raw === "bigint") return Number(raw);
  if (typeof raw === "object" && raw !== null && Symbol.iterator in raw) {
    return [...(raw as Iterable<unknown>)].map((item) => toJson(item));
  }
  return raw;
}

/** A copy: the batch's memory is the driver's. */
function toFloats(raw: unknown): Float32Array {
  const values: unknown = (raw as Arrow.Vector).toArray();
  if (values instanceof Uint16Array) return Float32Array.from(values, fromFloat16);
  if (values instanceof Float32Array) return values.slice();
  return Float32Array.from(values as Iterable<number>);
}
