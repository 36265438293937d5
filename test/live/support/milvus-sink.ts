import { randomUUID } from "node:crypto";
import { DataType } from "@zilliz/milvus2-sdk-node";
import { milvusSink } from "../../../connectors/sinks/milvus/index.ts";
import type { ConnectorContext, Sink } from "../../../src/contracts/index.ts";
import type { LawContext } from "../../../src/testkit/law.ts";
import type { SinkHarness, SinkPlace } from "../../../src/testkit/sink-harness.ts";
import { configureSink } from "../../support/configure-sink.ts";
import { openForwarder, type Forwarder } from "./forwarder.ts";
import { connectMilvus } from "./milvus-client.ts";

/** A collection of its own on a server. */
export interface MilvusPlace extends SinkPlace {
  readonly server: string;
  readonly collection: string;
  /** What stands between clients and server. */
  readonly way: Forwarder;
}

/** A name that no other test has. */
export function newName(): string {
  return `c_${randomUUID().replaceAll("-", "")}`;
}

/** A sink as a pipeline makes it. */
export function makeMilvusSink(
  address: string,
  collection: string,
  config: Readonly<Record<string, unknown>> = {},
  context: Partial<ConnectorContext> = {},
): Sink {
  return configureSink(milvusSink, { address, collection, ...config }, context);
}

/** Both kinds of servers; what one does differently is said where it is tested. */
export const milvusServers = ["milvus-lite", "milvus"] as const;

/** Removes a collection; succeeds when there is none. */
export async function dropCollection(server: string, collection: string): Promise<void> {
  const client = await connectMilvus(server);
  await client.dropCollection({ collection_name: collection });
  await client.closeConnection();
}

/** The laws' harness over collections of a real server. */
export function milvusHarness(server: string): SinkHarness<MilvusPlace> {
  return {
    notSupported: {
      reject: "Milvus takes or refuses a request as a whole; it has no rules by id",
      "keeps a text of 200,000 characters whole": "A text of Milvus has at most 65,535 bytes",
    },
    async place(context: LawContext) {
      const collection = newName();
      const way = await openForwarder(server);
      context.defer(async () => {
        await way.close();
        await dropCollection(server, collection);
      });
      return {
        server,
        collection,
        way,
        async connect(pipeline) {
          const sink = makeMilvusSink(way.address, collection, {}, { pipeline });
          context.defer(() => sink.close());
          return sink;
        },
      };
    },
    // Clients share nothing but the server.
    reopen: async () => {},
    drop: ({ collection }) => dropCollection(server, collection),
    disconnect: ({ way }) => way.close(),
    async foreign({ collection }) {
      const client = await connectMilvus(server);
      await client.createCollection({
        collection_name: collection,
        fields: [
          { name: "key", data_type: DataType.Int64, is_primary_key: true, autoID: true },
          { name: "embedding", data_type: DataType.FloatVector, dim: 3 },
        ],
      });
      await client.closeConnection();
    },
  };
}
