import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRecord } from "../../../../connectors/sinks/pinecone/decode.ts";
import { Encoder } from "../../../../connectors/sinks/pinecone/encode.ts";
import { toServiceFilter } from "../../../../connectors/sinks/pinecone/filter.ts";
import { shorten } from "../../../../connectors/sinks/pinecone/short-numbers.ts";
import type { Filter } from "../../../../src/contracts/index.ts";
import { checkFilter } from "../../../../src/records/filter.ts";
import { createLayout } from "../../../../src/records/layout.ts";
import { lawFields, makeRecord, plainOf } from "../../../../src/testkit/sink-harness.ts";

const layout = createLayout({
  sink: "search",
  declared: lawFields,
  fields: {},
  omit: [],
  names: { pattern: /./, words: "" },
});

const float = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.float({ min: Math.fround(-0.1), max: Math.fround(0.1), noNaN: true }),
  fc.constantFrom(...[0.1, 0.01, 0.001, 1e-4, 1, 1e-45, 3.4028234663852886e38].map(Math.fround)),
);

describe("numbers for JSON", () => {
  it("are read back by float32 as exactly what they were, in nine digits at most", () => {
    const law = fc.property(fc.array(float, { maxLength: 50 }), (values) => {
      const vector = Float32Array.from(values);
      const { numbers } = shorten(vector);
      const read = JSON.parse(JSON.stringify(numbers)) as number[];
      // JSON has no negative zero.
      expect(Float32Array.from(read)).toEqual(vector.map((value) => value + 0));
      for (const number of numbers) {
        const [mantissa = ""] = `${number}`.replace(/^-/, "").split("e");
        const digits = mantissa.replace(".", "").replace(/^0+/, "").replace(/0+$/, "");
        expect(digits.length).toBeLessThanOrEqual(9);
      }
    });
    fc.assert(law, { numRuns: 2_000 });
  });

  it("never weigh more than they were said to, and hardly less", () => {
    const law = fc.property(fc.array(float, { maxLength: 50 }), (values) => {
      const { numbers, bytes } = shorten(Float32Array.from(values));
      expect(bytes).toBeGreaterThanOrEqual(JSON.stringify(numbers).length);
    });
    fc.assert(law, { numRuns: 2_000 });
    const usual = Float32Array.from({ length: 1_024 }, (_, index) => Math.sin(index * 7.31) / 20);
    const { numbers, bytes } = shorten(usual);
    const json = JSON.stringify(numbers).length;
    expect(bytes / json).toBeLessThan(1.02);
    expect(json / JSON.stringify([...usual]).length).toBeLessThan(0.63);
  });

  it("stay what they are when they are not finite", () => {
    const { numbers } = shorten(Float32Array.of(NaN, Infinity, -Infinity));
    expect(numbers).toEqual([NaN, Infinity, -Infinity]);
  });
});

describe("a record", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });

  it("weighs at least what it takes in a request, whatever its texts are made of", () => {
    const law = fc.property(text, text, fc.array(text, { maxLength: 3 }), (one, two, headings) => {
      const record = makeRecord(1, 8, {
        text: one,
        title: two,
        headings,
        fields: { language: one, tags: headings },
        metadata: { [two]: one },
      });
      const { record: encoded, bytes } = new Encoder(layout).encode(record);
      expect(bytes).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(encoded)) + 1);
    });
    fc.assert(law);
  });

  it("comes back as it was, through the JSON of the wire", () => {
    const law = fc.property(text, text, fc.array(text, { maxLength: 3 }), (one, two, headings) => {
      const record = makeRecord(1, 8, {
        text: one,
        uri: two,
        page: 3,
        headings,
        fields: { language: two, year: 2024, public: false, tags: headings },
        metadata: { [one]: [two, null, { three: 3 }] },
      });
      const { record: encoded } = new Encoder(layout).encode(record);
      const wire = JSON.parse(JSON.stringify(encoded)) as typeof encoded;
      const stored = decodeRecord(wire, layout, { vectors: true });
      expect(plainOf(stored)).toEqual(plainOf(record));
      expect(stored.vector).toEqual(record.vector);
    });
    fc.assert(law);
  });

  it("is encoded once, however often it is weighed", () => {
    const encoder = new Encoder(layout);
    const record = makeRecord(1, 8);
    expect(encoder.encode(record)).toBe(encoder.encode(record));
  });

  it("of something else is read as far as it goes, and not when its metadata is no JSON", () => {
    const foreign = { id: "x", metadata: { text: 7, page: "3", headings: ["a"], metadata: "" } };
    const read = (metadata: string | number) =>
      decodeRecord({ ...foreign, metadata: { ...foreign.metadata, metadata } }, layout, {
        vectors: false,
      });
    expect(read("{}")).toEqual({
      id: "x",
      document: "",
      source: "",
      fingerprint: "",
      revision: "",
      pipeline: "",
      headings: ["a"],
      fields: {},
      metadata: {},
    });
    for (const broken of ["{", "[]", "7"]) expect(() => read(broken)).toThrow("is not a JSON");
  });
});

describe("a filter", () => {
  const names = {
    nameOf: (field: string) => layout.find(field)?.name,
    filterable: undefined,
  };
  const translate = (...filter: Filter) => toServiceFilter(checkFilter(filter, lawFields), names);

  it.each<[Filter[number], unknown]>([
    [{ field: "language", operator: "=", value: "de" }, { language: { $in: ["de"] } }],
    [{ field: "tags", operator: "in", value: ["a", "a", "b"] }, { tags: { $in: ["a", "b"] } }],
    [{ field: "public", operator: "=", value: true }, { public: { $eq: true } }],
    [{ field: "public", operator: "in", value: [true, false] }, { public: { $exists: true } }],
    [{ field: "year", operator: "<=", value: 2020 }, { year: { $lte: 2020 } }],
    [{ field: "published", operator: ">", value: "1970-01-01" }, { published: { $gt: 0 } }],
    [{ field: "language", operator: "in", value: [] }, "nothing"],
    [{ field: "language", operator: "!=", value: [] }, { language: { $exists: true } }],
    [
      { field: "public", operator: "!=", value: false },
      { $and: [{ public: { $exists: true } }, { public: { $ne: false } }] },
    ],
    [
      { field: "language", operator: "!=", value: "de" },
      { $and: [{ language: { $exists: true } }, { language: { $nin: ["de"] } }] },
    ],
  ])("%j becomes %j", (condition, expected) => {
    expect(translate(condition)).toEqual(expected);
  });

  it("of no condition is none", () => {
    expect(translate()).toBeUndefined();
  });

  it("on a field that records do not have finds nothing", () => {
    const conditions = checkFilter([{ field: "uri", operator: "=", value: "x" }], lawFields);
    const without = { ...names, nameOf: () => undefined };
    expect(toServiceFilter(conditions, without)).toBe("nothing");
  });

  it("is refused when the service cannot answer it", () => {
    const text = { field: "language", operator: "<", value: "x" } as const;
    expect(() => translate(text)).toThrow("compares numbers and times only");
    const value = Array.from({ length: 10_001 }, (_, index) => index);
    expect(() => translate({ field: "year", operator: "in", value })).toThrow("10001 values");
    const conditions = checkFilter([{ field: "title", operator: "=", value: "x" }], lawFields);
    const narrow = { ...names, filterable: new Set(["pipeline"]) };
    expect(() => toServiceFilter(conditions, narrow)).toThrow("only some metadata keys");
  });
});
