import { expect, it } from "vitest";
import { makeRecords, specOf, upsertAll } from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { milvusServers } from "../../support/milvus-sink.ts";
import { useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();
const dimension = 8;

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    it.each([
      { index: "HNSW", index_params: { M: 8, efConstruction: 64 }, metric: "euclidean" },
      { index: "IVF_FLAT", index_params: { nlist: "16" }, consistency: "eventually" },
      { index: "IVF_PQ", index_params: { nlist: 16, m: 4, nbits: 8 } },
      { index: "SCANN", index_params: { nlist: 16 }, shards: 2 },
      { index: "DISKANN", metric: "dot", consistency: "strong" },
    ])("a new collection is usable with what can be asked for: %j", async (create) => {
      const { opened, sink } = await milvus.create({ create });
      const records = makeRecords(60, dimension);
      await upsertAll(opened, records, signal);
      const [first] = records;
      const hits = await opened.search({ vector: first!.vector, k: 60 }, signal);
      expect(hits[0]?.record.id).toBe(first!.id);
      expect(hits).toHaveLength(60);
      const metric = create.metric ?? "cosine";
      expect(await sink.describe(signal)).toMatchObject({ metric, records: 60, misfits: [] });
    });
  });
}

// Milvus Lite makes whatever it is asked for.
describeLive("milvus", ({ address }) => {
  const milvus = useMilvus(address);

  it.each([
    { index: "NOPE" },
    { index: "BIN_FLAT" },
    { index: "HNSW" },
    { index: "HNSW", index_params: { M: 5_000, efConstruction: 64 } },
    { index: "IVF_PQ", index_params: { nlist: 16, m: 3 } },
    { shards: 64 },
  ])("what the server cannot make is refused at once, by name: %j", async (create) => {
    await expect(milvus.create({ create })).rejects.toMatchObject({
      code: "sink.rejected",
      retry: "never",
      scope: "component",
      message: expect.stringContaining("Check `create`"),
    });
  });

  it("a dimension beyond what the server takes is refused with its reason", async () => {
    const sink = milvus.makeSink(milvus.newCollection());
    await expect(sink.create(specOf({ dimension: 32_769 }, sink), signal)).rejects.toMatchObject({
      code: "sink.rejected",
      message: expect.stringContaining("should be in range 1 ~ 32768"),
    });
    expect(await sink.describe(signal)).toBeUndefined();
  });

  it("a collection whose index could not be made is completed once `create` is corrected", async () => {
    const collection = milvus.newCollection();
    const wrong = milvus.makeSink(collection, { create: { index: "NOPE" } });
    await expect(wrong.create(specOf({}, wrong), signal)).rejects.toThrow("`create`");
    const sink = milvus.makeSink(collection);
    expect(await sink.describe(signal)).toMatchObject({ records: 0, misfits: [] });
    const opened = await sink.open(signal);
    await upsertAll(opened, makeRecords(3, dimension), signal);
    expect(await opened.count(undefined, signal)).toBe(3);
  });
});
