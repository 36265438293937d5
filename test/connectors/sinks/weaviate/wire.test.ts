import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtobufReader } from "../../../../connectors/sinks/weaviate/protobuf-reader.ts";
import { ProtobufWriter } from "../../../../connectors/sinks/weaviate/protobuf-writer.ts";
import {
  decodeDelete,
  decodeObjectErrors,
  encodeDelete,
  encodeObjects,
  type PropertyValue,
  type WireTarget,
} from "../../../../connectors/sinks/weaviate/wire-batch.ts";
import {
  decodeCount,
  decodeSearch,
  encodeCount,
  encodeSearch,
} from "../../../../connectors/sinks/weaviate/wire-search.ts";
import type { WireFilter } from "../../../../connectors/sinks/weaviate/wire-filter.ts";
import {
  AggregateReply,
  AggregateRequest,
  BatchDeleteReply,
  BatchDeleteRequest,
  BatchObjectsReply,
  BatchObjectsRequest,
  SearchReply,
  SearchRequest,
} from "./official.ts";

const target: WireTarget = { collection: "Handbook", tenant: undefined, consistency: "quorum" };
const ofTenant: WireTarget = { collection: "Handbook", tenant: "acme", consistency: "all" };

const text = fc.string({ unit: "binary", maxLength: 200 });
const value: fc.Arbitrary<PropertyValue> = fc.oneof(
  text,
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.array(text, { maxLength: 5 }),
);
const record = fc.record({
  id: fc.uuid(),
  properties: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), value, { maxKeys: 6 }),
  vector: fc.float32Array({ maxLength: 40, minLength: 1 }),
});

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

describe("the protobuf writer and reader", () => {
  it("give back every number, text and message that they were given", () => {
    const numbers = fc.tuple(fc.maxSafeNat(), fc.maxSafeInteger(), fc.double(), text);
    fc.assert(
      fc.property(
        numbers,
        fc.integer({ min: 1, max: 500 }),
        ([natural, signed, double, words], field) => {
          const writer = new ProtobufWriter(1);
          writer.integer(field, natural);
          writer.long(field, signed);
          writer.double(field, double);
          writer.message(field, () => {
            writer.text(field, words);
            writer.message(field + 1, () => writer.boolean(1, true));
          });
          const reader = new ProtobufReader(writer.finish());
          const next = (): ProtobufReader => {
            expect(reader.next()).toBe(true);
            expect(reader.field).toBe(field);
            return reader;
          };
          expect(next().integer()).toBe(natural);
          expect(next().long()).toBe(signed);
          expect(next().double()).toBe(double);
          const inner = next().message();
          expect(inner.next() && inner.text()).toBe(words.toWellFormed());
          expect(inner.next() && inner.field).toBe(field + 1);
          const innermost = inner.message();
          expect(innermost.next() && innermost.boolean()).toBe(true);
          expect(innermost.next() || inner.next() || reader.next()).toBe(false);
        },
      ),
    );
  });

  it("move what is longer than a length of one byte, at every border", () => {
    for (const length of [0, 1, 125, 126, 127, 128, 129, 16_383, 16_384, 2_097_152]) {
      const writer = new ProtobufWriter(1);
      writer.message(1, () => writer.bytes(2, Buffer.alloc(length, 7)));
      writer.integer(3, 9);
      const reader = new ProtobufReader(writer.finish());
      expect(reader.next()).toBe(true);
      const inner = reader.message();
      expect(inner.next() && inner.bytes()).toEqual(Buffer.alloc(length, 7));
      expect(reader.next() && reader.integer()).toBe(9);
    }
  });

  it("refuse a message that is cut anywhere within a value", () => {
    const writer = new ProtobufWriter();
    writer.text(1, "twelve bytes");
    const whole = writer.finish();
    for (let length = 1; length < whole.length; length += 1) {
      const reader = new ProtobufReader(whole.subarray(0, length));
      expect(() => reader.next() && reader.text()).toThrow(RangeError);
    }
  });
});

