import type { JsonObject } from "../../contracts/index.ts";
import type { Answer, Call } from "./call.ts";
import { checkNamespace, defaultNamespace, metadataBytes } from "./check-record.ts";
import { Fields } from "./fields.ts";
import { readFilterable } from "./index-settings.ts";
import type { IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { cutPage, pagination, readLimit } from "./page-token.ts";
import { Refusal } from "./refusal.ts";

/** Namespaces as reads see them, in the order of their bytes, by pages. */
export function listNamespaces(index: IndexStore, { query, isCurrent }: Call): Answer {
  const prefix = query.get("prefix") ?? "";
  const names = index.names();
  const { items, next } = cutPage(names, {
    prefix,
    limit: readLimit(query.get("limit"), limits.listed),
    token: query.get("paginationToken") ?? undefined,
  });
  return {
    status: 200,
    body: {
      namespaces: items.map((name) => describe(index, name, isCurrent)),
      ...pagination(next),
      total_count: names.filter((name) => name.startsWith(prefix)).length,
    },
  };
}

/** Makes a namespace without a record, which is a write like any other. */
export function createNamespace(index: IndexStore, { body, isCurrent }: Call): Answer {
  const fields = new Fields(body, "", "data", ["name", "schema"]);
  const name = checkNamespace(fields.required("name", fields.string("name")));
  if (name === defaultNamespace) {
    throw new Refusal(400, `Namespace '${defaultNamespace}' is reserved`);
  }
  const filterable = readFilterable(fields);
  if (index.find(name) !== undefined) throw new Refusal(409, `Namespace '${name}' already exists`);
  index.open(name).filterable = filterable;
  const lsn = index.write(name, new Map());
  return {
    status: 200,
    body: describe(index, name, isCurrent),
    headers: { "x-pinecone-request-lsn": String(lsn) },
  };
}

export function describeNamespace(index: IndexStore, { name, isCurrent }: Call): Answer {
  checkNamespace(name);
  if (index.peek(name)?.view(index.now()).exists !== true) {
    throw new Refusal(404, messages.namespaceNotFound);
  }
  return { status: 200, body: describe(index, name, isCurrent) };
}

/** Deletes a namespace with all that is in it. */
export function deleteNamespace(index: IndexStore, { name }: Call): Answer {
  checkNamespace(name);
  const namespace = index.find(name);
  if (namespace === undefined) throw new Refusal(404, messages.namespaceNotFound);
  const gone = [...namespace.durable.keys()].map((id) => [id, undefined] as const);
  const lsn = index.write(name, new Map(gone), false);
  return { status: 200, body: {}, headers: { "x-pinecone-request-lsn": String(lsn) } };
}

/** Since 2026-07 counts are decimal strings, and there is a size. */
function describe(index: IndexStore, name: string, isCurrent: boolean): JsonObject {
  const namespace = index.open(name);
  const { records } = namespace.view(index.now());
  const { filterable } = namespace;
  let bytes = 0;
  for (const { id, values, metadata } of records.values()) {
    bytes += id.length + values.byteLength + metadataBytes(metadata);
  }
  const fields = filterable?.map((field) => [field, { filterable: true }] as const);
  return {
    name,
    record_count: isCurrent ? String(records.size) : records.size,
    ...(isCurrent ? { size_bytes: String(bytes) } : {}),
    ...(fields === undefined ? {} : { schema: { fields: Object.fromEntries(fields) } }),
    ...(filterable === undefined ? {} : { indexed_fields: { fields: filterable } }),
  };
}
