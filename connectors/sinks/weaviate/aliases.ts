import { z } from "zod";
import type { CollectionAliases } from "../../../src/contracts/index.ts";
import { Fault } from "../../../src/faults/index.ts";
import type { WeaviateServer } from "./server.ts";

const listSchema = z.object({
  aliases: z.array(z.object({ alias: z.string(), class: z.string() })).nullish(),
});

/** The aliases of a server: names that stand for collections, changed at once for all readers. */
export function createAliases(server: WeaviateServer): CollectionAliases {
  return {
    async list(signal) {
      const { body } = await server.rest("read", { method: "GET", path: "/aliases" }, signal);
      const parsed = listSchema.safeParse(body);
      if (!parsed.success) throw notSupported(server);
      const pairs = (parsed.data.aliases ?? []).map((entry) => [entry.alias, entry.class] as const);
      return new Map(pairs);
    },

    async point(alias, collection, signal) {
      const name = capitalised(alias);
      const target = capitalised(collection);
      const path = `/aliases/${encodeURIComponent(name)}`;
      const change = { method: "PUT", path, body: { class: target } } as const;
      const { status } = await server.rest("changed", change, signal);
      if (status !== 404) return;
      const body = { alias: name, class: target };
      await server.rest("changed", { method: "POST", path: "/aliases", body }, signal);
    },

    async remove(alias, signal) {
      const path = `/aliases/${encodeURIComponent(capitalised(alias))}`;
      await server.rest("changed", { method: "DELETE", path }, signal);
    },
  };
}

/** Weaviate makes the first letter of names a capital. */
function capitalised(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

function notSupported(server: WeaviateServer): Fault {
  return new Fault(
    "sink.foreign",
    `The server at ${server.options.place.restUrl} has no aliases; Weaviate has them from 1.32 on.`,
  );
}
