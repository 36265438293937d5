import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type * as Sdk from "@pinecone-database/pinecone";
import { pineconeSink } from "../../connectors/sinks/pinecone/index.ts";
import type { Sink, VectorRecord } from "../../src/contracts/index.ts";
import { contextOf } from "./context.ts";
import { columnsOf, dimension } from "./records.ts";
import type { ByHand, Place, SinkKeys, Store } from "./store.ts";

const { signal } = new AbortController();
const apiKey = "bench";

/** The local emulator of Pinecone. */
export const pineconeStore: Store = {
  name: "pinecone",
  recordsPerRound: 4_000,
  // A request may have 2 MB, which is 89 such records as JSON.
  ways: [
    { recordsPerWrite: 40, concurrent: 8 },
    { recordsPerWrite: 80, concurrent: 4 },
    { recordsPerWrite: 80, concurrent: 8 },
    { recordsPerWrite: 80, concurrent: 16 },
  ],
  peakMb: 400,
  remark: "an emulator in another process in the place of the service",
  start,
  makeSink,
  openByHand,
  async drop(address, collection) {
    const sdk = await connect(address);
    await sdk.indexes.delete(indexOf(collection));
  },
};

/** The address is the control plane's. */
async function start(): Promise<Place> {
  const program = fileURLToPath(new URL("pinecone-emulator.ts", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { readonly url: string };
  return {
    address: url,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** Names of indexes have small letters. */
function indexOf(collection: string): string {
  return collection.toLowerCase();
}

function makeSink(address: string, collection: string, more: SinkKeys = {}): Sink {
  const index = indexOf(collection);
  const config = pineconeSink.config.parse({
    api_key: apiKey,
    control_url: address,
    index,
    ...more,
  });
  return pineconeSink.create(config, contextOf());
}

async function connect(address: string): Promise<Sdk.Pinecone> {
  const { Pinecone } = await import("@pinecone-database/pinecone");
  return new Pinecone({ apiKey, controllerHostUrl: address });
}

/** Into an index as the sink makes it. */
async function openByHand(address: string, collection: string): Promise<ByHand> {
  const sink = makeSink(address, collection);
  await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
  await sink.close();
  const sdk = await connect(address);
  const { host } = await sdk.indexes.describe(indexOf(collection));
  const index = sdk.index({ host });
  return {
    write: (records) => index.upsert({ records: records.map(toRecord) }),
    count: async () => (await index.describeIndexStats()).totalRecordCount ?? 0,
    close: async () => undefined,
  };
}

function toRecord(record: VectorRecord): Sdk.PineconeRecord {
  const metadata = { ...columnsOf(record), metadata: JSON.stringify(record.metadata) };
  return {
    id: record.id,
    values: Array.from(record.vector),
    metadata: metadata as Sdk.RecordMetadata,
  };
}
