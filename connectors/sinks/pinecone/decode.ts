import type * as Sdk from "@pinecone-database/pinecone";
import type { Json, JsonObject, StoredRecord } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { Layout } from "../../../src/records/layout.ts";

/** Reads a record of the service. Metadata that the layout does not have is left out. */
export function decodeRecord(
  { id, values, metadata = {} }: Sdk.PineconeRecord,
  layout: Layout,
  options: { readonly vectors: boolean },
): StoredRecord {
  const fixed: Record<string, unknown> = {};
  const fields: Record<string, Json> = {};
  for (const { field, name, declared } of layout.columns) {
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    if (value === undefined) continue;
    if (declared) fields[field] = value;
    else fixed[field] = value;
  }
  const text = (field: string): string => (typeof fixed[field] === "string" ? fixed[field] : "");
  const { headings, page } = fixed;
  return {
    id,
    document: text("document"),
    source: text("source"),
    fingerprint: text("fingerprint"),
    revision: text("revision"),
    pipeline: text("pipeline"),
    ...optional("text", fixed),
    ...optional("title", fixed),
    ...optional("uri", fixed),
    ...(Array.isArray(headings) ? { headings: headings.map(String) } : {}),
    ...(typeof page === "number" ? { page } : {}),
    fields,
    metadata: parseMetadata(fixed["metadata"], id),
    ...(options.vectors ? { vector: Float32Array.from(values ?? []) } : {}),
  };
}

function optional<Name extends "text" | "title" | "uri">(
  name: Name,
  values: Readonly<Record<string, unknown>>,
): Partial<Record<Name, string>> {
  const value = values[name];
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
