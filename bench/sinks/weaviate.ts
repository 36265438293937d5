import { weaviateSink } from "../../connectors/sinks/weaviate/index.ts";
import { startServer } from "../../scripts/servers/start-server.ts";
import type { Sink, VectorRecord } from "../../src/contracts/index.ts";
import { contextOf } from "./context.ts";
import { columnsOf, dimension } from "./records.ts";
import type { ByHand, Place, SinkKeys, Store } from "./store.ts";

const { signal } = new AbortController();

/** A real Weaviate. */
export const weaviateStore: Store = {
  name: "weaviate",
  recordsPerRound: 4_000,
  // Its client takes half a second for every write, which only many writes at once can hide.
  ways: [
    { recordsPerWrite: 200, concurrent: 8 },
    { recordsPerWrite: 200, concurrent: 16 },
    { recordsPerWrite: 400, concurrent: 8 },
  ],
  peakMb: 400,
  // Building the usual index of 100,000 random vectors takes the server minutes.
  forMemory: { create: { index: "flat" } },
  start,
  makeSink,
  openByHand,
  async drop(address, collection) {
    const [url] = address.split(" ");
    await fetch(`${url}/v1/schema/${collection}`, { method: "DELETE" });
  },
};

/** The address is those of both APIs. */
async function start(): Promise<Place> {
  const server = await startServer("weaviate");
  const { http, grpc } = server.ports;
  return {
    address: `http://127.0.0.1:${http} http://127.0.0.1:${grpc}`,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function makeSink(address: string, collection: string, more: SinkKeys = {}): Sink {
  const [url, grpc_url] = address.split(" ");
  const config = weaviateSink.config.parse({ url, grpc_url, collection, ...more });
  return weaviateSink.create(config, contextOf());
}

/** Into a collection as the sink makes it, with its names. */
async function openByHand(address: string, collection: string): Promise<ByHand> {
  const sink = makeSink(address, collection);
  await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
  await sink.close();
  const { connectToCustom } = await import("weaviate-client");
  const [http, grpc] = address.split(" ").map((url) => Number(new URL(url).port));
  const client = await connectToCustom({
    httpHost: "127.0.0.1",
    httpPort: http ?? 0,
    grpcHost: "127.0.0.1",
    grpcPort: grpc ?? 0,
    timeout: { init: 10, query: 60, insert: 60 },
  });
  const { aggregate, data } = client.collections.use(collection);
  return {
    async write(records) {
      const { hasErrors, errors } = await data.insertMany(records.map(toObject));
      if (hasErrors) throw new Error(Object.values(errors)[0]?.message);
    },
    count: async () => (await aggregate.overAll()).totalCount,
    close: () => client.close(),
  };
}

function toObject(record: VectorRecord) {
  return {
    id: record.id,
    vectors: { default: Array.from(record.vector) },
    properties: { ...columnsOf(record), metadata: JSON.stringify(record.metadata) },
  };
}
