import { assert, constantFrom, float, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { f16BytesToF32Array, f32ArrayToBf16Bytes } from "@zilliz/milvus2-sdk-node";
import { parseAddress } from "../../../../connectors/sinks/milvus/address.ts";
import { idsIn, quoteText, toExpression } from "../../../../connectors/sinks/milvus/expression.ts";
import { fromBfloat16, toBfloat16 } from "../../../../connectors/sinks/milvus/bfloat16.ts";
import { milvusConfig } from "../../../../connectors/sinks/milvus/config.ts";
import {
  markerProperties,
  mayBeShared,
  readMarker,
} from "../../../../connectors/sinks/milvus/marker.ts";
import {
  firstField,
  lengthField,
  numberField,
} from "../../../../connectors/sinks/milvus/protobuf.ts";
import type { Place } from "../../../../connectors/sinks/milvus/schema.ts";
import type { FieldType, Filter } from "../../../../src/contracts/index.ts";
import { checkFilter } from "../../../../src/records/filter.ts";
import { fromFloat16, toFloat16 } from "../../../../src/records/float16.ts";
import { lawFields, makeMarker } from "../../../../src/testkit/sink-harness.ts";
import { makeSink } from "./harness.ts";
import { field } from "./modern.ts";

describe("an address", () => {
  it.each([
    ["127.0.0.1:19530", { target: "127.0.0.1:19530", encrypted: false }],
    ["milvus.internal", { target: "milvus.internal:19530", encrypted: false }],
    ["http://localhost:19531/", { target: "localhost:19531", encrypted: false }],
    ["https://in03.example.com", { target: "in03.example.com:443", encrypted: true }],
    ["https://in03.example.com:19540", { target: "in03.example.com:19540", encrypted: true }],
    ["[::1]:19530", { target: "[::1]:19530", encrypted: false }],
    ["[fe80::1]", { target: "[fe80::1]:19530", encrypted: false }],
  ])("%s is understood", (address, expected) => {
    expect(milvusConfig.safeParse({ address, collection: "c" }).success).toBe(true);
    expect(parseAddress(address)).toEqual(expected);
  });

  it.each(["", "user:password@host:19530", "tcp://host:19530", "host:port", "host/path", "a b"])(
    "%j is refused",
    (address) => {
      expect(milvusConfig.safeParse({ address, collection: "c" }).success).toBe(false);
    },
  );
});

describe("the configuration", () => {
  const valid = { address: "localhost:19530", collection: "handbook" };

  it.each<[string, object, string]>([
    [
      "a token and a user",
      { token: "a", username: "b", password: "c" },
      "stands beside `username`",
    ],
    ["a user without a password", { username: "b" }, "give both or none"],
    ["a password without a user", { password: "b" }, "give both or none"],
    ["a certificate without a key", { tls: { certificate: "a.pem" } }, "give both or none"],
    ["partitions without a key", { create: { partitions: 4 } }, "goes with `partition_key`"],
    ["a collection that cannot be", { collection: "my-docs" }, "letters, digits and `_`"],
    ["a database that cannot be", { database: "1st" }, "letters, digits and `_`"],
    ["an index that cannot be", { create: { index: "hnsw" } }, "such as `HNSW`"],
    ["a key that nobody knows", { colection: "x" }, "colection"],
  ])("is refused with %s", (_, changes, problem) => {
    const { error } = milvusConfig.safeParse({ ...valid, ...changes });
    expect(error?.message).toContain(problem);
  });

  it("takes an empty token and an empty user for none", () => {
    const empty = { ...valid, token: "", username: "", password: "" };
    expect(milvusConfig.safeParse(empty).success).toBe(true);
  });

  it.each(["like", "IN", "json_contains", "array_length", "Timestamp", "my-name", "1st", "$meta"])(
    "is refused with a field named `%s`, which filters could not name",
    (name) => {
      expect(() => makeSink("127.0.0.1:1", { fields: { title: name } })).toThrow(
        `the store cannot name a column \`${name}\``,
      );
    },
  );

  it("takes names that only begin like those words", () => {
    for (const name of ["liked", "in_print", "timestamp", "json_text", "array_of_x", "st_name"]) {
      makeSink("127.0.0.1:1", { fields: { title: name } });
    }
  });
});

const typed = (name: string, type: FieldType, data_type: string, nullable: boolean): Place => ({
  kind: "field",
  column: { field: name, name, type, required: !nullable, declared: true },
  field: field(name, data_type, { nullable }) as never,
});
const dynamic = (name: string, type: FieldType): Place => ({
  kind: "dynamic",
  column: { field: name, name, type, required: false, declared: true },
});

function express(filter: Filter, places: readonly Place[]): string | undefined {
  return toExpression(checkFilter(filter, lawFields), places, "pk");
}

describe("an expression", () => {
  it.each<[Filter[number], Place, string]>([
    [
      { field: "language", operator: "=", value: "de" },
      typed("language", "string", "VarChar", true),
      `(language in ["de"])`,
    ],
    [
      { field: "language", operator: "!=", value: ["de", "en"] },
      typed("language", "string", "VarChar", true),
      `((language is not null) and (language not in ["de", "en"]))`,
    ],
    [
      { field: "language", operator: "!=", value: "de" },
      typed("language", "string", "VarChar", false),
      `(language not in ["de"])`,
    ],
    [
      { field: "language", operator: "!=", value: "de" },
      dynamic("language", "string"),
      `((exists language) and (language not in ["de"]))`,
    ],
    [
      { field: "language", operator: ">=", value: "d" },
      dynamic("language", "string"),
      `(language >= "d")`,
    ],
    [
      { field: "year", operator: "<", value: 2020.5 },
      typed("year", "integer", "Int64", true),
      "(year <= 2020)",
    ],
    [
      { field: "year", operator: ">=", value: -0.5 },
      typed("year", "integer", "Int64", true),
      "(year >= 0)",
    ],
    [
      { field: "year", operator: "<", value: 1e300 },
      typed("year", "integer", "Int64", true),
      "(year <= 9223372036854775807)",
    ],
    [
      { field: "year", operator: ">", value: -1e300 },
      typed("year", "integer", "Int64", true),
      "(year >= -9223372036854775807)",
    ],
    [
      { field: "year", operator: "in", value: [2020, 2020.5] },
      typed("year", "integer", "Int64", true),
      "(year in [2020])",
    ],
    [
      { field: "year", operator: "!=", value: 2020.5 },
      typed("year", "integer", "Int64", true),
      "(year is not null)",
    ],
    [
      { field: "year", operator: "!=", value: 2020.5 },
      typed("year", "integer", "Int64", false),
      `(pk >= "")`,
    ],
    [
      { field: "rating", operator: ">", value: 2 },
      typed("rating", "float", "Double", true),
      "(rating > 2.0)",
    ],
    [
      { field: "rating", operator: "=", value: 1e-7 },
      typed("rating", "float", "Double", true),
      "(rating in [1e-7])",
    ],
    [
      { field: "rating", operator: "<", value: 1e21 },
      typed("rating", "float", "Double", true),
      "(rating < 1e21)",
    ],
    [
      { field: "public", operator: "!=", value: true },
      dynamic("public", "boolean"),
      "((exists public) and (public not in [true]))",
    ],
    [
      { field: "published", operator: ">=", value: "2023-11-14T22:13:20Z" },
      typed("published", "timestamp", "Int64", true),
      "(published >= 1700000000000)",
    ],
    [
      { field: "tags", operator: "=", value: ["a", "b"] },
      typed("tags", "string_list", "Array", true),
      `(array_contains_any(tags, ["a", "b"]))`,
    ],
    [
      { field: "tags", operator: "=", value: "a" },
      typed("tags", "string_list", "JSON", true),
      `(json_contains_any(tags, ["a"]))`,
    ],
    [
      { field: "tags", operator: "!=", value: "a" },
      dynamic("tags", "string_list"),
      `((exists tags) and (not json_contains_any(tags, ["a"])))`,
    ],
  ])("of %j is what Milvus says", (condition, place, expected) => {
    expect(express([condition], [place])).toBe(expected);
  });

  it("joins conditions, and is undefined when one cannot be met", () => {
    const places = [dynamic("year", "integer"), dynamic("language", "string")];
    const both: Filter = [
      { field: "year", operator: ">", value: 2020 },
      { field: "language", operator: "=", value: "de" },
    ];
    expect(express(both, places)).toBe(`(year > 2020) and (language in ["de"])`);
    expect(express(both, places.slice(1))).toBeUndefined();
    expect(express([{ field: "year", operator: "=", value: 0.5 }], places)).toBeUndefined();
    expect(express([], places)).toBe("");
  });

  it("quotes texts so that nothing in them is an expression", () => {
    const text = string({
      unit: constantFrom('"', "\\", "\n", "\r", "'", "a", "é", "\u0000"),
    });
    assert(
      property(text, (given) => {
        const quoted = quoteText(given);
        expect(quoted).toMatch(/^"(?:[^"\\\n\r]|\\["\\nr])*"$/);
        const read = quoted
          .slice(1, -1)
          .replaceAll(/\\(.)/g, (_, sign: string) => ({ n: "\n", r: "\r" })[sign] ?? sign);
        expect(read).toBe(given);
      }),
    );
    expect(idsIn("pk", [`q"] or pk in ["b`])).toBe(String.raw`pk in ["q\"] or pk in [\"b"]`);
  });
});

function bitsOf(number: number): number {
  return new Uint32Array(Float32Array.of(number).buffer)[0]!;
}

describe("numbers of half the size", () => {
  const unit = float({ min: -1, max: 1, noNaN: true });

  it("of float16 are the nearest there is, as the official client reads them", () => {
    assert(
      property(unit, (number) => {
        const bits = toFloat16(number);
        const near = fromFloat16(bits);
        const { buffer } = Uint16Array.of(bits);
        expect([near]).toEqual([...f16BytesToF32Array(new Uint8Array(buffer))]);
        for (const other of [bits - 1, bits + 1].filter((each) => (each & 0x7fff) <= 0x7bff)) {
          const further = Math.abs(fromFloat16(other) - number);
          expect(Math.abs(near - number)).toBeLessThanOrEqual(further);
        }
      }),
    );
  });

  it("of bfloat16 are the nearest there is, where the official client cuts", () => {
    assert(
      property(unit, (number) => {
        const bits = toBfloat16(number);
        const near = Math.abs(fromBfloat16(bits) - number);
        for (const other of [bits - 1, bits + 1]) {
          const further = Math.abs(fromBfloat16(other & 0xffff) - number);
          expect(near).toBeLessThanOrEqual(Number.isNaN(further) ? Infinity : further);
        }
      }),
    );
    const number = 0.1;
    const cut = new DataView(Uint8Array.from(f32ArrayToBf16Bytes([number])).buffer);
    expect(cut.getUint16(0, true)).toBe(bitsOf(number) >>> 16);
    expect(toBfloat16(number)).toBe((bitsOf(number) >>> 16) + 1);
  });
});

describe("a message", () => {
  it("begins with the field that was put first, however long it is", () => {
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
      const bytes = Buffer.alloc(length, 7);
      const message = Buffer.concat([lengthField(2, bytes), numberField(3, 300)]);
      expect(firstField(message).equals(bytes)).toBe(true);
    }
    expect([...numberField(3, 300)]).toEqual([0x18, 0xac, 0x02]);
  });
});

