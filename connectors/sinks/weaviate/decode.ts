import type { Json, JsonObject, StoredRecord } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { LiveColumn } from "./live-schema.ts";
import { fromDate } from "./times.ts";
import type { WireHit } from "./wire-search.ts";

/** The record of an object. Properties that were not asked for are left out. */
export function toRecord(hit: WireHit, columns: readonly LiveColumn[]): StoredRecord {
  const values: Record<string, unknown> = {};
  const fields: Record<string, Json> = {};
  for (const { column, type } of columns) {
    const raw = hit.properties[column.name];
    const value = type === "date" && typeof raw === "string" ? fromDate(raw) : raw;
    if (value === undefined) continue;
    if (column.declared) fields[column.field] = value as Json;
    else values[column.field] = value;
  }
  const text = (name: string): string => (typeof values[name] === "string" ? values[name] : "");
  const { headings, page } = values;
  return {
    id: hit.id,
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
    metadata: parseMetadata(values["metadata"], hit.id),
    ...(hit.vector === undefined ? {} : { vector: hit.vector }),
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
