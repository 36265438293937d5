import { mkdir, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type * as Arrow from "apache-arrow";
import { describe, expect, it } from "vitest";
import type { FieldType } from "../../../../src/contracts/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  specOf,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { arrow, makeSink, rawDatabase } from "./harness.ts";
import { openFolder, signal, sinkIn } from "./places.ts";

const text = (): Arrow.Utf8 => new arrow.Utf8();
const list = (): Arrow.List => new arrow.List(new arrow.Field("item", text(), true));
const floats = (size: number, item: Arrow.DataType = new arrow.Float32()): Arrow.FixedSizeList =>
  new arrow.FixedSizeList(size, new arrow.Field("item", item, true));

/** A table as another program made it, with our columns under other names, and one of its own. */
function foreignColumns(changes: Record<string, Arrow.DataType | undefined> = {}): Arrow.Field[] {
  const types: Record<string, Arrow.DataType | undefined> = {
    chunk_id: text(),
    Embedding: floats(8),
    body: text(),
    document: text(),
    source: text(),
    title: text(),
    headings: list(),
    page: new arrow.Int32(),
    metadata: text(),
    pipeline: text(),
    fingerprint: text(),
    revision: text(),
    rank: new arrow.Float64(),
    ...changes,
  };
  return Object.entries(types).flatMap(([name, type]) =>
    type === undefined ? [] : [new arrow.Field(name, type, name !== "chunk_id")],
  );
}

async function makeForeign(folder: string, fields: readonly Arrow.Field[]) {
  const database = await rawDatabase(join(folder, "index"));
  return database.createEmptyTable("handbook", new arrow.Schema([...fields]));
}

const mapped = { fields: { id: "chunk_id", vector: "Embedding", text: "body" }, omit: ["uri"] };
const noFields: Readonly<Record<string, FieldType>> = {};

describe("a lancedb table that somebody else made", () => {
  it("is used through `fields` and `omit`, and keeps its own columns", async () => {
    const folder = await openFolder();
    const table = await makeForeign(folder, foreignColumns());
    const sink = sinkIn(folder, mapped, { fields: noFields });
    expect(await sink.describe(signal)).toEqual({
      dimension: 8,
      elementType: "float32",
      records: 0,
      misfits: [],
    });
    const collection = await sink.open(signal);
    const record = makeRecord(1, 8, { page: 3 });
    await collection.write([toUpsert(record)], signal);
    await table.update({ where: `chunk_id = '${record.id}'`, values: { rank: 7 } });
    await collection.write([toUpsert({ ...record, text: "New.", title: "T" })], signal);
    const rows = await table.query().toArray();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      chunk_id: record.id,
      body: "New.",
      title: "T",
      page: 3,
      rank: 7,
    });
    const [stored] = await collection.read([record.id], { vectors: true }, signal);
    expect(stored).toMatchObject({
      id: record.id,
      text: "New.",
      page: 3,
      headings: record.headings,
    });
    expect(stored?.vector).toEqual(record.vector);
    expect(await collection.search({ vector: record.vector, k: 1 }, signal)).toHaveLength(1);
    await collection.write([{ kind: "delete", id: record.id }], signal);
    expect(await table.countRows()).toBe(0);
  });

  it.each<[string, Arrow.Field[], string]>([
    ["lacks a column", foreignColumns({ body: undefined }), "No column `body` for `text`."],
    ["lacks a column that may go", foreignColumns({ title: undefined }), "with `fields` or `omit`"],
    [
      "has text as numbers",
      foreignColumns({ body: new arrow.Int32() }),
      "`body` holds Int32, expected Utf8",
    ],
    ["has wide text", foreignColumns({ body: new arrow.LargeUtf8() }), "`body` holds LargeUtf8"],
    [
      "has no vector column",
      foreignColumns({ Embedding: undefined }),
      "The table has no vector column.",
    ],
    [
      "has its vectors elsewhere",
      foreignColumns({ Embedding: undefined, v: floats(4) }),
      "There is `v` (FixedSizeList[4]<Float32>)",
    ],
    [
      "has a list of any length for vectors",
      foreignColumns({
        Embedding: new arrow.List(new arrow.Field("item", new arrow.Float32(), true)),
      }),
      "expected a fixed-size list",
    ],
    [
      "needs a value that no record has",
      [...foreignColumns(), new arrow.Field("owner", text(), false)],
      "`owner` needs a value",
    ],
    [
      "wants a title for every record",
      [...foreignColumns({ title: undefined }), new arrow.Field("title", text(), false)],
      "`title` must not be null",
    ],
  ])("is described by what does not fit when it %s", async (_, fields, misfit) => {
    const folder = await openFolder();
    await makeForeign(folder, fields);
    const sink = sinkIn(folder, mapped, { fields: noFields });
    const { misfits = [] } = (await sink.describe(signal)) ?? {};
    expect(misfits.join(" ")).toContain(misfit);
    await expect(sink.open(signal)).rejects.toMatchObject({
      code: "sink.foreign",
      message: expect.stringContaining(misfit),
    });
  });

  it("refuses a declared field of another type than its column", async () => {
    const folder = await openFolder();
    const before = sinkIn(folder, {}, { fields: { date: "string" } });
    await before.create({ ...specOf({}, before), fields: { date: "string" } }, signal);
    const { misfits } =
      (await sinkIn(folder, {}, { fields: { date: "timestamp" } }).describe(signal)) ?? {};
    expect(misfits).toEqual([
      "The column `date` holds Utf8, expected a timestamp in milliseconds or microseconds.",
    ]);
  });

  it.each([
    ["int8", floats(8, new arrow.Int8())],
    ["binary", floats(8, new arrow.Uint8())],
    ["multivector", new arrow.List(new arrow.Field("item", floats(8), true))],
  ] as const)("tells that it holds %s vectors, and is not opened", async (elementType, type) => {
    const folder = await openFolder();
    await makeForeign(folder, foreignColumns({ Embedding: type }));
    const sink = sinkIn(folder, mapped, { fields: noFields });
    expect(await sink.describe(signal)).toMatchObject({ elementType, dimension: 8 });
    await expect(sink.open(signal)).rejects.toMatchObject({ code: "sink.foreign" });
  });

  it("gets float16 vectors where it has them, rounded to the nearest", async () => {
    const folder = await openFolder();
    await makeForeign(folder, foreignColumns({ Embedding: floats(8, new arrow.Float16()) }));
    const sink = sinkIn(folder, mapped, { fields: noFields });
    expect(await sink.describe(signal)).toMatchObject({ elementType: "float16", dimension: 8 });
    const collection = await sink.open(signal);
    const records = makeRecords(3, 8);
    await collection.write(records.map(toUpsert), signal);
    for (const record of records) {
      const [stored] = await collection.read([record.id], { vectors: true }, signal);
      for (const [index, value] of record.vector.entries()) {
        expect(Math.abs((stored?.vector?.[index] ?? NaN) - value)).toBeLessThanOrEqual(2 ** -12);
      }
    }
    const [first] = records;
    const hits = await collection.search(
      { vector: first?.vector ?? new Float32Array(8), k: 1 },
      signal,
    );
    expect(hits[0]?.record.id).toBe(first?.id);
  });

  it.each([
    ["l2", "euclidean"],
    ["dot", "dot"],
  ] as const)("is compared by the metric of its index: %s", async (distanceType, metric) => {
    const folder = await openFolder();
    const table = await makeForeign(folder, foreignColumns());
    const sink = sinkIn(folder, mapped, { fields: noFields });
    await (await sink.open(signal)).write(makeRecords(300, 8).map(toUpsert), signal);
    const { Index } = await import("@lancedb/lancedb");
    await table.createIndex("Embedding", {
      config: Index.ivfFlat({ distanceType, numPartitions: 1 }),
    });
    expect((await sink.describe(signal))?.metric).toBe(metric);
    const record = makeRecord(7, 8);
    const collection = await sink.open(signal);
    const hits = await collection.search({ vector: record.vector, k: 1 }, signal);
    expect(hits[0]?.record.document).toBe("docs:page-7.md");
    expect(hits[0]?.score).toBeCloseTo(metric === "dot" ? 1 : 0, 3);
  });
});

