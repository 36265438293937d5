import type { JsonObject } from "../../contracts/index.ts";
import type { Answer, Call, Handler, Route } from "./call.ts";
import { readClassicCreateRequest, readCreateRequest } from "./create-index.ts";
import { describeClassicIndex, describeIndex } from "./describe-index.ts";
import { Fields } from "./fields.ts";
import type { IndexStore } from "./index-store.ts";
import {
  checkReadCapacity,
  mergeTags,
  readProtection,
  readTags,
  unsupported,
} from "./index-settings.ts";
import { messages } from "./messages.ts";
import { Refusal } from "./refusal.ts";

export const controlRoutes = {
  listIndexes: { method: "GET", path: ["indexes"] },
  createIndex: { method: "POST", path: ["indexes"] },
  describeIndex: { method: "GET", path: ["indexes", "*"] },
  configureIndex: { method: "PATCH", path: ["indexes", "*"] },
  deleteIndex: { method: "DELETE", path: ["indexes", "*"] },
} as const satisfies Record<string, Route>;

/** What the control plane needs of the process it runs in. */
export interface IndexHosts {
  /** Gives a new index its data plane; resolves with its address. */
  open(store: IndexStore): Promise<string>;
  /** Ends the data plane of an index. */
  close(store: IndexStore): void;
  /** A new index that is empty. */
  make(definition: IndexStore["definition"]): IndexStore;
}

/** The operations on indexes. Deleting is done at once; the service takes its time. */
export function controlPlane(
  indexes: Map<string, IndexStore>,
  hosts: IndexHosts,
): Readonly<Record<keyof typeof controlRoutes, Handler>> {
  const find = (name: string): IndexStore => {
    const index = indexes.get(name);
    if (index !== undefined) return index;
    throw new Refusal(404, messages.indexNotFound(name));
  };
  return {
    listIndexes: ({ isCurrent }) => ({
      status: 200,
      body: {
        indexes: [...indexes.values()]
          .filter(({ host }) => host !== undefined)
          .map((index) => describe(index, isCurrent)),
      },
    }),
    async createIndex({ body, isCurrent }): Promise<Answer> {
      const definition = isCurrent ? readCreateRequest(body) : readClassicCreateRequest(body);
      if (indexes.has(definition.name)) throw new Refusal(409, messages.indexExists);
      const index = hosts.make(definition);
      // Known before it has a host, so that a second request for the same name is refused.
      indexes.set(definition.name, index);
      try {
        index.host = await hosts.open(index);
      } catch (error) {
        indexes.delete(definition.name);
        throw error;
      }
      return { status: 201, body: describe(index, isCurrent) };
    },
    describeIndex: ({ name, isCurrent }) => ({
      status: 200,
      body: describe(find(name), isCurrent),
    }),
    configureIndex(call) {
      const index = find(call.name);
      configure(index, call);
      return { status: 202, body: describe(index, call.isCurrent) };
    },
    deleteIndex({ name }) {
      const index = find(name);
      if (index.definition.deletionProtection === "enabled") {
        throw new Refusal(403, messages.protected);
      }
      indexes.delete(name);
      hosts.close(index);
      return { status: 202 };
    },
  };
}

function describe(index: IndexStore, isCurrent: boolean): JsonObject {
  const status = { host: index.host ?? "", isReady: index.isReady() };
  return isCurrent
    ? describeIndex(index.definition, status)
    : describeClassicIndex(index.definition, status);
}

function configure(index: IndexStore, { body, isCurrent }: Call): void {
  const fields = new Fields(body, "", "control", [
    "tags",
    "deletion_protection",
    ...(isCurrent ? ["deployment", "schema", "read_capacity"] : ["spec", "embed"]),
  ]);
  for (const name of ["deployment", "schema", "embed"]) {
    if (fields.json(name) !== undefined) throw unsupported(`changes of \`${name}\``);
  }
  checkReadCapacity(
    fields.fields("spec", ["serverless"])?.fields("serverless", ["read_capacity"]) ?? fields,
  );
  const protection = readProtection(fields) ?? index.definition.deletionProtection;
  const tags = mergeTags(
    index.definition.tags,
    readTags(fields, isCurrent ? "printable" : "plain"),
  );
  index.definition = { ...index.definition, tags, deletionProtection: protection };
}
