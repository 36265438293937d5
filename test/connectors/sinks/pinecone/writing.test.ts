import { Pinecone } from "@pinecone-database/pinecone";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Encoder } from "../../../../connectors/sinks/pinecone/encode.ts";
import type { VectorRecord, WriteOperation } from "../../../../src/contracts/index.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import {
  lawFields,
  makeRecord,
  makeRecords,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { apiKey, rawClient } from "./harness.ts";
import { expectIds, expectLastCounts } from "../writing.ts";
import { created, emulate, rejection, signal, sinkAt } from "./places.ts";

const layout = createLayout({
  sink: "search",
  declared: lawFields,
  fields: {},
  omit: [],
  names: { pattern: /./, words: "" },
});

function metadataBytes(record: VectorRecord): number {
  return new Encoder(layout).encode(record).metadataBytes;
}

describe("writing to pinecone", () => {
  it("stores one record of an id that stands twice in a write, the last", async () => {
    await expectLastCounts((await created()).collection);
  });

  it("reads and deletes ids of every ASCII character, and no others", async () => {
    const odd = ["it's", `a"b`, "back\\slash", "line\nend", "a b&ids=c", "#/?%41+", "\x01\x7f"];
    await expectIds((await created()).collection, odd);
  });

  it("refuses ids that the service does not take, by id, and finds none of them", async () => {
    const { collection, emulator } = await created();
    const bad = ["ünicode", "", "nul\0", "x".repeat(513)];
    const good = makeRecord(9, 8, { id: "x".repeat(512) });
    const operations = bad.map((id, index) => toUpsert(makeRecord(index, 8, { id })));
    const { failed } = await collection.write([...operations, toUpsert(good)], signal);
    expect([...failed.keys()]).toEqual(bad);
    emulator.reset();
    expect(await collection.read(bad, { vectors: true }, signal)).toEqual([]);
    await collection.write(
      bad.map((id): WriteOperation => ({ kind: "delete", id })),
      signal,
    );
    expect(emulator.stats().requests).toBe(0);
    expect(await collection.read([good.id], { vectors: false }, signal)).toHaveLength(1);
  });

  it("reports by id the records that it cannot store, and stores the others", async () => {
    const { collection } = await created();
    const good = makeRecord(1, 8);
    const bad = [
      makeRecord(2, 8, { fields: { year: "soon" } }),
      makeRecord(3, 8, { fields: { unknown: 1 } }),
      makeRecord(4, 8, { page: Number.NaN }),
      makeRecord(5, 8, { fields: { tags: [1] } }),
      makeRecord(6, 8, { fields: { rating: null } }),
      makeRecord(7, 8, { vector: new Float32Array(8) }),
      makeRecord(7, 8, { vector: Float32Array.of(1, 2, 3, 4, Number.NaN, 6, 7, 8) }),
      makeRecord(7, 8, { vector: Float32Array.of(1, Infinity, 3, 4, -Infinity, 6, 7, 8) }),
      makeRecord(8, 8, { text: "é".repeat(20_500) }),
      makeRecord(9, 8, { metadata: { long: "x".repeat(100_000) } }),
    ];
    const { failed } = await collection.write([...bad, good].map(toUpsert), signal);
    expect([...failed.keys()]).toEqual(bad.map((record) => record.id));
    for (const [id, fault] of failed) {
      expect(fault).toMatchObject({ code: "sink.rejected", retry: "never", scope: "document" });
      expect(fault.message).toContain(id);
    }
    expect(failed.get(bad[8]!.id)?.message).toMatch(
      /text and metadata take 41\d{3} bytes, and Pinecone takes 40960\. Lower/,
    );
    expect(await collection.count(undefined, signal)).toBe(1);
  });

  it("keeps a record that is as large as it may be", async () => {
    const { collection } = await created();
    const record = makeRecord(1, 8);
    const { failed } = await collection.write(
      [40_960, 40_961].map((bytes, index) => {
        // All but the metadata weighs the same.
        const rest = bytes - metadataBytes({ ...record, text: "" });
        return toUpsert({ ...record, id: `${index}`, text: "x".repeat(rest) });
      }),
      signal,
    );
    expect([...failed.keys()]).toEqual(["1"]);
  });

  it("fills a request, and never beyond what the service takes", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 2_000 }), { minLength: 3 });
    const { collection, emulator } = await created({}, {}, 1_536);
    const law = fc.asyncProperty(texts, async (pool) => {
      const records: VectorRecord[] = [];
      let bytes = 0;
      for (let index = 0; index < collection.limits.operationsPerWrite; index += 1) {
        const text = pool[index % pool.length] ?? "";
        const record = makeRecord(index, 1_536, { text, metadata: { text } });
        bytes += collection.sizeOf(toUpsert(record));
        if (bytes > collection.limits.bytesPerWrite) break;
        records.push(record);
      }
      emulator.reset();
      const { failed } = await collection.write(records.map(toUpsert), signal);
      expect(failed.size).toBe(0);
      const { byOperation, bytes: sent } = emulator.stats();
      expect(byOperation).toEqual({ upsert: 1 });
      expect(sent).toBeGreaterThan(1_900_000);
      expect(sent).toBeLessThan(2_000_000);
    });
    await fc.assert(law, { numRuns: 2 });
  });

  it("refuses a write beyond its limits before anything of it is sent", async () => {
    const { collection, emulator } = await created();
    emulator.reset();
    const fat = makeRecords(60, 8, { text: "x".repeat(40_000) }).map(toUpsert);
    for (const operations of [fat, makeRecords(1_001, 8).map(toUpsert)]) {
      expect(await rejection(collection.write(operations, signal))).toMatchObject({
        code: "sink.too-large",
        retry: "smaller",
        ambiguous: false,
      });
    }
    expect(emulator.stats().requests).toBe(0);
  });

  it("succeeds in deleting from a namespace that nobody has written to", async () => {
    const { emulator } = await created();
    const sink = sinkAt(emulator, { namespace: "new" });
    const collection = await sink.open(signal);
    const { failed } = await collection.write([toDelete({ id: "a" })], signal);
    expect(failed.size).toBe(0);
    // Told in words that nobody knows.
    emulator.behave(({ operation }) =>
      operation === "delete" ? { kind: "status", status: 404 } : undefined,
    );
    expect((await collection.write([toDelete({ id: "a" })], signal)).failed.size).toBe(0);
    const { host } = await rawClient(emulator).indexes.describe("handbook");
    const blind = await sinkAt(emulator, { host }).open(signal);
    const refused = await rejection(blind.write([toDelete({ id: "a" })], signal));
    expect(refused).toMatchObject({ code: "sink.missing" });
  });

  it("makes one request for a write, and one more for its deletes", async () => {
    const { collection, emulator } = await created();
    const records = makeRecords(30, 8);
    emulator.reset();
    await collection.write(records.map(toUpsert), signal);
    await collection.write([...records.slice(0, 9).map(toDelete), toUpsert(records[9]!)], signal);
    expect(emulator.stats().byOperation).toEqual({ upsert: 2, delete: 1 });
  });
});

