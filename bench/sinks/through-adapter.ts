import { randomUUID } from "node:crypto";
import type { Collection, Sink, VectorRecord, WriteOperation } from "../../src/contracts/index.ts";
import { inTurns, secondsOf } from "./in-turns.ts";
import { dimension, makeMarker, toUpsert } from "./records.ts";
import type { Store } from "./store.ts";

const { signal } = new AbortController();

/** A collection that a run is about to write to. */
export async function openNew(sink: Sink): Promise<Collection> {
  const collection = await sink.create({ dimension, metric: "cosine", fields: {} }, signal);
  await collection.setMarker(makeMarker(), signal);
  return collection;
}

/** Seconds until all records can be read, written as a run writes them. */
export async function throughAdapter(
  store: Store,
  address: string,
  records: readonly VectorRecord[],
): Promise<number> {
  const name = `A${randomUUID().replaceAll("-", "").slice(0, 20)}`;
  const sink = store.makeSink(address, name);
  const collection = await openNew(sink);
  const seconds = await secondsOf(async () => {
    await writeAll(collection, records);
    const count = await collection.count(undefined, signal);
    if (count !== records.length) throw new Error(`${count} records arrived in ${store.name}.`);
  });
  await sink.close();
  await store.drop(address, name);
  return seconds;
}

/** Writes in batches as large and as many at once as the collection's limits say. */
export async function writeAll(
  collection: Collection,
  records: Iterable<VectorRecord>,
): Promise<void> {
  await inTurns(
    batchesOf(collection, records),
    collection.limits.concurrentWrites,
    async (batch) => {
      const { failed } = await collection.write(batch, signal);
      if (failed.size > 0) throw [...failed.values()][0];
    },
  );
}

function* batchesOf(
  collection: Collection,
  records: Iterable<VectorRecord>,
): Generator<WriteOperation[]> {
  const { operationsPerWrite, bytesPerWrite } = collection.limits;
  let batch: WriteOperation[] = [];
  let bytes = 0;
  for (const record of records) {
    const operation = toUpsert(record);
    const weight = collection.sizeOf(operation);
    if (
      batch.length === operationsPerWrite ||
      (batch.length > 0 && bytes + weight > bytesPerWrite)
    ) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(operation);
    bytes += weight;
  }
  if (batch.length > 0) yield batch;
}