describe("what the official client reads of our messages", () => {
  it("is every object with its properties, lists and vector, named or not", () => {
    const names = fc.constantFrom(undefined, "default", "body_vector");
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), names, (objects, name) => {
        const encoded = encodeObjects(ofTenant, name, objects);
        const { objects: read, consistencyLevel } = BatchObjectsRequest.decode(encoded);
        expect(consistencyLevel).toBe(3);
        expect(read).toHaveLength(objects.length);
        for (const [index, { id, properties, vector }] of objects.entries()) {
          const found = read[index]!;
          expect([found.uuid, found.collection, found.tenant]).toEqual([id, "Handbook", "acme"]);
          const named = found.vectors.map((entry) => [entry.name, entry.type, entry.vectorBytes]);
          const bytes = bytesOf(vector);
          expect(named).toEqual(name === undefined ? [] : [[name, 1, bytes]]);
          expect(Buffer.from(found.vectorBytes)).toEqual(
            name === undefined ? bytes : Buffer.alloc(0),
          );
          const { nonRefProperties, textArrayProperties, emptyListProps } = found.properties!;
          const lists = textArrayProperties.map(({ propName, values }) => [propName, values]);
          const empty = emptyListProps.map((propName) => [propName, []]);
          const all = { ...nonRefProperties, ...Object.fromEntries([...lists, ...empty]) };
          expect(all).toEqual(wellFormed(properties));
        }
      }),
    );
  });

  it("is a filter with its values in their types", () => {
    const filter: WireFilter = {
      operator: "and",
      operands: [
        { operator: "equal", property: "lang", value: { kind: "text", value: `d"e\\\n🙂` } },
        { operator: "greater", property: "year", value: { kind: "integer", value: -5 } },
        { operator: "less-or-equal", property: "rating", value: { kind: "number", value: 0 } },
        { operator: "not-equal", property: "public", value: { kind: "boolean", value: false } },
        { operator: "contains-any", property: "_id", value: { kind: "texts", value: ["a", "b"] } },
      ],
    };
    const { collection, filters, tenant } = BatchDeleteRequest.decode(encodeDelete(target, filter));
    expect([collection, tenant]).toEqual(["Handbook", undefined]);
    const read = filters!.filters.map((operand) => [
      operand.operator,
      operand.target?.property,
      operand.valueText ??
        operand.valueInt ??
        operand.valueNumber ??
        operand.valueBoolean ??
        operand.valueTextArray?.values,
    ]);
    expect(filters!.operator).toBe(7);
    expect(read).toEqual([
      [1, "lang", `d"e\\\n🙂`],
      [3, "year", -5],
      [6, "rating", 0],
      [2, "public", false],
      [12, "_id", ["a", "b"]],
    ]);
  });

  it("is a search with what is wanted, and a count", () => {
    const near = Float32Array.of(0.5, -0.25);
    const search = SearchRequest.decode(
      encodeSearch(ofTenant, {
        properties: ["text", "title"],
        vectorName: "default",
        withVectors: true,
        limit: 10,
        near,
      }),
    );
    expect(search).toMatchObject({
      collection: "Handbook",
      tenant: "acme",
      consistencyLevel: 3,
      limit: 10,
      properties: { nonRefProperties: ["text", "title"] },
      metadata: { uuid: true, distance: true, vectors: ["default"], vector: false },
      nearVector: {
        targets: { targetVectors: ["default"] },
        vectorForTargets: [{ name: "default", vectors: [{ vectorBytes: bytesOf(near), type: 1 }] }],
      },
      uses127Api: true,
    });
    const unnamed = SearchRequest.decode(
      encodeSearch(target, {
        properties: [],
        vectorName: undefined,
        withVectors: true,
        limit: 1,
        after: "x",
        near,
      }),
    );
    expect(unnamed).toMatchObject({
      tenant: "",
      after: "x",
      metadata: { vector: true, vectors: [] },
    });
    expect(Buffer.from(unnamed.nearVector!.vectorBytes)).toEqual(bytesOf(near));
    const count = AggregateRequest.decode(encodeCount(ofTenant, undefined));
    expect(count).toMatchObject({ collection: "Handbook", tenant: "acme", objectsCount: true });
  });
});

