import type { Json, JsonObject, StoredRecord } from "../contracts/index.ts";
import { Fault } from "../faults/index.ts";
import type { Column } from "./layout.ts";

/** What `scan` and `read` tell of every record; the columns to ask for when a scan wants no more. */
export const headerFields: ReadonlySet<string> = new Set([
  "id",
  "document",
  "source",
  "fingerprint",
  "revision",
  "pipeline",
]);

/** A value of a stored record, in the record's own terms; null and undefined mean that there is none. */
export type Cell = readonly [column: Column, value: unknown];

/**
 * The record of a row. A field that was not asked for, or is of another type, is left out, and is empty where every
 * record has it. Rejects with `sink.foreign` when the metadata is no JSON object, neither as text nor as it is.
 */
export function readRecord(
  cells: Iterable<Cell>,
  { id, vector }: { readonly id?: string; readonly vector?: Float32Array | undefined } = {},
): StoredRecord {
  const values: Record<string, unknown> = id === undefined ? {} : { id };
  const fields: Record<string, Json> = {};
  for (const [{ field, declared }, value] of cells) {
    if (value === undefined || value === null) continue;
    if (declared) fields[field] = value as Json;
    else values[field] = value;
  }
  const text = (field: string): string => (typeof values[field] === "string" ? values[field] : "");
  const { headings, page } = values;
  return {
    id: text("id"),
    document: text("document"),
    source: text("source"),
    fingerprint: text("fingerprint"),
    revision: text("revision"),
    pipeline: text("pipeline"),
    ...optional("text", values),
    ...optional("title", values),
    ...optional("uri", values),
    ...(Array.isArray(headings) ? { headings: headings.map(String) } : {}),
    ...(typeof page === "number" ? { page } : {}),
    fields,
    metadata: toMetadata(values["metadata"], text("id")),
    ...(vector === undefined ? {} : { vector }),
  };
}

function optional<Name extends "text" | "title" | "uri">(
  name: Name,
  values: Readonly<Record<string, unknown>>,
): Partial<Record<Name, string>> {
  const value = values[name];
  return typeof value === "string" ? ({ [name]: value } as Record<Name, string>) : {};
}

function toMetadata(value: unknown, id: string): JsonObject {
  if (value === undefined) return {};
  let cause: unknown;
  try {
    const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
      return parsed as JsonObject;
    }
  } catch (error) {
    cause = error;
  }
  throw new Fault(
    "sink.foreign",
    `The metadata of the record \`${id}\` is not a JSON object: something else wrote it.`,
    { cause },
  );
}
