import { renameSync } from "node:fs";
import { Pinecone } from "@pinecone-database/pinecone";
import type { MilvusClient } from "@zilliz/milvus2-sdk-node";
import { startPineconeEmulator } from "../../../../src/testkit/index.ts";
import { readIndex } from "../../../e2e/support/stored-index.ts";
import { connectMilvus } from "../../support/milvus-client.ts";
import { newName } from "../../support/milvus-sink.ts";
import {
  addressesOf,
  askWeaviate,
  newCollection,
  type WeaviatePorts,
} from "../../support/weaviate-sink.ts";
import { Wire, type WireFault } from "./wire.ts";

/** Stores that stand behind a wire. */
export const remoteNames = ["milvus", "weaviate", "pinecone"] as const;
export const storeNames = [...remoteNames, "lancedb"] as const;

export type RemoteName = (typeof remoteNames)[number];
export type StoreName = (typeof storeNames)[number];

/** No two are equal; what the model gives is cut for all but one. */
export const native = 1024;
export const dimensions = { milvus: 512, weaviate: 256, pinecone: 128, lancedb: native } as const;

/** That of no store: one that a collection has when somebody made it anew. */
export const otherDimension = 64;

/** Records by id, each as the store itself shows it. */
export type Rows = ReadonlyMap<string, object>;

/** One store of a fan-out, with a collection of its own, and fresh ones to compare it with. */
export interface Store {
  readonly name: StoreName;
  /** What stands between the sink and the store; nothing, where the store is a folder. */
  readonly wires: readonly Wire[];
  /** The sink, as the pipeline file has it. */
  readonly sink: Readonly<Record<string, unknown>>;
  /** Settings, as `set` takes them, that lead past all wires. */
  readonly direct: readonly string[];
  /** Settings that lead to another collection. */
  elsewhere(name: string): readonly string[];
  /** All records of a collection, read past sluice; of the pipeline's own when no name is given. */
  rows(name?: string): Promise<Rows>;
  /** Drops the collection behind the pipeline's back, or puts an empty one of another dimension in its place. */
  drop(): Promise<void>;
  /** Drops the collections and closes what was opened. */
  close(): Promise<void>;
}

/** Breaks all ways to a store. */
export function breakWires({ wires }: Store, fault: WireFault): void {
  for (const wire of wires) wire.break(fault);
}

/** Breaks all ways to a store when the next write is on its way. */
export function breakNextWrite({ wires }: Store, fault: WireFault): void {
  for (const wire of wires) wire.breakNextWrite(fault);
}

export async function mendWires({ wires }: Store): Promise<void> {
  await Promise.all(wires.map((wire) => wire.mend()));
}

/** How long a request to a store may take; what is lost may land for longer than that, by the store's horizon. */
const timeout_ms = 3_000;

const storedFields = "id vector text document title headings fingerprint edition metadata".split(
  " ",
);

export async function openMilvus(address: string): Promise<Store> {
  const port = Number(address.split(":").at(-1));
  const wire = await Wire.open(port);
  const client = await connectMilvus(address);
  const collection = newName();
  const made = new Set([collection]);
  return {
    name: "milvus",
    wires: [wire],
    sink: {
      type: "milvus",
      address: `127.0.0.1:${wire.port}`,
      collection,
      dimension: dimensions.milvus,
      timeout_ms,
    },
    direct: [`sinks.milvus.address=${address}`],
    elsewhere(name) {
      made.add(`${collection}_${name}`);
      return [`sinks.milvus.collection=${collection}_${name}`];
    },
    rows: (name) => milvusRows(client, name === undefined ? collection : `${collection}_${name}`),
    async drop() {
      await client.dropCollection({ collection_name: collection });
    },
    async close() {
      await wire.close();
      for (const collection_name of made) await client.dropCollection({ collection_name });
      await client.closeConnection();
    },
  };
}

async function milvusRows(client: MilvusClient, collection_name: string): Promise<Rows> {
  const { status, data } = await client.query({
    collection_name,
    filter: 'id >= ""',
    output_fields: storedFields,
    consistency_level: 0,
    limit: 16_384,
  });
  if (status.code !== 0)
    throw new Error(`Milvus does not show ${collection_name}: ${status.reason}`);
  // The client leaves the dynamic field as an object of its own.
  return byId(data.map(({ $meta, ...row }) => Object.assign(row, $meta)));
}

