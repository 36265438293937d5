import { DataType, type FieldType, type MilvusClient } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Collection, CollectionMarker, Sink } from "../../../../src/contracts/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  specOf,
  toDelete,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { retry, systemClock } from "../../../../src/flow/index.ts";
import { describeLive } from "../../support/live-servers.ts";
import { connectMilvus } from "../../support/milvus-client.ts";
import { makeMilvusSink, milvusServers, newName } from "../../support/milvus-sink.ts";

const { signal } = new AbortController();
const policy = { attempts: 5, baseMs: 50, maxMs: 500, totalMs: 10_000 };
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

/** A marker as large as three probes of 4,096 numbers make it. */
function largeMarker(): CollectionMarker {
  const probe = Buffer.alloc(3 * 4_096 * 4, 7).toString("base64");
  return makeMarker(8, { probe });
}

for (const name of milvusServers) {
  describeLive(name, ({ address }) => {
    let client: MilvusClient;

    beforeAll(async () => {
      client = await connectMilvus(address);
    });

    afterAll(async () => {
      await client.closeConnection();
    });

    function makeSink(
      collection: string,
      ...options: readonly [config?: object, context?: object]
    ): Sink {
      const [config, context] = options;
      const sink = makeMilvusSink(address, collection, { ...config }, { ...context });
      onTestFinished(() => sink.close());
      return sink;
    }

    function newCollection(): string {
      const collection = newName();
      onTestFinished(async () => {
        await client.dropCollection({ collection_name: collection });
      });
      return collection;
    }

    /** A collection that sluice made. */
    async function create(config = {}, context = {}) {
      const collection = newCollection();
      const sink = makeSink(collection, config, context);
      return { collection, sink, opened: await sink.create(specOf({}, sink), signal) };
    }

    /** A collection that somebody else made, with an index, loaded. */
    async function makeForeign(fields = foreignFields(), metric = "COSINE"): Promise<string> {
      const collection = newCollection();
      await client.createCollection({
        collection_name: collection,
        enable_dynamic_field: true,
        fields,
      });
      await client.createIndex({
        collection_name: collection,
        field_name: "embedding",
        index_type: "HNSW",
        metric_type: metric,
        params: { M: 16, efConstruction: 100 },
      });
      const loaded = await client.loadCollectionSync({ collection_name: collection });
      expect(loaded.code).toBe(0);
      return collection;
    }

    async function rowsOf(collection: string): Promise<Record<string, unknown>[]> {
      const { data } = await client.query({
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
        const sink = makeSink(collection, mapped);
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
        await client.upsert({ collection_name: collection, data: [own], timeout: 10_000 });
        const sink = makeSink(collection, mapped);
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
        const sink = makeSink(collection, mapped);
        const { misfits = [] } = (await sink.describe(signal)) ?? {};
        expect(misfits.join(" ")).toContain(misfit);
        await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
      });

      it("fails records that are too long for it by their id, counted in bytes", async () => {
        const opened = await makeSink(await makeForeign(), mapped).open(signal);
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
          const sink = makeSink(await makeForeign(foreignFields(), metricType), mapped);
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
        const collection = newCollection();
        const sinks = [makeSink(collection), makeSink(collection)];
        const made = await Promise.allSettled(
          sinks.map((sink) => sink.create(specOf({}, sink), signal)),
        );
        const failed = made.filter(({ status }) => status === "rejected");
        expect(failed).toHaveLength(1);
        expect(failed[0]).toMatchObject({ reason: { name: "Fault" } });
      });

      it("is not written when it was dropped and made anew, equal in everything", async () => {
        const { collection, sink, opened } = await create();
        await opened.write([toUpsert(makeRecord(1, 8))], signal);
        await client.dropCollection({ collection_name: collection });
        const record = makeRecord(2, 8);
        const gone = { code: "sink.missing", scope: "component", ambiguous: false };
        await expect(opened.write([toUpsert(record)], signal)).rejects.toMatchObject(gone);
        await expect(opened.count(undefined, signal)).rejects.toMatchObject(gone);
        const other = makeSink(collection);
        const anew = await other.create(specOf({}, other), signal);
        await expect(opened.write([toUpsert(record)], signal)).rejects.toMatchObject(gone);
        await expect(opened.setMarker(makeMarker(8), signal)).rejects.toMatchObject(gone);
        expect(await anew.count(undefined, signal)).toBe(0);
        await (await sink.open(signal)).write([toUpsert(record)], signal);
        expect(await anew.count(undefined, signal)).toBe(1);
      });

      it("is loaded again by the next who opens it, when somebody released it", async () => {
        const { collection, sink, opened } = await create();
        const record = makeRecord(1, 8);
        await opened.write([toUpsert(record)], signal);
        await opened.setMarker(makeMarker(8), signal);
        const released = await client.releaseCollection({ collection_name: collection });
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
        const { opened } = await create(partitions);
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
        const early = { fields: { year: "integer" } };
        const { collection } = await create({}, early);
        const later = makeSink(collection, {}, { fields: { ...early.fields, color: "string" } });
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

    describe("the marker", () => {
      it("of 65 KB is kept, is no record, and goes with its collection", async () => {
        const { collection, sink, opened } = await create();
        const marker = largeMarker();
        expect(JSON.stringify(marker).length).toBeGreaterThan(65_535);
        await opened.setMarker(marker, signal);
        await opened.write([toUpsert(makeRecord(1, 8))], signal);
        expect((await sink.describe(signal))?.marker).toEqual(marker);
        const vector = makeRecord(2, 8).vector;
        expect(await opened.search({ vector, k: 10 }, signal)).toHaveLength(1);
        await client.dropCollection({ collection_name: collection });
        const anew = makeSink(collection);
        await anew.create(specOf({}, anew), signal);
        expect((await anew.describe(signal))?.marker).toBeUndefined();
      });

      it("keeps what two pipelines mark at one moment", async () => {
        const { collection, opened } = await create();
        const marker = makeMarker(8, { pipelines: {} });
        await opened.setMarker(marker, signal);
        const pipelines = ["one", "two"];
        const marking = pipelines.map(async (pipeline): Promise<void> => {
          const sink = makeSink(collection, {}, { pipeline });
          const seen = (await sink.describe(signal))?.marker ?? marker;
          const own: Collection = await sink.open(signal);
          const marked = { ...seen.pipelines, [pipeline]: { stateId: pipeline, runSeq: 1 } };
          const set = (): Promise<void> => own.setMarker({ ...seen, pipelines: marked }, signal);
          // One of two may be refused at the same moment; the engine tries again.
          await retry(
            set,
            { policy, clock: systemClock, random: () => 1, ambiguous: true },
            signal,
          );
        });
        await Promise.all(marking);
        const watcher = makeSink(collection);
        const { pipelines: kept = {} } = (await watcher.describe(signal))?.marker ?? {};
        expect(Object.keys(kept).toSorted()).toEqual(pipelines);
      });
    });

    describe("an alias", () => {
      it("may stand for the collection, and is refused when it moves to another", async () => {
        const { collection, sink, opened } = await create();
        const { collection: other } = await create();
        const alias = newName();
        onTestFinished(async () => sink.aliases?.remove(alias, signal));
        await sink.aliases?.point(alias, collection, signal);
        const named = makeSink(alias);
        const through = await named.open(signal);
        await through.setMarker(makeMarker(8), signal);
        await through.write([toUpsert(makeRecord(1, 8))], signal);
        expect(await opened.count(undefined, signal)).toBe(1);
        expect(await sink.describe(signal)).toMatchObject({ records: 1 });
        await sink.aliases?.point(alias, other, signal);
        await expect(through.write([toUpsert(makeRecord(2, 8))], signal)).rejects.toMatchObject({
          code: "sink.missing",
        });
        expect(await named.describe(signal)).toMatchObject({ records: 0 });
      });

      it("is listed, moved and removed, also when it is not there", async () => {
        const { collection, sink } = await create();
        const { collection: other } = await create();
        const alias = newName();
        const aliases = sink.aliases!;
        await aliases.remove(alias, signal);
        await aliases.point(alias, collection, signal);
        expect((await aliases.list(signal)).get(alias)).toBe(collection);
        await aliases.point(alias, collection, signal);
        await aliases.point(alias, other, signal);
        expect((await aliases.list(signal)).get(alias)).toBe(other);
        await expect(aliases.point(alias, newName(), signal)).rejects.toMatchObject({
          code: "sink.missing",
          message: expect.stringContaining(`The alias \`${alias}\` cannot be set`),
        });
        expect((await aliases.list(signal)).get(alias)).toBe(other);
        await expect(aliases.point(collection, other, signal)).rejects.toMatchObject({
          code: "sink.rejected",
          message: expect.stringContaining("the name is taken"),
        });
        await aliases.remove(alias, signal);
        expect((await aliases.list(signal)).has(alias)).toBe(false);
      });
    });

    describe("a database", () => {
      it("holds collections apart from those of the same name in another", async () => {
        const database = newName();
        const { collection, opened } = await create();
        await client.createDatabase({ db_name: database });
        const inside = makeSink(collection, { database });
        expect(await inside.describe(signal)).toBeUndefined();
        const apart = await inside.create(specOf({}, inside), signal);
        await apart.write([toUpsert(makeRecord(1, 8))], signal);
        expect(await opened.count(undefined, signal)).toBe(0);
        expect(await apart.count(undefined, signal)).toBe(1);
        await client.dropCollection({ collection_name: collection, db_name: database });
        await client.dropDatabase({ db_name: database });
      });

      it("that does not exist is told by name, before anything is made", async () => {
        const sink = makeSink(newName(), { database: "nobody" });
        for (const call of [
          () => sink.describe(signal),
          () => sink.check(signal),
          () => sink.create(specOf({}, sink), signal),
        ]) {
          await expect(call()).rejects.toMatchObject({
            code: "sink.missing",
            retry: "never",
            message: expect.stringMatching(/database.*correct `database`/s),
          });
        }
      });
    });
  });
}
