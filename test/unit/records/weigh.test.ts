import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { weigh } from "../../../src/records/weigh.ts";
import { makeRecord, toDelete, toUpsert } from "../../../src/testkit/sink-harness.ts";

describe("the weight of an operation", () => {
  it("is never below the bytes of its texts, numbers and vector", () => {
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const changes = fc.record({
      text,
      title: text,
      uri: text,
      headings: fc.array(text, { maxLength: 4 }),
      page: fc.nat(),
      metadata: fc.dictionary(text, text, { maxKeys: 4 }),
      fields: fc.dictionary(text, fc.oneof(text, fc.double({ noNaN: true })), { maxKeys: 4 }),
    });
    const law = fc.property(changes, fc.integer({ min: 1, max: 64 }), (change, dimension) => {
      const record = makeRecord(1, dimension, change);
      const { vector, headings, fields, metadata, page, ...texts } = record;
      const bytes =
        Object.values(texts).reduce<number>((sum, each) => sum + Buffer.byteLength(`${each}`), 0) +
        headings.reduce((sum, each) => sum + Buffer.byteLength(each), 0) +
        Buffer.byteLength(JSON.stringify(fields) + JSON.stringify(metadata)) +
        (page === undefined ? 0 : 8);
      expect(weigh(toUpsert(record))).toBeGreaterThanOrEqual(bytes + vector.byteLength);
    });
    fc.assert(law);
  });

  it("of a deletion is never below its id", () => {
    const record = makeRecord(1, 4);
    expect(weigh(toDelete(record))).toBeGreaterThanOrEqual(Buffer.byteLength(record.id));
  });
});