export async function openWeaviate(ports: WeaviatePorts): Promise<Store> {
  const [rest, grpc] = [await Wire.open(ports.http), await Wire.open(ports.grpc)];
  const collection = newCollection();
  const made = new Set([collection]);
  return {
    name: "weaviate",
    wires: [rest, grpc],
    sink: {
      type: "weaviate",
      ...addressesOf({ http: rest.port, grpc: grpc.port }),
      collection,
      dimension: dimensions.weaviate,
      timeout_ms,
    },
    direct: Object.entries(addressesOf(ports)).map(([key, url]) => `sinks.weaviate.${key}=${url}`),
    elsewhere(name) {
      made.add(`${collection}${name}`);
      return [`sinks.weaviate.collection=${collection}${name}`];
    },
    rows: (name = "") => weaviateRows(ports, `${collection}${name}`),
    async drop() {
      await askWeaviate(ports, "DELETE", `/schema/${collection}`);
    },
    async close() {
      await Promise.all([rest.close(), grpc.close()]);
      for (const name of made) await askWeaviate(ports, "DELETE", `/schema/${name}`);
    },
  };
}

interface WeaviateObject {
  readonly id: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly vectors: unknown;
}

async function weaviateRows(ports: WeaviatePorts, collection: string): Promise<Rows> {
  const limit = 500;
  const rows: WeaviateObject[] = [];
  for (let after = ""; ;) {
    const query = `class=${collection}&limit=${limit}&include=vector&after=${after}`;
    const { status, body } = await askWeaviate(ports, "GET", `/objects?${query}`);
    if (status !== 200) throw new Error(`Weaviate does not show ${collection}: ${status}`);
    const { objects } = body as { readonly objects: readonly WeaviateObject[] };
    for (const { id, properties, vectors } of objects) {
      // Objects that are part of the marker belong to no pipeline.
      if (properties["pipeline"] !== undefined) rows.push({ id, properties, vectors });
    }
    if (objects.length < limit) return byId(rows);
    after = objects.at(-1)?.id ?? "";
  }
}

/** How long the emulator does not show what it has acknowledged. */
const visibilityDelayMs = 60;

/** A Pinecone of its own, in this process, with an index. */
export async function openPinecone(): Promise<Store> {
  const emulator = await startPineconeEmulator({ visibilityDelayMs, unsortedMatches: true });
  const api_key = "pcsk_the-key-of-the-tests";
  const client = new Pinecone({ apiKey: api_key, controllerHostUrl: emulator.url });
  const create = async (dimension: number): Promise<string> => {
    const serverless = { cloud: "aws", region: "us-east-1" } as const;
    const { host } = await client.indexes.create({
      name: "handbook",
      dimension,
      metric: "cosine",
      spec: { serverless },
    });
    return host;
  };
  let host = await create(dimensions.pinecone);
  const wire = await Wire.open(Number(new URL(host).port));
  const namespace = "production";
  return {
    name: "pinecone",
    wires: [wire],
    sink: {
      type: "pinecone",
      api_key,
      index: "handbook",
      namespace,
      host: `http://127.0.0.1:${wire.port}`,
      control_url: emulator.url,
      dimension: dimensions.pinecone,
      timeout_ms,
      concurrency: 2,
    },
    get direct() {
      return [`sinks.pinecone.host=${host}`];
    },
    elsewhere: (name) => [`sinks.pinecone.namespace=${name}`],
    async rows(name = namespace) {
      const records = [...emulator.records("handbook", name).values()];
      return byId(records.map((record) => ({ ...record, values: [...record.values] })));
    },
    async drop() {
      await client.indexes.delete("handbook");
      host = await create(otherDimension);
      wire.lead(Number(new URL(host).port));
    },
    async close() {
      await wire.close();
      await emulator.close();
    },
  };
}

/** A database in a folder. */
export function openLancedb(folder: string): Store {
  return {
    name: "lancedb",
    wires: [],
    sink: { type: "lancedb", uri: `${folder}/index`, collection: "handbook" },
    direct: [],
    elsewhere: (name) => [`sinks.lancedb.uri=${folder}/${name}`],
    rows: (name = "index") => readIndex(`${folder}/${name}`, "handbook"),
    // At once: who looks meanwhile finds all or nothing.
    async drop() {
      renameSync(`${folder}/index`, `${folder}/dropped`);
    },
    close: () => Promise.resolve(),
  };
}

function byId(rows: readonly object[]): Rows {
  const found = new Map(rows.map((row) => [String("id" in row ? row.id : ""), row] as const));
  if (found.size < rows.length) throw new Error("A record is stored twice.");
  return new Map([...found].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
