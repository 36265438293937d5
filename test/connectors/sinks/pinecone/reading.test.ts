import { describe, expect, it } from "vitest";
import type { Filter } from "../../../../src/contracts/index.ts";
import {
  makeAngle,
  makeRecord,
  makeRecords,
  scanIds,
  toUpsert,
  writeAll,
} from "../../../../src/testkit/sink-harness.ts";
import { rawClient } from "./harness.ts";
import { created, rejection, signal } from "./places.ts";

const tooLarge = {
  kind: "status",
  status: 400,
  body: JSON.stringify({
    code: 11,
    message: "Error, message length too large: found 5",
    details: [],
  }),
} as const;

describe("reading from pinecone", () => {
  it("fetches in groups that the service takes, each id once", async () => {
    const { collection, emulator } = await created();
    const records = makeRecords(2_300, 8);
    await writeAll(collection, records.map(toUpsert), signal);
    const ids = records.map(({ id }) => id);
    emulator.reset();
    expect(await collection.read([...ids, ...ids], { vectors: false }, signal)).toHaveLength(2_300);
    expect(emulator.stats().byOperation).toEqual({ fetch: 3 });
  });

  it("fetches few ids at once when they are long, because they stand in the address", async () => {
    const { collection, emulator } = await created();
    const records = makeRecords(60, 8).map((record, index) => {
      return { ...record, id: `${"\n".repeat(500)}${index}` };
    });
    await writeAll(collection, records.map(toUpsert), signal);
    emulator.reset();
    const ids = records.map(({ id }) => id);
    expect(await collection.read(ids, { vectors: false }, signal)).toHaveLength(60);
    expect(emulator.stats().byOperation.fetch).toBe(3);
  });

  it("halves a fetch whose answer is too large, down to one record", async () => {
    const { collection, emulator } = await created();
    const records = makeRecords(8, 8);
    await writeAll(collection, records.map(toUpsert), signal);
    emulator.behave([tooLarge, tooLarge, tooLarge]);
    const ids = records.map(({ id }) => id);
    expect(await collection.read(ids, { vectors: true }, signal)).toHaveLength(8);
    emulator.behave(tooLarge);
    const one = collection.read(ids.slice(0, 1), { vectors: true }, signal);
    expect(await rejection(one)).toMatchObject({ code: "sink.too-large" });
  });

  it("asks the service for vectors of 20,000 numbers in small groups", async () => {
    const { collection, emulator } = await created({}, {}, 20_000);
    const records = makeRecords(50, 20_000);
    for (const part of [records.slice(0, 6), records.slice(6, 12)]) {
      await collection.write(part.map(toUpsert), signal);
    }
    emulator.reset();
    const ids = records.map(({ id }) => id);
    expect(await collection.read(ids, { vectors: true }, signal)).toHaveLength(12);
    expect(emulator.stats().byOperation.fetch).toBe(2);
  });
});

describe("scanning in pinecone", () => {
  it("gives each record once while others come and go", async () => {
    const { collection } = await created({}, {}, 8);
    const records = makeRecords(2_500, 8);
    await writeAll(collection, records.map(toUpsert), signal);
    const seen: string[] = [];
    for await (const page of collection.scan({ pipeline: "law" }, signal)) {
      expect(page.length).toBeLessThanOrEqual(1_000);
      seen.push(...page.map(({ id }) => id));
      // On both sides of where the scan is; the old ones stay.
      await collection.write(makeRecords(300, 8).map(toUpsert), signal);
    }
    expect(new Set(seen).size).toBe(seen.length);
    const found = new Set(seen);
    expect(records.filter(({ id }) => !found.has(id))).toEqual([]);
  });

  it("passes over records of others, and of nobody", async () => {
    const { collection, emulator } = await created();
    const client = rawClient(emulator);
    const { host } = await client.indexes.describe("handbook");
    const values = [1, 0, 0, 0, 0, 0, 0, 0];
    await client.index({ host }).upsert({
      records: [
        { id: "bare", values },
        { id: "other", values, metadata: { pipeline: "other", metadata: "not JSON" } },
        { id: "list", values, metadata: { pipeline: ["law"] } },
      ],
    });
    const own = makeRecord(1, 8);
    await collection.write([toUpsert(own)], signal);
    expect(await scanIds(collection, "law", signal)).toEqual([own.id]);
    const filter = [{ field: "pipeline", operator: "=", value: "nobody" }] as const;
    expect(await collection.count(filter, signal)).toBe(0);
  });
});

