import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { VectorRecord } from "../../../../src/contracts/index.ts";
import {
  makeMarker,
  makeRecord,
  makeRecords,
  specOf,
  toUpsert,
} from "../../../../src/testkit/sink-harness.ts";
import { expectIds, expectLastCounts } from "../writing.ts";
import { rawDatabase } from "./harness.ts";
import { created, openFolder, signal, sinkIn } from "./places.ts";

async function versions(folder: string): Promise<number> {
  return (await readdir(join(folder, "index", "handbook.lance", "_versions"))).filter((name) =>
    name.endsWith(".manifest"),
  ).length;
}

async function fragments(folder: string): Promise<number> {
  const table = await (await rawDatabase(join(folder, "index"))).openTable("handbook");
  return (await table.stats()).fragmentStats.numFragments;
}

async function remade(folder: string, dimension: number, marked: boolean): Promise<void> {
  await (await rawDatabase(join(folder, "index"))).dropTable("handbook");
  const sink = sinkIn(folder);
  const collection = await sink.create(specOf({ dimension }, sink), signal);
  if (marked) await collection.setMarker(makeMarker(dimension), signal);
}

describe("writing to lancedb", () => {
  it("needs its own check, because the driver pads and cuts rows without a word", async () => {
    const folder = await openFolder();
    const database = await rawDatabase(folder);
    const table = await database.createTable("t", [{ id: "a", vector: [1, 2, 3, 4] }]);
    await table.add([
      { id: "short", vector: [1, 2, 3] },
      { id: "long", vector: [1, 2, 3, 4, 5] },
    ]);
    const rows = await table.query().toArray();
    expect(rows.map((row) => [...row.vector])).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, null],
      [1, 2, 3, 4],
    ]);
  });

  it("stores one record of an id that stands twice in a write, the last", async () => {
    await expectLastCounts((await created(await openFolder())).collection);
  });

  it("reads and deletes ids with quotes, backslashes, line ends and emoji, and no others", async () => {
    const odd = ["it's", `a"b`, "back\\slash", "line\nend", "🙂", "x' OR '1'='1", "`tick`", "%_"];
    await expectIds((await created(await openFolder())).collection, odd);
  });

  it("reports by id the records that it cannot store, and stores the others", async () => {
    const { collection } = await created(await openFolder());
    const good = makeRecord(1, 8);
    const bad = [
      makeRecord(2, 8, { fields: { year: "soon" } }),
      makeRecord(3, 8, { fields: { unknown: 1 } }),
      makeRecord(4, 8, { page: 1.5 }),
      makeRecord(5, 8, { fields: { tags: [1] } }),
    ];
    const { failed } = await collection.write([...bad, good].map(toUpsert), signal);
    expect([...failed.keys()]).toEqual(bad.map((record) => record.id));
    for (const fault of failed.values()) {
      expect(fault).toMatchObject({ code: "sink.rejected", retry: "never", scope: "document" });
    }
    expect(await collection.count(undefined, signal)).toBe(1);
  });

  it("waits for a write that is aborted on its way, so that nothing lands later", async () => {
    const { collection } = await created(await openFolder());
    const controller = new AbortController();
    const write = collection.write(makeRecords(500, 8).map(toUpsert), controller.signal);
    queueMicrotask(() => controller.abort(new Error("stop")));
    const landed = await write.then(
      () => 500,
      () => 0,
    );
    expect(await collection.count(undefined, signal)).toBe(landed);
  });

  it("shows readers the old or the new row of an update, never none", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    const records = makeRecords(40, 8);
    await collection.write(records.map(toUpsert), signal);
    const reader = await sinkIn(folder).open(signal);
    const over = new AbortController();
    const reading = (async () => {
      const counts = new Set<number>();
      while (!over.signal.aborted) {
        const ids = records.map((record) => record.id);
        counts.add((await reader.read(ids, { vectors: false }, signal)).length);
        counts.add(await reader.count(undefined, signal));
      }
      return counts;
    })();
    for (let round = 0; round < 12; round++) {
      await collection.write(
        records.map((record) => toUpsert({ ...record, text: `Round ${round}` })),
        signal,
      );
    }
    await collection.optimize?.(signal);
    over.abort();
    expect([...(await reading)]).toEqual([40]);
  });

  it("takes a thousand ids and more in one read, each once", async () => {
    const { collection } = await created(await openFolder());
    const records = makeRecords(2_500, 8);
    for (let start = 0; start < records.length; start += 1_250) {
      await collection.write(records.slice(start, start + 1_250).map(toUpsert), signal);
    }
    const ids = records.map((record) => record.id);
    expect(await collection.read([...ids, ...ids], { vectors: false }, signal)).toHaveLength(2_500);
    for await (const page of collection.scan({ pipeline: "law" }, signal)) {
      expect(page.length).toBeLessThanOrEqual(1_000);
    }
  });

  it("works in a folder whose name an URL would read otherwise", async () => {
    const folder = join(await openFolder(), "a b#c%20é?x=1");
    const { collection } = await created(folder);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    expect(await readdir(join(folder, "index"))).toEqual(["handbook.lance"]);
    expect((await sinkIn(folder).describe(signal))?.records).toBe(1);
  });

  it("adds columns to its own table for fields that are declared later", async () => {
    const folder = await openFolder();
    const before = await created(folder, {}, { fields: { language: "string" } });
    const old = makeRecord(1, 8, { fields: { language: "de" } });
    await before.collection.write([toUpsert(old)], signal);
    const later = sinkIn(folder, {}, { fields: { language: "string", year: "integer" } });
    expect((await later.describe(signal))?.misfits).toEqual([]);
    const collection = await later.open(signal);
    const byYear = [{ field: "year", operator: ">", value: 0 }] as const;
    expect(await collection.count(byYear, signal)).toBe(0);
    const fresh = makeRecord(2, 8, { fields: { year: 2024 } });
    await collection.write([toUpsert(fresh)], signal);
    expect(await collection.count(byYear, signal)).toBe(1);
    const [kept] = await collection.read([old.id], { vectors: false }, signal);
    expect(kept?.fields).toEqual({ language: "de" });
  });
});

