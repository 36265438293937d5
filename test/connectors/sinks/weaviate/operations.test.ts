import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toObject } from "../../../../connectors/sinks/weaviate/encode.ts";
import type { LiveColumn } from "../../../../connectors/sinks/weaviate/live-schema.ts";
import { prepare, sizeOf } from "../../../../connectors/sinks/weaviate/operations.ts";
import { encodeObjects } from "../../../../connectors/sinks/weaviate/wire-batch.ts";
import type { VectorRecord } from "../../../../src/contracts/index.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import { lawFields, makeRecord, toDelete, toUpsert } from "../../../../src/testkit/sink-harness.ts";

const options = {
  dimension: 4,
  declared: lawFields,
  dateFields: new Set(["published"]),
  shown: "`Handbook`",
};

function failureOf(changes: Partial<VectorRecord>, more: object = {}): string | undefined {
  const record = makeRecord(1, 4, changes);
  const { failed, upserts } = prepare([toUpsert(record)], { ...options, ...more });
  expect(failed.size + upserts.length).toBe(1);
  const fault = failed.get(record.id);
  if (fault !== undefined) {
    expect([fault.code, fault.retry]).toEqual(["sink.rejected", "never"]);
  }
  return fault?.message;
}

describe("a write", () => {
  it("counts the last operation on an id", () => {
    const [one, two] = [makeRecord(1, 4), makeRecord(2, 4)];
    const again = { ...one, text: "Again." };
    const operations = [toUpsert(one), toUpsert(two), toUpsert(again), toDelete(two)];
    const batch = prepare(operations, options);
    expect(batch.upserts.map(({ text }) => text)).toEqual(["Again."]);
    expect(batch.deletes).toEqual([two.id]);
  });

  it("is refused as a whole for a vector of another length", () => {
    const wrong = makeRecord(2, 5);
    expect(() => prepare([toUpsert(makeRecord(1, 4)), toUpsert(wrong)], options)).toThrow(
      /has 5 numbers, the collection `Handbook` takes 4/,
    );
  });

  it("reports a record that cannot be stored by its id, and takes the others", () => {
    const good = makeRecord(1, 4);
    const bad = makeRecord(2, 4, { page: 1.5 });
    const { upserts, failed } = prepare([toUpsert(bad), toUpsert(good)], options);
    expect(upserts).toEqual([good]);
    expect([...failed.keys()]).toEqual([bad.id]);
  });

  it("passes over deletes of ids that no object can have", () => {
    const id = `it's"] or \\\n`;
    expect(prepare([{ kind: "delete", id }], options).deletes).toEqual([]);
  });

  it("refuses ids, numbers and values that Weaviate cannot keep", () => {
    expect(failureOf({ id: "page-1" })).toMatch(/its id is not a UUID/);
    expect(failureOf({ page: -1 })).toMatch(/`page` is -1/);
    expect(failureOf({ position: 2 ** 53 })).toMatch(/`position`/);
    expect(failureOf({ vector: Float32Array.of(1, NaN, 0, 0) })).toMatch(/not finite/);
    expect(failureOf({ fields: { colour: "red" } })).toMatch(/`colour` is not declared/);
    for (const fields of [
      { year: 2 ** 53 },
      { year: "x" },
      { rating: null },
      { public: 1 },
      { tags: [1] },
    ]) {
      expect(failureOf({ fields }), JSON.stringify(fields)).toMatch(/is not of type/);
    }
  });

  it("refuses times that dates cannot compare, unless a number keeps them", () => {
    const beyond = [Date.UTC(1677, 11, 31), Date.UTC(2262, 0, 1), Date.UTC(9999, 0), 8.64e15];
    for (const published of beyond) {
      expect(failureOf({ fields: { published } })).toMatch(/outside the years 1678 to 2261/);
      expect(failureOf({ fields: { published } }, { dateFields: new Set() })).toBeUndefined();
    }
    for (const published of [Date.UTC(1678, 0, 1), -1, Date.UTC(2262, 0, 1) - 1]) {
      expect(failureOf({ fields: { published } })).toBeUndefined();
    }
  });
});

describe("the size of an operation", () => {
  it("is never below what it takes on the wire", () => {
    const { columns: all } = createLayout({
      sink: "search",
      declared: lawFields,
      fields: {},
      omit: [],
      names: { pattern: /./, words: "anything" },
    });
    const columns: readonly LiveColumn[] = all
      .filter(({ field }) => field !== "id" && field !== "vector")
      .map((column) => ({
        column,
        property: { name: column.name, dataType: ["text"] },
        type: column.type === "timestamp" ? "date" : "text",
      }));
    const target = {
      collection: "C".repeat(250),
      tenant: "t".repeat(64),
      consistency: "all",
    } as const;
    const text = fc.string({ unit: "binary", maxLength: 100 });
    const changes = fc.record({
      text,
      title: text,
      uri: text,
      headings: fc.array(text, { maxLength: 6 }),
      page: fc.nat(),
      position: fc.nat(),
      metadata: fc.dictionary(text, text, { maxKeys: 4 }),
      fields: fc.record({
        language: text,
        year: fc.maxSafeInteger(),
        rating: fc.double({ noNaN: true, noDefaultInfinity: true }),
        public: fc.boolean(),
        published: fc.constant(1_700_000_000_123),
        tags: fc.array(text, { maxLength: 6 }),
      }),
    });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 100 }), (change, dimension) => {
        const record = makeRecord(1, dimension, change);
        const bytes = encodeObjects(target, "default", [toObject(record, columns)]).length;
        expect(sizeOf(toUpsert(record))).toBeGreaterThanOrEqual(bytes);
      }),
    );
  });
});