describe("searching in pinecone", () => {
  it.each(["cosine", "dot", "euclidean"] as const)(
    "scores by %s, larger is nearer, in whatever order the service answers",
    async (metric) => {
      const { collection } = await created({ create: { metric } }, { unsortedMatches: true });
      const angles = [90, 0, 60, 180];
      const records = angles.map((angle, index) =>
        makeRecord(index, 8, { vector: makeAngle(angle, 8) }),
      );
      await collection.write(records.map(toUpsert), signal);
      const hits = await collection.search({ vector: makeAngle(0, 8), k: 4 }, signal);
      const order = [0, 60, 90, 180];
      expect(hits.map((hit) => hit.record.id)).toEqual(
        order.map((angle) => records[angles.indexOf(angle)]?.id),
      );
      const scores = metric === "euclidean" ? [0, -1, -Math.SQRT2, -2] : [1, 0.5, 0, -1];
      for (const [index, score] of scores.entries()) {
        expect(hits[index]?.score).toBeCloseTo(score, 5);
      }
      expect(hits.some(({ record }) => record.vector !== undefined)).toBe(false);
    },
  );

  it("finds many large records although they do not fit into one answer", async () => {
    const { collection } = await created();
    const records = makeRecords(150, 8, { text: "x".repeat(38_000) });
    for (let start = 0; start < 150; start += 50) {
      await collection.write(records.slice(start, start + 50).map(toUpsert), signal);
    }
    const vector = makeAngle(0, 8);
    const hits = await collection.search({ vector, k: 150 }, signal);
    expect(hits).toHaveLength(150);
    expect(hits.every(({ record }) => record.text?.length === 38_000)).toBe(true);
    const scores = hits.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((left, right) => right - left));
    const filter = [{ field: "source", operator: "=", value: "docs" }] as const;
    expect(await collection.count(filter, signal)).toBe(150);
  });

  it("filters by odd texts, times before 1970, lists, and numbers between integers", async () => {
    const { collection } = await created();
    const moon = Date.parse("1969-07-20T20:17:40Z");
    const odd = `it's "quoted"\\ and\nmore 🙂 $eq {"$ne":1}`;
    await collection.write(
      [
        makeRecord(1, 8, { fields: { published: moon, year: 1969, tags: ["a", odd] } }),
        makeRecord(2, 8, { fields: { published: 8.64e15, year: 2 ** 53 - 1, tags: [] } }),
        makeRecord(3, 8, { title: odd, fields: { public: false } }),
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
          ["year", "=", 2 ** 53 - 1],
          ["year", "=", 1968.5],
          ["year", "!=", 1968.5],
          ["tags", "=", odd],
          ["tags", "!=", odd],
          ["tags", "in", ["x", "a"]],
          ["title", "=", odd],
          ["title", "!=", "x"],
          ["public", "!=", true],
          ["public", "in", [true, false]],
          ["language", "!=", "de"],
        ] as const
      ).map(([field, operator, value]) =>
        collection.count([{ field, operator, value: value as string }], signal),
      ),
    );
    expect(counts).toEqual([1, 1, 2, 2, 1, 0, 2, 1, 1, 1, 1, 1, 1, 1, 0]);
  });

  it("refuses what the service could not answer, before it is asked", async () => {
    const { collection, emulator } = await created();
    emulator.reset();
    const vector = makeAngle(0, 8);
    const search = (filter: Filter) =>
      rejection(collection.search({ vector, k: 1, filter }, signal));
    expect(await search([{ field: "langauge", operator: "=", value: "de" }])).toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("Did you mean `language`?"),
    });
    expect(await search([{ field: "language", operator: ">", value: "de" }])).toMatchObject({
      code: "config.invalid",
    });
    expect(await search([{ field: "language", operator: "in", value: [] }])).toMatchObject({
      message: "It did not reject.",
    });
    const many = collection.search({ vector, k: 10_001 }, signal);
    expect(await rejection(many)).toMatchObject({ code: "config.invalid" });
    const short = collection.search({ vector: makeAngle(0, 7), k: 1 }, signal);
    expect(await rejection(short)).toMatchObject({ code: "sink.dimension" });
    expect(emulator.stats().requests).toBe(0);
  });
});
