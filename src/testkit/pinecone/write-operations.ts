import type { JsonObject } from "../../contracts/index.ts";
import type { Answer, Call } from "./call.ts";
import {
  checkId,
  checkMetadataSize,
  checkNamespace,
  checkValues,
  readMetadata,
  readRecord,
  readSparseValues,
  readValues,
  tooMany,
} from "./check-record.ts";
import { Fields } from "./fields.ts";
import type { IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { parseFilter } from "./metadata-filter.ts";
import type { NamespaceStore } from "./namespace-store.ts";
import type { PineconeMetadata, PineconeRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";

/** Writes records, all or none; of records with the same id the last. */
export function upsert(index: IndexStore, { body }: Call): Answer {
  const fields = new Fields(body, "", "data", ["vectors", "namespace"]);
  refuseDocuments(index);
  const namespace = checkNamespace(fields.string("namespace"));
  const vectors = fields.list("vectors") ?? [];
  if (vectors.length === 0) throw new Refusal(400, "Must upsert at least one vector");
  if (vectors.length > limits.records) {
    throw new Refusal(400, `${tooMany("vectors", vectors)} per upsert`);
  }
  const records = vectors.map((vector, place) =>
    readRecord(vector, `vectors[${place}]`, index.shape),
  );
  const changes = new Map(records.map((record) => [record.id, record]));
  return written(index.write(namespace, changes), { upsertedCount: vectors.length });
}

/** Deletes by ids, by a filter or everything. Ids that are not there are no error, a namespace that is not there is. */
export function remove(index: IndexStore, { body }: Call): Answer {
  const fields = new Fields(body, "", "data", ["ids", "deleteAll", "namespace", "filter"]);
  refuseDocuments(index);
  const name = checkNamespace(fields.string("namespace"));
  const ids = fields.strings("ids") ?? [];
  const all = fields.boolean("deleteAll") ?? false;
  const filter = readFilter(fields);
  if (Number(ids.length > 0) + Number(all) + Number(filter !== undefined) !== 1) {
    throw new Refusal(400, "Exactly one of ids, deleteAll and filter must be given");
  }
  if (ids.length > limits.ids) throw new Refusal(400, `${tooMany("ids", ids)} per delete`);
  for (const id of ids) checkId(id);
  const namespace = existing(index, name);
  const gone = filter === undefined ? ids : matching(namespace, filter).map(({ id }) => id);
  const changed = all ? [...namespace.durable.keys()] : gone;
  return written(index.write(name, new Map(changed.map((id) => [id, undefined]))), {});
}

/** Changes one record, or the metadata of all that a filter finds. An id that is not there is no error. */
export function update(index: IndexStore, { body }: Call): Answer {
  const fields = new Fields(body, "", "data", [
    "id",
    "values",
    "sparseValues",
    "setMetadata",
    "namespace",
    "filter",
    "dryRun",
  ]);
  refuseDocuments(index);
  const name = checkNamespace(fields.string("namespace"));
  const id = fields.string("id");
  const filter = readFilter(fields);
  if ((id === undefined) === (filter === undefined)) {
    throw new Refusal(400, "Exactly one of id and filter must be given");
  }
  if (filter !== undefined) return updateMatching(index, name, filter, fields);
  const change = readChange(fields, checkId(id ?? ""), index);
  const record = existing(index, name).durable.get(id ?? "");
  const changed = record === undefined ? undefined : { ...record, ...change(record) };
  if (changed !== undefined) checkMetadataSize(changed.metadata);
  return written(index.write(name, new Map(changed && [[changed.id, changed]])), {});
}

function updateMatching(
  index: IndexStore,
  name: string,
  filter: JsonObject,
  fields: Fields,
): Answer {
  if (fields.json("values") !== undefined || fields.json("sparseValues") !== undefined) {
    throw new Refusal(400, "An update by filter changes metadata only");
  }
  const metadata = readMetadata(fields, "setMetadata");
  const found = matching(existing(index, name), filter);
  const body = { matchedRecords: found.length };
  if (fields.boolean("dryRun") === true) return { status: 200, body };
  const changed = found.map((record) => ({ ...record, ...merged(record, metadata) }));
  for (const record of changed) checkMetadataSize(record.metadata);
  return written(index.write(name, new Map(changed.map((record) => [record.id, record]))), body);
}

/** Reads what an update by id changes. */
function readChange(
  fields: Fields,
  id: string,
  { shape }: IndexStore,
): (record: PineconeRecord) => Partial<PineconeRecord> {
  const values = readValues(fields, "values");
  const given = values !== undefined && values.length > 0 ? { values } : {};
  if (given.values !== undefined) checkValues(given.values, id, shape);
  const sparseValues = readSparseValues(fields, "sparseValues");
  const metadata = readMetadata(fields, "setMetadata");
  return (record) => ({
    ...given,
    ...(sparseValues === undefined ? {} : { sparseValues }),
    ...merged(record, metadata),
  });
}

function merged(
  { metadata }: PineconeRecord,
  changes: PineconeMetadata | undefined,
): Pick<PineconeRecord, "metadata"> {
  return changes === undefined ? {} : { metadata: { ...metadata, ...changes } };
}

function matching(namespace: NamespaceStore, filter: JsonObject): PineconeRecord[] {
  const test = parseFilter(filter);
  return [...namespace.durable.values()].filter(({ metadata }) => test(metadata));
}

/** A filter without a condition is none. */
function readFilter(fields: Fields): JsonObject | undefined {
  const filter = fields.anyObject("filter");
  return filter === undefined || Object.keys(filter).length === 0 ? undefined : filter;
}

function existing(index: IndexStore, name: string): NamespaceStore {
  const namespace = index.find(name);
  if (namespace === undefined) throw new Refusal(404, messages.namespaceNotFound);
  return namespace;
}

/** An index with a schema of one's own takes no vectors; reading it gives nothing. */
function refuseDocuments(index: IndexStore): void {
  if (index.isClassic) return;
  const { name } = index.definition;
  throw new Refusal(
    400,
    `Index ${name} has a document schema. Use the documents API to write to it.`,
  );
}

function written(lsn: number, body: JsonObject): Answer {
  return { status: 200, body, headers: { "x-pinecone-request-lsn": String(lsn) } };
}
