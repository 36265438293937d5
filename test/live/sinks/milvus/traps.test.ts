import { DataType, type FieldType, type RowData } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Collection, Sink } from "../../../../src/contracts/index.ts";
import {
  makeAngle,
  makeRecord,
  makeRecords,
  scanIds,
  specOf,
  toDelete,
  toUpsert,
  upsertAll,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import {
  dropCollection,
  makeMilvusSink,
  milvusServers,
  newName,
} from "../../support/milvus-sink.ts";
import { type MilvusUse, useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();
const dimension = 8;
const vector = [1, 0, 0, 0, 0, 0, 0, 0];

/** A collection as somebody else made it: a key, vectors, an integer in every row, and a dynamic field. */
const theirFields: FieldType[] = [
  { name: "id", data_type: DataType.VarChar, is_primary_key: true, max_length: 64 },
  { name: "year", data_type: DataType.Int64, is_partition_key: true },
  { name: "vector", data_type: DataType.FloatVector, dim: dimension },
];
const theirs = { fields: { year: "integer" } } as const;

/** What somebody else does, with the official client. */
function stranger({ client }: Pick<MilvusUse, "client">) {
  return {
    async make(collection_name: string): Promise<string> {
      const made = await client.createCollection({
        collection_name,
        enable_dynamic_field: true,
        fields: theirFields,
      });
      expect(made.code).toBe(0);
      return collection_name;
    },
    /** Makes the index, and loads. */
    async complete(collection_name: string): Promise<void> {
      const index = { index_type: "FLAT", metric_type: "COSINE", params: {} };
      await client.createIndex({ collection_name, field_name: "vector", ...index });
      expect((await client.loadCollectionSync({ collection_name })).code).toBe(0);
    },
    /** Gives the code of the answer. */
    async upsert(
      collection_name: string,
      ...rows: readonly RowData[]
    ): Promise<number | undefined> {
      const data = rows.map((row): RowData => ({ id: "theirs", year: 1, vector, ...row }));
      const { status } = await client.upsert({ collection_name, data, timeout: 10_000 });
      return status.code;
    },
  };
}

for (const name of milvusServers) {
  const isReal = name === "milvus";

  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    describe("what the server lets pass, or stores as it likes,", () => {
      const foreign = newName();
      const own = newName();
      let sink: Sink;
      let opened: Collection;

      beforeAll(async () => {
        const { make, complete } = stranger(milvus);
        await complete(await make(foreign));
        sink = makeMilvusSink(address, own);
        opened = await sink.create(specOf({}, sink), signal);
      });

      afterAll(async () => {
        await sink.close();
        for (const collection of [foreign, own]) await dropCollection(address, collection);
      });

      it("is no text beyond its bytes: Milvus Lite counts characters", async () => {
        const { upsert } = stranger(milvus);
        expect(await upsert(foreign, { id: "é".repeat(33) })).toBe(isReal ? 1_100 : 0);
        const [fits, long] = [32_767, 32_768].map((count) =>
          makeRecord(count, dimension, { text: "é".repeat(count) }),
        );
        const { failed } = await opened.write([fits!, long!].map(toUpsert), signal);
        expect([...failed.keys()]).toEqual([long!.id]);
        const [stored] = await opened.read([fits!.id, long!.id], { vectors: false }, signal);
        expect(stored?.text).toBe(fits!.text);
      });

      it("is no number that is none: both store NaN", async () => {
        const { upsert } = stranger(milvus);
        expect(await upsert(foreign, { vector: [Number.NaN, ...vector.slice(1)] })).toBe(0);
        const bad = [Number.NaN, Infinity].map((number) =>
          makeRecord(2, dimension, { vector: Float32Array.of(number, ...vector.slice(1)) }),
        );
        const records = [...bad, makeRecord(1, dimension)];
        const { failed } = await opened.write(records.map(toUpsert), signal);
        expect([...failed.keys()]).toEqual(bad.map(({ id }) => id));
        const ids = records.map(({ id }) => id);
        expect(await opened.read(ids, { vectors: false }, signal)).toHaveLength(1);
      });

      it("is no id given twice: Milvus keeps the first row, Milvus Lite the last", async () => {
        const rows = ["first", "last"].map((title) => ({ id: "twice", title }));
        expect(await stranger(milvus).upsert(foreign, ...rows)).toBe(0);
        const { data } = await milvus.client.query({
          collection_name: foreign,
          filter: 'id == "twice"',
          output_fields: ["title"],
          consistency_level: 0,
        });
        // The client leaves the dynamic field as an object of its own.
        const titles = data.map(({ $meta, ...row }) => Object.assign(row, $meta)["title"]);
        expect(titles).toEqual([isReal ? "first" : "last"]);

        const [record, other] = [makeRecord(1, dimension), makeRecord(2, dimension)];
        const last = { ...record, text: "The last." };
        const read = () => opened.read([record.id, other.id], { vectors: false }, signal);
        await opened.write([record, other, last].map(toUpsert), signal);
        const texts = (await read()).map(({ text }) => text);
        expect(texts.toSorted()).toEqual(["Text number 2.", "The last."]);
        await opened.write([toDelete(other), toUpsert(other), toDelete(other)], signal);
        expect(await read()).toHaveLength(1);
      });

      it("is no integer of 64 bits rounded: one that no number holds is left out", async () => {
        const largest = Number.MAX_SAFE_INTEGER;
        const rows = { large: "9007199254740993", safe: String(largest) };
        for (const [id, year] of Object.entries(rows)) {
          expect(await stranger(milvus).upsert(foreign, { id, year })).toBe(0);
        }
        const collection = await milvus.makeSink(foreign, {}, theirs).open(signal);
        const read = await collection.read(["large", "safe"], { vectors: false }, signal);
        const fields = Object.fromEntries(read.map((record) => [record.id, record.fields]));
        expect(fields).toEqual({ large: {}, safe: { year: largest } });
        const ours = makeRecord(1, dimension, { fields: { year: -largest } });
        const beyond = makeRecord(2, dimension, { fields: { year: largest + 1 } });
        const { failed } = await collection.write([ours, beyond].map(toUpsert), signal);
        expect([...failed.keys()]).toEqual([beyond.id]);
        const filter = [{ field: "year", operator: "=", value: -largest }] as const;
        expect(await collection.count(filter, signal)).toBe(1);
      });

      it("is no search for more than 16,384 records: Milvus Lite gives any number", async () => {
        await upsertAll(opened, makeRecords(20, dimension, { source: "searched" }), signal);
        const filter = [{ field: "source", operator: "=", value: "searched" }] as const;
        const search = (k: number) =>
          opened.search({ vector: makeAngle(1, dimension), k, filter }, signal);
        expect(await search(16_384)).toHaveLength(20);
        await expect(search(16_385)).rejects.toMatchObject({
          code: "config.invalid",
          message: "A search asks for 16385 records; Milvus gives 16384 at most.",
        });
      });
    });

    it("a record is found by its partition key, which Milvus 2.3 upserts to another partition", async () => {
      const create = { partition_key: "pipeline", partitions: 16 };
      const { collection, opened } = await milvus.create({ create });
      const pipelines = ["law", "a", "b", "c", "d", "e"];
      const records = pipelines.map((pipeline, index) =>
        makeRecord(index, dimension, { pipeline }),
      );
      await upsertAll(opened, records, signal);
      const counts = await Promise.all(
        pipelines.map(async (pipeline) => {
          const { data } = await milvus.client.query({
            collection_name: collection,
            filter: `pipeline == "${pipeline}"`,
            output_fields: ["count(*)"],
            consistency_level: 0,
          });
          return Number(data[0]?.["count(*)"]);
        }),
      );
      const all = pipelines.map(() => 1);
      if (isReal) expect(counts).not.toEqual(all);
      else expect(counts).toEqual(all);
      for (const [index, pipeline] of pipelines.entries()) {
        const filter = [{ field: "pipeline", operator: "=", value: pipeline }] as const;
        const { id } = records[index]!;
        expect(await opened.count(filter, signal)).toBe(1);
        expect(await scanIds(opened, pipeline, signal)).toEqual([id]);
        const hits = await opened.search({ vector: records[0]!.vector, k: 9, filter }, signal);
        expect(hits.map(({ record }) => record.id)).toEqual([id]);
      }
      const some = [{ field: "pipeline", operator: "in", value: ["a", "c", "x"] }] as const;
      expect(await opened.count(some, signal)).toBe(2);
      const others = [{ field: "pipeline", operator: "!=", value: ["a", "c"] }] as const;
      expect(await opened.count(others, signal)).toBe(4);
    });

    it("a collection of somebody else's does not fit before its vectors have an index", async () => {
      const collection = await stranger(milvus).make(milvus.newCollection());
      const sink = milvus.makeSink(collection, {}, theirs);
      const misfits = ["Its vectors have no index. Create one, and load it."];
      expect(await sink.describe(signal)).toMatchObject({ misfits });
      await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
      const answer = await milvus.client.describeIndex({ collection_name: collection });
      expect(answer.index_descriptions ?? []).toEqual([]);
    });

    it("a collection made anew with another dimension takes nothing more, and tells nothing", async () => {
      const { collection, opened } = await milvus.create();
      await upsertAll(opened, makeRecords(3, dimension), signal);
      await milvus.client.dropCollection({ collection_name: collection });
      const other = milvus.makeSink(collection);
      const anew = await other.create(specOf({ dimension: 4 }, other), signal);
      const record = makeRecord(1, dimension);
      for (const call of [
        () => opened.write([toUpsert(record)], signal),
        () => opened.search({ vector: record.vector, k: 1 }, signal),
        () => opened.read([record.id], { vectors: true }, signal),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: "sink.missing", ambiguous: false });
      }
      expect(await anew.count(undefined, signal)).toBe(0);
    });

    it("a collection that lost its index takes writes, and the next who opens it mends it", async () => {
      const { collection, opened, sink } = await milvus.create();
      const records = makeRecords(3, dimension);
      await upsertAll(opened, records.slice(0, 2), signal);
      await milvus.client.releaseCollection({ collection_name: collection });
      const index = { collection_name: collection, field_name: "vector" };
      expect((await milvus.client.dropIndex(index)).code).toBe(0);
      await upsertAll(opened, records.slice(2), signal);
      const search = () => opened.search({ vector: records[2]!.vector, k: 1 }, signal);
      // Milvus Lite needs no index.
      if (isReal) await expect(search()).rejects.toMatchObject({ code: "sink.not-ready" });
      await sink.open(signal);
      expect((await search())[0]?.record.id).toBe(records[2]!.id);
      expect(await opened.count(undefined, signal)).toBe(3);
    });

    it("an address that is to speak TLS, and does not, is told by what to do", async () => {
      const sink = milvus.makeSink(newName(), { tls: {}, timeout_ms: 5_000 });
      await expect(sink.describe(signal)).rejects.toMatchObject({
        code: "sink.unreachable",
        retry: "never",
        message: expect.stringContaining("Remove `tls`"),
      });
    });
  });
}