describe("searching in lancedb", () => {
  it.each(["cosine", "dot", "euclidean"] as const)(
    "scores by %s, larger is nearer",
    async (metric) => {
      const { collection, sink } = await created(await openFolder(), { create: { metric } });
      expect((await sink.describe(signal))?.metric).toBe(metric);
      const near = Float32Array.of(0.8, 0.6, 0, 0, 0, 0, 0, 0);
      const far = Float32Array.of(0, 1, 0, 0, 0, 0, 0, 0);
      const records = [far, near].map((vector, index) => makeRecord(index, 8, { vector }));
      await collection.write(records.map(toUpsert), signal);
      const vector = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0);
      const hits = await collection.search({ vector, k: 2 }, signal);
      expect(hits.map((hit) => hit.record.id)).toEqual([records[1]?.id, records[0]?.id]);
      expect(hits[0]?.score).toBeCloseTo(metric === "euclidean" ? -Math.sqrt(0.4) : 0.8, 5);
      expect(hits[1]?.score).toBeCloseTo(metric === "euclidean" ? -Math.SQRT2 : 0, 5);
    },
  );

  it("filters by times before 1970, lists, and numbers between integers", async () => {
    const { collection } = await created(await openFolder());
    const moon = Date.parse("1969-07-20T20:17:40Z");
    await collection.write(
      [
        makeRecord(1, 8, { fields: { published: moon, year: 1969, tags: ["a", "it's"] } }),
        makeRecord(2, 8, { fields: { published: 8.64e15, year: 2024, tags: [] } }),
        makeRecord(3, 8),
      ].map(toUpsert),
      signal,
    );
    const counts = await Promise.all(
      (
        [
          ["published", "=", "1969-07-20T20:17:40Z"],
          ["published", "<", 0],
          ["published", ">=", -8.64e15],
          ["year", ">", 1968.5],
          ["year", "=", 1968.5],
          ["year", "!=", 1968.5],
          ["tags", "=", "it's"],
          ["tags", "!=", "it's"],
          ["tags", "in", ["x", "a"]],
        ] as const
      ).map(([field, operator, value]) =>
        collection.count([{ field, operator, value: value as string }], signal),
      ),
    );
    expect(counts).toEqual([1, 1, 2, 2, 0, 2, 1, 1, 1]);
  });

  it("refuses a filter on a field that nobody declared, naming the nearest", async () => {
    const { collection } = await created(await openFolder());
    const filter = [{ field: "langauge", operator: "=", value: "de" }] as const;
    await expect(collection.count(filter, signal)).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("Did you mean `language`?"),
    });
  });
});