function asObject(pairs: readonly { readonly key: string; readonly value: string }[]) {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

function markedBy(value: string) {
  return [{ key: "sluice.marker", value }];
}

describe("the marker", () => {
  const both = {
    one: { stateId: "a", runSeq: 1 },
    "two's": { stateId: "b", runSeq: 2 },
  };

  it("is read as it was written", () => {
    const marker = makeMarker(8, { pipelines: both });
    expect(readMarker(markerProperties(marker, undefined), "x")).toEqual(marker);
  });

  it("leaves alone what other pipelines have marked since it was seen", () => {
    const seen = makeMarker(8, { pipelines: both });
    const next = { ...seen, pipelines: { ...both, one: { stateId: "a", runSeq: 3 } } };
    const keys = Object.keys(asObject(markerProperties(next, seen)));
    expect(keys).toEqual(["sluice.marker", "sluice.pipeline.one"]);
  });

  it("forgets a pipeline by an empty mark, for servers that cannot remove a property", () => {
    const seen = makeMarker(8, { pipelines: both });
    const { one } = both;
    const written = markerProperties({ ...seen, pipelines: { one } }, seen);
    expect(asObject(written)["sluice.pipeline.two's"]).toBe("");
    expect(readMarker(written, "x")?.pipelines).toEqual({});
  });

  it("may be changed by others when it names them, or is new to the pipeline", () => {
    const marker = makeMarker(8, { pipelines: both });
    const { one } = both;
    const alone = markerProperties({ ...marker, pipelines: { one } }, undefined);
    const shared = markerProperties(marker, undefined);
    const change = alone.filter(({ key }) => key.endsWith(".one"));
    expect(mayBeShared(change, [])).toBe(true);
    expect(mayBeShared(change, alone)).toBe(false);
    expect(mayBeShared(change, shared)).toBe(true);
    const forgotten = [...alone, { key: "sluice.pipeline.two's", value: "" }];
    expect(mayBeShared(change, forgotten)).toBe(false);
  });

  it("is none where there is none, and foreign where it cannot be read", () => {
    expect(readMarker([], "x")).toBeUndefined();
    expect(readMarker(markedBy(""), "x")).toBeUndefined();
    for (const text of ["{", "{}", '{"version":2}']) {
      expect(() => readMarker(markedBy(text), "the place")).toThrow(
        "The marker of the place cannot be read: a newer version of sluice wrote it",
      );
    }
  });
});