// Milvus Lite loads by itself what it is asked about, and has one port.
describeLive("milvus", ({ address, ports }) => {
  const milvus = useMilvus(address);

  it("a collection of somebody else's is not taken for empty as long as it is not loaded", async () => {
    const { make, complete, upsert } = stranger(milvus);
    const collection = await make(milvus.newCollection());
    await complete(collection);
    expect(await upsert(collection, { title: "theirs" })).toBe(0);
    await milvus.client.releaseCollection({ collection_name: collection });
    const sink = milvus.makeSink(collection, {}, theirs);
    await expect(sink.describe(signal)).rejects.toMatchObject({
      code: "sink.not-ready",
      retry: "never",
      message: expect.stringContaining("nobody can tell whether it holds records. Load it"),
    });
    await complete(collection);
    expect(await sink.describe(signal)).toMatchObject({ records: 1 });
  });

  it("the port of HTTP in place of the one of gRPC is told by what to do", async () => {
    const sink = makeMilvusSink(`127.0.0.1:${ports.metrics}`, newName(), { timeout_ms: 5_000 });
    for (const call of [() => sink.describe(signal), () => sink.create(specOf({}, sink), signal)]) {
      await expect(call()).rejects.toMatchObject({
        code: "sink.unreachable",
        retry: "never",
        message: expect.stringContaining("Check the port (19530 by default, not that of HTTP)"),
      });
    }
    await sink.close();
  });
});