describe("the client", () => {
  it("would send a Float32Array as an object, and NaN as null", async () => {
    const { emulator } = await created({}, {}, 3);
    const client = rawClient(emulator);
    const { host } = await client.indexes.describe("handbook");
    const index = client.index({ host });
    const upsert = (values: unknown) =>
      index.upsert({ records: [{ id: "a", values: values as number[] }] });
    await expect(upsert(Float32Array.of(1, 2, 3))).rejects.toThrow('invalid value {"0":1');
    await expect(upsert([1, Number.NaN, 3])).rejects.toThrow("invalid value null");
  });

  it("would keep the first address of an index's name, and so is given it each time", async () => {
    const { emulator } = await created();
    const client = rawClient(emulator);
    const named = () => client.index({ name: "handbook" }).describeIndexStats();
    await named();
    // By somebody else: what this process makes, describes or deletes is known to its clients.
    const headers = {
      "api-key": apiKey,
      "x-pinecone-api-version": "2026-07",
      "content-type": "application/json",
    };
    const fields = { _values: { type: "dense_vector", dimension: 4, metric: "cosine" } };
    const body = JSON.stringify({ name: "handbook", schema: { fields } });
    await fetch(`${emulator.url}/indexes/handbook`, { method: "DELETE", headers });
    await fetch(`${emulator.url}/indexes`, { method: "POST", headers, body });
    await expect(named()).rejects.toMatchObject({ name: "PineconeConnectionError" });
    expect((await sinkAt(emulator).open(signal)).dimension).toBe(4);
  });

  it("would repeat a request after a status of 500, and does not", async () => {
    const { emulator, collection } = await created();
    const fast = new Pinecone({ apiKey, controllerHostUrl: emulator.url, maxRetries: 1 });
    emulator.behave({ kind: "status", status: 500 });
    emulator.reset();
    await expect(fast.indexes.list()).rejects.toMatchObject({
      name: "PineconeMaxRetriesExceededError",
    });
    expect(emulator.stats().requests).toBe(2);
    emulator.reset();
    await rejection(collection.count(undefined, signal));
    expect(emulator.stats().byOperation.stats).toBe(1);
  });

  it("would hide how long a rate limit is to be waited for", async () => {
    const { emulator } = await created();
    emulator.behave({ kind: "rate-limit", retryAfter: "7" });
    const error = await rejection(rawClient(emulator).indexes.list());
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/\b7\b/);
  });

  it("asks nothing any more once its sink is closed", async () => {
    const emulator = await emulate();
    const sink = sinkAt(emulator);
    await sink.close();
    expect(await rejection(sink.check(signal))).toMatchObject({ code: "aborted" });
    expect(emulator.stats().requests).toBe(0);
  });
});

describe("a vector", () => {
  it("comes back bit by bit, whatever its numbers are", async () => {
    const { collection } = await created({}, {}, 16);
    const numbers = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 15,
      maxLength: 15,
    });
    const law = fc.asyncProperty(fc.array(numbers, { minLength: 5, maxLength: 5 }), async (all) => {
      const records = all.map((some, index) => {
        const vector = Float32Array.from([1e30, ...some.map((value) => value / 100)]);
        return makeRecord(index, 16, { vector });
      });
      await collection.write(records.map(toUpsert), signal);
      const ids = records.map(({ id }) => id);
      const stored = await collection.read(ids, { vectors: true }, signal);
      const byId = new Map(stored.map(({ id, vector }) => [id, vector]));
      for (const { id, vector } of records) {
        // JSON has no negative zero.
        expect(byId.get(id)).toEqual(vector.map((value) => value + 0));
      }
    });
    await fc.assert(law, { numRuns: 20 });
  });
});