describe("a place that is no lancedb table", () => {
  it("is refused by name when `uri` is a file", async () => {
    const folder = await openFolder();
    await writeFile(join(folder, "index"), "text");
    const sink = sinkIn(folder);
    for (const call of [
      () => sink.describe(signal),
      () => sink.check(signal),
      () => sink.open(signal),
      () => sink.create(specOf({}, sink), signal),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: "sink.foreign",
        message: expect.stringContaining("index is a file, expected a folder"),
      });
    }
    await expect(sinkIn(folder, { uri: "index/deeper" }).describe(signal)).rejects.toMatchObject({
      code: "sink.foreign",
    });
  });

  it("is refused when `uri` is a table instead of the folder above", async () => {
    const folder = await openFolder();
    const sink = sinkIn(folder);
    await sink.create(specOf({}, sink), signal);
    const inside = sinkIn(folder, { uri: "index/handbook.lance" });
    await expect(inside.describe(signal)).rejects.toMatchObject({
      code: "sink.foreign",
      message: expect.stringContaining("Set `uri` to the folder above"),
    });
  });

  it("is refused and left alone when the table's folder holds something else", async () => {
    const folder = await openFolder();
    const table = join(folder, "index", "handbook.lance");
    await mkdir(table, { recursive: true });
    await writeFile(join(table, "holiday.jpg"), "a picture");
    const sink = sinkIn(folder);
    await expect(sink.describe(signal)).rejects.toMatchObject({ code: "sink.foreign" });
    await expect(sink.create(specOf({}, sink), signal)).rejects.toMatchObject({
      code: "sink.foreign",
    });
    expect(await readdir(table)).toEqual(["holiday.jpg"]);
  });

  it("counts as absent when a creation was killed before the first manifest", async () => {
    const folder = await openFolder();
    const table = join(folder, "index", "handbook.lance");
    await mkdir(join(table, "_transactions"), { recursive: true });
    await writeFile(join(table, "_transactions", "0-x.txn"), "");
    const sink = sinkIn(folder);
    expect(await sink.describe(signal)).toBeUndefined();
    const collection = await sink.create(specOf({}, sink), signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect((await sink.describe(signal))?.records).toBe(1);
  });

  it("leaves other things in the database's folder alone", async () => {
    const folder = await openFolder();
    await mkdir(join(folder, "index"));
    await writeFile(join(folder, "index", "notes.txt"), "mine");
    const sink = sinkIn(folder);
    expect(await sink.describe(signal)).toBeUndefined();
    await sink.create(specOf({}, sink), signal);
    expect((await readdir(join(folder, "index"))).toSorted()).toEqual([
      "handbook.lance",
      "notes.txt",
    ]);
  });
});

