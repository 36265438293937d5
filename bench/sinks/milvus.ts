import type * as Milvus from "@zilliz/milvus2-sdk-node";
import { milvusSink } from "../../connectors/sinks/milvus/index.ts";
import type { Sink, VectorRecord } from "../../src/contracts/index.ts";
import { startServer } from "../../scripts/servers/start-server.ts";
import { contextOf } from "./context.ts";
import { columnsOf, dimension } from "./records.ts";
import type { ByHand, SinkKeys, Store } from "./store.ts";

/** The real Milvus, and Milvus Lite, by one SDK. */
export const milvusStores: readonly Store[] = [
  { ...milvusStore("milvus"), recordsPerRound: 8_000, peakMb: 400 },
  {
    ...milvusStore("milvus-lite"),
    recordsPerRound: 3_000,
    peakMb: 400,
    // It builds indexes in the thread that answers, and with most of them for longer than a call may take.
    forMemory: { timeout_ms: 300_000, create: { index: "FLAT" } },
  },
];

function milvusStore(name: "milvus" | "milvus-lite"): Omit<Store, "recordsPerRound" | "peakMb"> {
  return {
    name,
    ways: [
      { recordsPerWrite: 500, concurrent: 2 },
      { recordsPerWrite: 1_000, concurrent: 1 },
      { recordsPerWrite: 1_000, concurrent: 2 },
      { recordsPerWrite: 1_000, concurrent: 4 },
    ],
    start: () => startServer(name),
    makeSink,
    openByHand,
    async drop(address, collection) {
      const client = await connect(address);
      await client.dropCollection({ collection_name: collection });
      await client.closeConnection();
    },
  };
}

function makeSink(address: string, collection: string, more: SinkKeys = {}): Sink {
  return milvusSink.create(milvusSink.config.parse({ address, collection, ...more }), contextOf());
}

/** A client that sends large requests and does not repeat them. */
async function connect(address: string): Promise<Milvus.MilvusClient> {
  const { MilvusClient } = await import("@zilliz/milvus2-sdk-node");
  const client = new MilvusClient({
    address,
    timeout: 60_000,
    logLevel: "error",
    // It pings all the time, also after its end, which Milvus Lite takes for an attack.
    channelOptions: { "grpc.keepalive_permit_without_calls": 0 },
  });
  await client.connectPromise;
  return client;
}

/**
 * Rows with Float32Arrays, which the client takes where there is no dynamic field. Every row has every field, since
 * old servers know no null.
 */
async function openByHand(address: string, collection: string): Promise<ByHand> {
  const { DataType } = await import("@zilliz/milvus2-sdk-node");
  const client = await connect(address);
  const text = (name: string, max_length = 65_535) => ({
    name,
    data_type: DataType.VarChar,
    max_length,
  });
  const texts = ["text", "document", "source", "title", "uri", "pipeline"];
  const named = { collection_name: collection };
  check(
    await client.createCollection({
      ...named,
      fields: [
        { ...text("id", 64), is_primary_key: true },
        { name: "vector", data_type: DataType.FloatVector, dim: dimension },
        ...texts.map((name) => text(name)),
        text("fingerprint", 64),
        text("revision", 64),
        {
          ...text("headings"),
          data_type: DataType.Array,
          element_type: DataType.VarChar,
          max_capacity: 4_096,
        },
        { name: "metadata", data_type: DataType.JSON },
      ],
      index_params: [{ field_name: "vector", index_type: "AUTOINDEX", metric_type: "COSINE" }],
    }),
  );
  check(await client.loadCollectionSync(named));
  return {
    async write(records) {
      const data = records.map(toRow);
      check((await client.upsert({ ...named, data, timeout: 60_000 })).status);
    },
    async count() {
      const { ConsistencyLevelEnum } = await import("@zilliz/milvus2-sdk-node");
      const consistency_level = ConsistencyLevelEnum.Strong;
      const answer = await client.query({
        ...named,
        filter: "",
        output_fields: ["count(*)"],
        consistency_level,
      });
      check(answer.status);
      return Number(answer.data[0]?.["count(*)"]);
    },
    close: async () => void (await client.closeConnection()),
  };
}

function toRow(record: VectorRecord): Milvus.RowData {
  const { id, vector, metadata } = record;
  // Its types do not know that it takes typed arrays.
  return { id, vector, metadata, ...columnsOf(record) } as unknown as Milvus.RowData;
}

function check({ code, reason }: Milvus.ResStatus): void {
  if (code !== 0) throw new Error(`Milvus says ${code}: ${reason}`);
}
