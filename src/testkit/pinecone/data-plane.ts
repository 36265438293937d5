import type { Answer, Call, Handler, Route } from "./call.ts";
import type { IndexStore } from "./index-store.ts";
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  listNamespaces,
} from "./namespace-operations.ts";
import { queryVectors } from "./query.ts";
import { fetchByMetadata, fetchRecords, list, stats } from "./read-operations.ts";
import { Refusal } from "./refusal.ts";
import { remove, update, upsert } from "./write-operations.ts";

export const dataRoutes = {
  upsert: { method: "POST", path: ["vectors", "upsert"] },
  update: { method: "POST", path: ["vectors", "update"] },
  delete: { method: "POST", path: ["vectors", "delete"] },
  fetch: { method: "GET", path: ["vectors", "fetch"] },
  fetchByMetadata: { method: "POST", path: ["vectors", "fetch_by_metadata"] },
  list: { method: "GET", path: ["vectors", "list"] },
  query: { method: "POST", path: ["query"] },
  stats: { method: "POST", path: ["describe_index_stats"] },
  listNamespaces: { method: "GET", path: ["namespaces"] },
  createNamespace: { method: "POST", path: ["namespaces"] },
  describeNamespace: { method: "GET", path: ["namespaces", "*"] },
  deleteNamespace: { method: "DELETE", path: ["namespaces", "*"] },
} as const satisfies Record<string, Route>;

type Operation = (index: IndexStore, call: Call) => Answer;

/** The operations on an index's records and namespaces. */
export function dataPlane(index: IndexStore): Readonly<Record<keyof typeof dataRoutes, Handler>> {
  const onceReady =
    (handler: Operation): Handler =>
    (call) => {
      if (!index.isReady()) throw new Refusal(503, `Index ${index.definition.name} is not ready`);
      return handler(index, call);
    };
  return {
    upsert: onceReady(upsert),
    update: onceReady(update),
    delete: onceReady(remove),
    fetch: onceReady(fetchRecords),
    fetchByMetadata: onceReady(fetchByMetadata),
    list: onceReady(list),
    query: onceReady(queryVectors),
    stats: onceReady(stats),
    listNamespaces: onceReady(listNamespaces),
    createNamespace: onceReady(createNamespace),
    describeNamespace: onceReady(describeNamespace),
    deleteNamespace: onceReady(deleteNamespace),
  };
}
