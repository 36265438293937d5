import type { JsonObject } from "../../contracts/index.ts";
import type { Answer, Call } from "./call.ts";
import { checkId, checkNamespace, tooMany } from "./check-record.ts";
import { Fields } from "./fields.ts";
import type { IndexStore } from "./index-store.ts";
import { limits } from "./limits.ts";
import { messages } from "./messages.ts";
import { parseFilter } from "./metadata-filter.ts";
import { cutPage, pagination, readLimit } from "./page-token.ts";
import type { PineconeRecord } from "./record.ts";
import { checkResultSize, describeSparse, read, usage, viewOf } from "./reading.ts";
import { Refusal } from "./refusal.ts";

/** Records by id; those that are not there are left out. */
export function fetchRecords(index: IndexStore, { query }: Call): Answer {
  const ids = query.getAll("ids");
  if (ids.length === 0) throw new Refusal(400, "No IDs provided for fetch query");
  if (ids.length > limits.ids) throw new Refusal(400, `${tooMany("ids", ids)} per fetch`);
  const namespace = checkNamespace(query.get("namespace") ?? undefined);
  const view = viewOf(index, namespace);
  const found = ids.flatMap((id) => view.records.get(checkId(id)) ?? []);
  return read(view, { vectors: byId(found), namespace, usage });
}

/** Records that a filter finds, in the order of their ids, by pages. */
export function fetchByMetadata(index: IndexStore, { body }: Call): Answer {
  const fields = new Fields(body, "", "data", ["namespace", "filter", "limit", "paginationToken"]);
  const namespace = checkNamespace(fields.string("namespace"));
  const test = parseFilter(fields.anyObject("filter") ?? {});
  const limit = fields.integer("limit") ?? limits.listed;
  if (limit < 1 || limit > limits.fetchedByMetadata) {
    const rule = `limit must be between 1 and ${limits.fetchedByMetadata}`;
    throw new Refusal(400, `${rule}, but got ${limit}`);
  }
  const view = viewOf(index, namespace);
  const ids = (index.peek(namespace)?.sortedIds(index.now()) ?? []).filter((id) =>
    test(view.records.get(id)?.metadata),
  );
  const { items, next } = cutPage(ids, {
    prefix: "",
    limit,
    token: fields.string("paginationToken"),
  });
  const found = items.flatMap((id) => view.records.get(id) ?? []);
  checkResultSize(found, { values: true, metadata: true });
  return read(view, { vectors: byId(found), namespace, usage, ...pagination(next) });
}

/** Ids in the order of their bytes, by pages. */
export function list(index: IndexStore, { query }: Call): Answer {
  const namespace = checkNamespace(query.get("namespace") ?? undefined);
  const { items, next } = cutPage(index.peek(namespace)?.sortedIds(index.now()) ?? [], {
    prefix: query.get("prefix") ?? "",
    limit: readLimit(query.get("limit"), limits.listed),
    token: query.get("paginationToken") ?? undefined,
  });
  const vectors = items.map((id) => ({ id }));
  return read(viewOf(index, namespace), { vectors, namespace, usage, ...pagination(next) });
}

function byId(records: readonly PineconeRecord[]): JsonObject {
  return Object.fromEntries(
    records.map((record) => [
      record.id,
      {
        id: record.id,
        ...(record.values.length === 0 ? {} : { values: [...record.values] }),
        ...describeSparse(record),
        ...(record.metadata === undefined ? {} : { metadata: record.metadata }),
      },
    ]),
  );
}

/** Counts by namespace, of what reads see. An index with a schema of one's own has none. */
export function stats(index: IndexStore, { body }: Call): Answer {
  const fields = new Fields(body, "", "data", ["filter"]);
  if (Object.keys(fields.anyObject("filter") ?? {}).length > 0) {
    throw new Refusal(400, messages.statsFilter);
  }
  const counts = index.names().map((name) => [name, viewOf(index, name).records.size] as const);
  const { dimension } = index.shape;
  return {
    status: 200,
    body: {
      namespaces: Object.fromEntries(
        counts.map(([name, vectorCount]) => [name, { vectorCount }] as const),
      ),
      indexFullness: 0,
      totalVectorCount: counts.reduce((sum, [, count]) => sum + count, 0),
      ...(index.isClassic
        ? {
            ...(dimension === undefined ? {} : { dimension }),
            metric: index.metric,
            vectorType: dimension === undefined ? "sparse" : "dense",
          }
        : {}),
    },
  };
}