describe("what we read of the official client's messages", () => {
  it("is every error of a batch by its position, and the numbers of a deletion", () => {
    const errors = [
      { index: 0, error: "first" },
      { index: 300, error: "vierhundert 🙂" },
    ];
    const answer = BatchObjectsReply.encode(BatchObjectsReply.fromPartial({ took: 1, errors }));
    expect([...decodeObjectErrors(Buffer.from(answer.finish()))]).toEqual([
      [0, "first"],
      [300, "vierhundert 🙂"],
    ]);
    const deleted = BatchDeleteReply.fromPartial({ took: 1, matches: 12_000, successful: 10_000 });
    const bytes = Buffer.from(BatchDeleteReply.encode(deleted).finish());
    expect(decodeDelete(bytes)).toEqual({ matches: 12_000, successful: 10_000 });
  });

  it("is every hit with values of all kinds, its vector and a distance of zero", () => {
    const fields = {
      text: { textValue: "" },
      year: { intValue: -9_007_199_254_740_991 },
      rating: { numberValue: 0 },
      public: { boolValue: false },
      at: { dateValue: "2020-01-01T00:00:00Z" },
      key: { uuidValue: "00000000-0000-8000-8000-000000000001" },
      tags: { listValue: { textValues: { values: ["a", ""] } } },
      none: { nullValue: 0 },
      numbers: { listValue: { intValues: { values: new Uint8Array(8) } } },
    };
    const vector = Float32Array.of(1, 2.5, -3);
    const reply = SearchReply.fromPartial({
      results: [
        {
          properties: { nonRefProps: { fields } },
          metadata: {
            id: "00000000-0000-8000-8000-000000000002",
            distance: 0,
            distancePresent: true,
            vectors: [{ name: "default", vectorBytes: bytesOf(vector), type: 1 }],
          },
        },
        { properties: {}, metadata: { id: "x", vectorBytes: bytesOf(vector) } },
        { properties: {}, metadata: { id: "y", distance: 0.5, distancePresent: true } },
      ],
    });
    const hits = decodeSearch(Buffer.from(SearchReply.encode(reply).finish()));
    expect(hits).toEqual([
      {
        id: "00000000-0000-8000-8000-000000000002",
        distance: 0,
        vector,
        properties: {
          text: "",
          year: -9_007_199_254_740_991,
          rating: 0,
          public: false,
          at: "2020-01-01T00:00:00Z",
          key: "00000000-0000-8000-8000-000000000001",
          tags: ["a", ""],
        },
      },
      { id: "x", distance: undefined, vector, properties: {} },
      { id: "y", distance: 0.5, vector: undefined, properties: {} },
    ]);
  });

  it("is a count, also of nothing", () => {
    for (const objectsCount of [0, 1, 5_000_000_000]) {
      const reply = AggregateReply.fromPartial({ took: 1, singleResult: { objectsCount } });
      expect(decodeCount(Buffer.from(AggregateReply.encode(reply).finish()))).toBe(objectsCount);
    }
  });
});

/** Texts as UTF-8 keeps them. */
function wellFormed(properties: Readonly<Record<string, PropertyValue>>) {
  const entries = Object.entries(properties).map(([name, entry]) => {
    if (typeof entry === "string") return [name, entry.toWellFormed()];
    return [name, Array.isArray(entry) ? entry.map((item: string) => item.toWellFormed()) : entry];
  });
  return Object.fromEntries(entries) as unknown;
}
