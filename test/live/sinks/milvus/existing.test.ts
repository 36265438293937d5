import { DataType, type FieldType } from "@zilliz/milvus2-sdk-node";
import { describe, expect, it } from "vitest";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  specOf,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { describeLive } from "../../support/live-servers.ts";
import { milvusServers } from "../../support/milvus-sink.ts";
import { useMilvus } from "../../support/use-milvus.ts";

const { signal } = new AbortController();
const mapped = { fields: { id: "pk", vector: "embedding", text: "body" }, omit: ["uri"] };

type Changes = Readonly<Record<string, FieldType | undefined>>;

/** A collection as another program made it, with names of its own, and a dynamic field. */
function foreignFields(changes: Changes = {}): FieldType[] {
  const fields: Readonly<Record<string, FieldType | undefined>> = {
    pk: { name: "pk", data_type: DataType.VarChar, is_primary_key: true, max_length: 40 },
    embedding: { name: "embedding", data_type: DataType.FloatVector, dim: 8 },
    body: { name: "body", data_type: DataType.VarChar, max_length: 2_000 },
    ...changes,
  };
  return Object.values(fields).filter((field) => field !== undefined);
}

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    const milvus = useMilvus(address);

    /** A collection that somebody else made, with an index, loaded. */
    async function makeForeign(fields = foreignFields(), metric = "COSINE"): Promise<string> {
      const collection = milvus.newCollection();
      await milvus.client.createCollection({
        collection_name: collection,
        enable_dynamic_field: true,
        fields,
      });
      await milvus.client.createIndex({
        collection_name: collection,
        field_name: "embedding",
        index_type: "HNSW",
        metric_type: metric,
        params: { M: 16, efConstruction: 100 },
      });
      const loaded = await milvus.client.loadCollectionSync({ collection_name: collection });
      expect(loaded.code).toBe(0);
      return collection;
    }

    async function rowsOf(collection: string): Promise<Record<string, unknown>[]> {
      const { data } = await milvus.client.query({
        collection_name: collection,
        filter: 'pk >= ""',
        output_fields: ["pk", "body", "title", "year", "color"],
        consistency_level: 0,
        limit: 100,
      });
      // The client leaves the dynamic field as an object of its own.
      return data.map(({ $meta, ...row }) => Object.assign(row, $meta));
    }

    describe("a collection that somebody else made", () => {
      it("is used through `fields` and `omit`, and read by others as they expect", async () => {
        const collection = await makeForeign();
        const sink = milvus.makeSink(collection, mapped);
        expect(await sink.describe(signal)).toEqual({
          dimension: 8,
          metric: "cosine",
          elementType: "float32",
          records: 0,
          misfits: [],
        });
        const opened = await sink.open(signal);
        const record = makeRecord(1, 8, { page: 3, title: "T", fields: { year: 2024 } });
        await opened.write([toUpsert(record)], signal);
        const [row] = await rowsOf(collection);
        expect(row).toMatchObject({ pk: record.id, body: record.text, title: "T", year: 2024 });
        const [stored] = await opened.read([record.id], { vectors: true }, signal);
        expect(stored).toMatchObject({ id: record.id, page: 3, headings: record.headings });
        expect(stored?.vector).toEqual(record.vector);
        const hits = await opened.search({ vector: record.vector, k: 3 }, signal);
        expect(hits.map((hit) => hit.record.id)).toEqual([record.id]);
        await opened.write([toDelete(record)], signal);
        expect(await opened.count(undefined, signal)).toBe(0);
      });

      it("keeps rows of its own, which are counted and never scanned", async () => {
        const collection = await makeForeign();
        const own = { pk: "own", embedding: [1, 0, 0, 0, 0, 0, 0, 0], body: "b", color: "red" };
        await milvus.client.upsert({ collection_name: collection, data: [own], timeout: 10_000 });
        const sink = milvus.makeSink(collection, mapped);
        expect(await sink.describe(signal)).toMatchObject({ records: 1 });
        const opened = await sink.open(signal);
        const records = makeRecords(3, 8);
        await opened.write(records.map(toUpsert), signal);
        expect(await opened.count(undefined, signal)).toBe(4);
        const pages: string[] = [];
        for await (const page of opened.scan({ pipeline: "law" }, signal)) {
          pages.push(...page.map(({ id }) => id));
        }
        expect(pages.toSorted()).toEqual(records.map(({ id }) => id).toSorted());
        expect(await rowsOf(collection)).toContainEqual(expect.objectContaining({ color: "red" }));
      });

      it.each<[string, Changes, string]>([
        [
          "has numbers for keys",
          { pk: { name: "pk", data_type: DataType.Int64, is_primary_key: true } },
          "The field `pk` holds Int64, expected VarChar (ids are UUIDs).",
        ],
        [
          "makes its own keys",
          { pk: { name: "pk", data_type: DataType.Int64, is_primary_key: true, autoID: true } },
          "The primary key `pk` is made by the server (auto-id)",
        ],
        [
          "has short keys",
          {
            pk: { name: "pk", data_type: DataType.VarChar, is_primary_key: true, max_length: 20 },
          },
          "The field `pk` takes 20 bytes, `id` has 36.",
        ],
        [
          "needs a value that no record has",
          { owner: { name: "owner", data_type: DataType.VarChar, max_length: 20 } },
          "The field `owner` needs a value, and no record has one.",
        ],
        [
          "keeps a declared field in a smaller type",
          { year: { name: "year", data_type: DataType.Int32 } },
          "The field `year` holds Int32, expected Int64.",
        ],
      ])("is described by what does not fit when it %s", async (_, changes, misfit) => {
        const collection = await makeForeign(foreignFields(changes));
        const sink = milvus.makeSink(collection, mapped);
        const { misfits = [] } = (await sink.describe(signal)) ?? {};
        expect(misfits.join(" ")).toContain(misfit);
        await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
      });

      it("fails records that are too long for it by their id, counted in bytes", async () => {
        const opened = await milvus.makeSink(await makeForeign(), mapped).open(signal);
        const [good, long] = [
          makeRecord(1, 8, { text: "é".repeat(1_000) }),
          makeRecord(2, 8, { text: "é".repeat(1_001) }),
        ];
        const { failed } = await opened.write([good, long].map(toUpsert), signal);
        expect([...failed.keys()]).toEqual([long.id]);
        expect(await opened.count(undefined, signal)).toBe(1);
      });

      it.each([
        ["IP", "dot", 1],
        ["L2", "euclidean", 0],
      ] as const)(
        "is compared by the metric of its index: %s",
        async (metricType, metric, best) => {
          const sink = milvus.makeSink(await makeForeign(foreignFields(), metricType), mapped);
          expect(await sink.describe(signal)).toMatchObject({ metric });
          const opened = await sink.open(signal);
          const records = makeRecords(50, 8);
          await opened.write(records.map(toUpsert), signal);
          const hits = await opened.search({ vector: records[7]!.vector, k: 5 }, signal);
          expect(hits[0]?.record.id).toBe(records[7]!.id);
          expect(hits[0]?.score).toBeCloseTo(best, 3);
          const scores = hits.map(({ score }) => score);
          expect(scores).toEqual(scores.toSorted((left, right) => right - left));
        },
      );
    });

    describe("a collection that sluice made", () => {
      it("is refused to a second who would make it at the same moment", async () => {
        const collection = milvus.newCollection();
        const sinks = [milvus.makeSink(collection), milvus.makeSink(collection)];
        const made = await Promise.allSettled(
          sinks.map((sink) => sink.create(specOf({}, sink), signal)),
        );
        const failed = made.filter(({ status }) => status === "rejected");
        expect(failed).toHaveLength(1);
        expect(failed[0]).toMatchObject({ reason: { name: "Fault" } });
      });

      it("is not written when it was dropped and made anew, equal in everything", async () => {
        const { collection, sink, opened } = await milvus.create();
        await opened.write([toUpsert(makeRecord(1, 8))], signal);
        await milvus.client.dropCollection({ collection_name: collection });
        const record = makeRecord(2, 8);
        const gone = { code: "sink.missing", scope: "component", ambiguous: false };
        await expect(opened.write([toUpsert(record)], signal)).rejects.toMatchObject(gone);
        await expect(opened.count(undefined, signal)).rejects.toMatchObject(gone);
        const other = milvus.makeSink(collection);
        const anew = await other.create(specOf({}, other), signal);
        await expect(opened.write([toUpsert(record)], signal)).rejects.toMatchObject(gone);
        await expect(opened.setMarker(makeMarker(8), signal)).rejects.toMatchObject(gone);
        expect(await anew.count(undefined, signal)).toBe(0);
        await (await sink.open(signal)).write([toUpsert(record)], signal);
        expect(await anew.count(undefined, signal)).toBe(1);
      });

      it("is loaded again by the next who opens it, when somebody released it", async () => {
        const { collection, sink, opened } = await milvus.create();
        const record = makeRecord(1, 8);
        await opened.write([toUpsert(record)], signal);
        await opened.setMarker(makeMarker(8), signal);
        const released = await milvus.client.releaseCollection({ collection_name: collection });
        expect(released.code).toBe(0);
        // Milvus Lite loads by itself what is asked for.
        if (name === "milvus") {
          await expect
            .poll(() => opened.count(undefined, signal).catch((error: unknown) => error))
            .toMatchObject({ code: "sink.not-ready" });
        }
        const { marker } = (await sink.describe(signal)) ?? {};
        expect(marker).toBeDefined();
        const again = await sink.open(signal);
        expect(await again.count(undefined, signal)).toBe(1);
        expect(await opened.count(undefined, signal)).toBe(1);
      });

      it("keeps a record once whose partition key has changed", async () => {
        const partitions = { create: { partition_key: "source", partitions: 4 } };
        const { opened } = await milvus.create(partitions);
        const record = makeRecord(1, 8, { source: "a" });
        for (const source of ["a", "b", "c", "d", "e"]) {
          await opened.write([toUpsert({ ...record, source, text: source })], signal);
        }
        expect(await opened.count(undefined, signal)).toBe(1);
        const [stored] = await opened.read([record.id], { vectors: false }, signal);
        expect(stored).toMatchObject({ source: "e", text: "e" });
        await opened.write([toDelete(record)], signal);
        expect(await opened.count(undefined, signal)).toBe(0);
      });

      it("takes fields that were declared later", async () => {
        const early = { fields: { year: "integer" } } as const;
        const { collection } = await milvus.create({}, early);
        const later = milvus.makeSink(
          collection,
          {},
          { fields: { ...early.fields, color: "string" } },
        );
        expect((await later.describe(signal))?.misfits).toEqual([]);
        const opened = await later.open(signal);
        const red = makeRecord(1, 8, { fields: { year: 1, color: "red" } });
        await opened.write([red, makeRecord(2, 8)].map(toUpsert), signal);
        const filter = [{ field: "color", operator: "!=", value: "blue" }] as const;
        expect(await opened.count(filter, signal)).toBe(1);
        const [stored] = await opened.read([red.id], { vectors: false }, signal);
        expect(stored?.fields).toEqual({ year: 1, color: "red" });
      });
    });
  });
}
