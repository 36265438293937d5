import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  makeRecord,
  makeRecords,
  toDelete,
  toUpsert,
  upsertAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import {
  create,
  dimension,
  signal,
  useClient,
  useSink,
} from "../../support/weaviate-collection.ts";
import type { WeaviatePorts } from "../../support/weaviate-sink.ts";

/** Writes vectors of these lengths as somebody else would; gives what the server says of each that it refuses. */
async function insert(
  ports: WeaviatePorts,
  collection: string,
  ...lengths: readonly number[]
): Promise<string[]> {
  const { data } = (await useClient(ports)).collections.use(collection);
  const objects = lengths.map((length) => ({
    id: randomUUID(),
    properties: { text: "Theirs." },
    vectors: { default: Array.from({ length }, (_, index) => index + 1) },
  }));
  const { errors } = await data.insertMany(objects);
  return Object.values(errors).map(({ message }) => message);
}

describeLive("weaviate", ({ ports }) => {
  describe.each([{ index: "hnsw" }, { index: "flat" }])("vectors in an index of %j", (wish) => {
    it("of any length are taken by an empty collection, which then has no place for ours", async () => {
      const sink = useSink(ports, { create: wish });
      const collection = await create(sink);
      expect(await insert(ports, sink.collection, 3)).toEqual([]);
      const records = makeRecords(3, dimension);
      await expect(collection.write(records.map(toUpsert), signal)).rejects.toMatchObject({
        code: "sink.dimension",
        scope: "component",
        message: expect.stringContaining("its vectors have another length than when it was opened"),
      });
      const ids = records.map(({ id }) => id);
      expect(await collection.read(ids, { vectors: false }, signal)).toEqual([]);
    });

    it("of another length are refused by the server too, once there are ours", async () => {
      const sink = useSink(ports, { create: wish });
      const collection = await create(sink);
      const records = makeRecords(3, dimension);
      await upsertAll(collection, records, signal);
      expect(await insert(ports, sink.collection, 3, dimension, 9)).toHaveLength(2);
      const wrong = makeRecord(9, 3);
      const operations = [...makeRecords(2, dimension), wrong].map(toUpsert);
      await expect(collection.write(operations, signal)).rejects.toMatchObject({
        code: "sink.dimension",
      });
      expect(await collection.count(undefined, signal)).toBe(4);
      expect((await sink.describe(signal))?.dimension).toBe(dimension);
    });

    it("that are not finite are refused by us, by id, where the server takes them", async () => {
      const collection = await create(useSink(ports, { create: wish }));
      const bad = [Number.NaN, -Infinity].map((number) =>
        makeRecord(1, dimension, { vector: new Float32Array(dimension).fill(number) }),
      );
      const good = makeRecord(2, dimension);
      const { failed } = await collection.write([...bad, good].map(toUpsert), signal);
      expect([...failed.keys()]).toEqual(bad.map(({ id }) => id));
      expect(await collection.count(undefined, signal)).toBe(1);
    });
  });

  it("an id given twice in one write is written once, as the last operation says", async () => {
    const collection = await create(useSink(ports));
    const [record, other] = [makeRecord(1, dimension), makeRecord(2, dimension)];
    const last = { ...record, text: "The last." };
    await collection.write([record, other, last].map(toUpsert), signal);
    await collection.write([toDelete(other), toUpsert(other), toDelete(other)], signal);
    expect(await collection.count(undefined, signal)).toBe(1);
    const [stored] = await collection.read([record.id, other.id], { vectors: false }, signal);
    expect(stored?.text).toBe("The last.");
  });

  it("ids are UUIDs of every version in small letters, as the server writes them, and nothing else", async () => {
    const collection = await create(useSink(ports));
    const versions = ["1", "4", "5", "7", "8"].map(
      (version) => `0199aaaa-0000-${version}000-8000-00000000000${version}`,
    );
    const ids = [...versions, "00000000-0000-0000-0000-000000000000"];
    const records = ids.map((id, index) => makeRecord(index, dimension, { id }));
    await upsertAll(collection, records, signal);
    const read = await collection.read(ids, { vectors: false }, signal);
    expect(read.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const [first = ""] = versions;
    const odd = ["page-1", "", first.toUpperCase(), first.replaceAll("-", ""), `{${first}}`];
    const operations = odd.map((id, index) => toUpsert(makeRecord(index, dimension, { id })));
    const { failed } = await collection.write(operations, signal);
    expect([...failed.keys()]).toEqual(odd);
    await collection.write(
      odd.map((id) => toDelete({ id })),
      signal,
    );
    expect(await collection.read(odd, { vectors: false }, signal)).toEqual([]);
    expect(await collection.count(undefined, signal)).toBe(ids.length);
  });
});