describe("the marker of a lancedb table", () => {
  it("keeps the marks of two pipelines that mark at one moment", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    const marker = makeMarker(8, { pipelines: {} });
    await collection.setMarker(marker, signal);
    const [first, second] = [sinkIn(folder), sinkIn(folder)];
    const mark = { stateId: randomUUID(), runSeq: 1 };
    await (await first.open(signal)).setMarker({ ...marker, pipelines: { one: mark } }, signal);
    // `second` has read before `first` wrote.
    const late = await second.open(signal);
    await (
      await first.open(signal)
    ).setMarker({ ...marker, pipelines: { one: { ...mark, runSeq: 2 } } }, signal);
    await late.setMarker({ ...marker, pipelines: { one: mark, two: mark } }, signal);
    expect((await sinkIn(folder).describe(signal))?.marker?.pipelines).toEqual({
      one: { ...mark, runSeq: 2 },
      two: mark,
    });
  });

  it("survives a compaction and the removal of older versions", async () => {
    const folder = await openFolder();
    const { collection, sink } = await created(folder);
    const marker = makeMarker(8);
    await collection.setMarker(marker, signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    const table = await (await rawDatabase(join(folder, "index"))).openTable("handbook");
    await table.optimize({ cleanupOlderThan: new Date() });
    expect((await sink.describe(signal))?.marker).toEqual(marker);
  });

  it("is refused, not guessed, when a newer version wrote it", async () => {
    const folder = await openFolder();
    const { sink } = await created(folder);
    const table = await (await rawDatabase(join(folder, "index"))).openTable("handbook");
    const newer = JSON.stringify({ ...makeMarker(8), version: 2 });
    await table.updateFieldMetadata([{ path: "id", metadata: { "sluice:marker": newer } }]);
    await expect(sink.describe(signal)).rejects.toMatchObject({ code: "sink.foreign" });
  });
});

describe("a lancedb table that was made anew while it was open", () => {
  it.each([
    ["of another dimension", 5, false],
    ["with another marker", 8, true],
  ])("takes no write when it is %s", async (_, dimension, marked) => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    await collection.setMarker(makeMarker(8), signal);
    await collection.write([toUpsert(makeRecord(1, 8))], signal);
    await remade(folder, dimension, marked);
    const write = collection.write([toUpsert(makeRecord(2, 8))], signal);
    await expect(write).rejects.toMatchObject({ code: "sink.missing" });
    await expect(collection.count(undefined, signal)).rejects.toMatchObject({
      code: "sink.missing",
    });
    expect((await sinkIn(folder).describe(signal))?.records).toBe(0);
  });
});

describe("the housekeeping of a lancedb table", () => {
  it("compacts by itself during many small writes, and loses nothing", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    const records: VectorRecord[] = makeRecords(70, 8);
    for (const record of records) await collection.write([toUpsert(record)], signal);
    expect(await fragments(folder)).toBeLessThan(20);
    expect(await collection.count(undefined, signal)).toBe(70);
  });

  it("loses against another client's compaction without a fault, and without a record", async () => {
    const folder = await openFolder();
    await created(folder);
    const collections = await Promise.all(
      Array.from({ length: 5 }, () => sinkIn(folder).open(signal)),
    );
    const records = makeRecords(20, 8);
    for (const collection of collections) await collection.write(records.map(toUpsert), signal);
    await Promise.all(collections.map((collection) => collection.optimize?.(signal)));
    expect(await fragments(folder)).toBe(1);
    expect(await collections[0]?.count(undefined, signal)).toBe(20);
  });

  it("does nothing at the end of a run that wrote nothing", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    const record = makeRecord(1, 8);
    for (let round = 0; round < 3; round += 1) await collection.write([toUpsert(record)], signal);
    await collection.optimize?.(signal);
    expect(await fragments(folder)).toBe(1);
    const before = await versions(folder);
    await collection.optimize?.(signal);
    await (await sinkIn(folder).open(signal)).optimize?.(signal);
    expect(await versions(folder)).toBe(before);
  });

  it("does not rewrite a table that only grew", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    for (let round = 0; round < 5; round += 1) {
      await collection.write(makeRecords(10, 8).map(toUpsert), signal);
    }
    await collection.optimize?.(signal);
    expect(await fragments(folder)).toBe(5);
  });

  it("does not rewrite a table for a small change", async () => {
    const folder = await openFolder();
    const { collection } = await created(folder);
    const records = makeRecords(100, 8);
    await collection.write(records.map(toUpsert), signal);
    const later = await sinkIn(folder).open(signal);
    await later.write(records.slice(0, 3).map(toUpsert), signal);
    await later.optimize?.(signal);
    expect(await fragments(folder)).toBe(2);
  });
});