async function damaged(part: string, damage: (path: string) => Promise<void>) {
  const folder = await openFolder();
  const sink = sinkIn(folder);
  const collection = await sink.create(specOf({}, sink), signal);
  await collection.setMarker(makeMarker(8), signal);
  await collection.write(makeRecords(5, 8).map(toUpsert), signal);
  await sink.close();
  const place = join(folder, "index", "handbook.lance", part);
  for (const file of await readdir(place)) await damage(join(place, file));
  return sinkIn(folder);
}
const half = async (path: string): Promise<void> => truncate(path, (await stat(path)).size >> 1);
const empty = (path: string): Promise<void> => truncate(path, 0);
const garbage = async (path: string): Promise<void> =>
  writeFile(path, Buffer.alloc((await stat(path)).size, 0x41));

describe("a damaged lancedb table", () => {
  it.each([
    ["cut in half", half],
    ["empty", empty],
    ["garbage", garbage],
    ["gone", (path: string) => rm(path)],
  ])("is called damaged when its manifests are %s", async (_, damage) => {
    const sink = await damaged("_versions", damage);
    for (const call of [
      () => sink.describe(signal),
      () => sink.open(signal),
      () => sink.check(signal),
      () => sink.create(specOf({}, sink), signal),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: expect.stringMatching(/^sink\.(corrupt|rejected)$/),
      });
    }
    await expect(sink.describe(signal)).rejects.toMatchObject({
      code: "sink.corrupt",
      retry: "never",
      scope: "component",
      message: expect.stringContaining("handbook"),
    });
  });

  it.each([
    ["cut in half", half],
    ["empty", empty],
    ["garbage", garbage],
    ["gone", (path: string) => rm(path)],
  ])("is called damaged when its data files are %s", async (_, damage) => {
    const sink = await damaged("data", damage);
    const collection = await sink.open(signal);
    const record = makeRecord(1, 8);
    const scan = async (): Promise<void> => {
      for await (const page of collection.scan({ pipeline: "law" }, signal)) void page;
    };
    for (const call of [
      () => scan(),
      () => collection.read([record.id], { vectors: false }, signal),
      () => collection.write([toUpsert(record)], signal),
      () => collection.write([{ kind: "delete", id: record.id }], signal),
      () => collection.search({ vector: record.vector, k: 1 }, signal),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "sink.corrupt", scope: "component" });
    }
  });
});

describe("the configuration of lancedb", () => {
  it.each(["s3://bucket/index", "db://cloud", "gs://bucket"])("refuses the uri %s", (uri) => {
    expect(() => makeSink("/nowhere", { uri })).toThrow("expected a local folder");
  });

  it.each(["a/b", "..", "with space", "x\n"])("refuses the collection %j", (collection) => {
    expect(() => makeSink("/nowhere", { collection })).toThrow("expected letters");
  });

  it("refuses to omit what sluice needs, or a name that no record has", () => {
    expect(() => makeSink("/nowhere", { omit: ["pipeline"] })).toThrow("always stored");
    expect(() => makeSink("/nowhere", { fields: { txet: "body" } })).toThrow(
      "did you mean `text`?",
    );
    expect(() => makeSink("/nowhere", { fields: { text: "_rowid" } })).toThrow(
      "cannot name a column",
    );
  });
});
