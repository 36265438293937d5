import { expect } from "vitest";
import type { Collection } from "../../../src/contracts/index.ts";
import { makeRecord, toDelete, toUpsert } from "../../../src/testkit/sink-harness.ts";

const { signal } = new AbortController();

/** A collection of eight numbers stores one record of an id that stands twice in a write, the last. */
export async function expectLastCounts(collection: Collection): Promise<void> {
  const record = makeRecord(1, 8);
  const next = { ...record, text: "The second." };
  await collection.write([toUpsert(record), toUpsert(next)], signal);
  expect(await collection.count(undefined, signal)).toBe(1);
  const [stored] = await collection.read([record.id], { vectors: false }, signal);
  expect(stored?.text).toBe("The second.");
  await collection.write([toUpsert(next), toDelete(next)], signal);
  expect(await collection.count(undefined, signal)).toBe(0);
}

/** A collection of eight numbers reads and deletes these ids, and no others. */
export async function expectIds(collection: Collection, odd: readonly string[]): Promise<void> {
  const records = odd.map((id, index) => makeRecord(index, 8, { id }));
  const kept = makeRecord(99, 8);
  await collection.write([...records, kept].map(toUpsert), signal);
  const read = await collection.read(odd, { vectors: false }, signal);
  expect(read.map((record) => record.id).toSorted()).toEqual(odd.toSorted());
  await collection.write(records.map(toDelete), signal);
  expect(await collection.count(undefined, signal)).toBe(1);
}
