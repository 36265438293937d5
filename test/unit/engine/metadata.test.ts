import { describe, expect, it } from "vitest";
import type { FieldType, Json } from "../../../src/contracts/index.ts";
import { splitMetadata } from "../../../src/engine/metadata.ts";
import { isFault } from "../../../src/faults/index.ts";

function convert(type: FieldType, value: Json): Json | undefined {
  try {
    return splitMetadata({ field: value }, { field: type }).fields["field"];
  } catch (error) {
    if (isFault(error) && error.code === "parse.metadata" && error.scope === "document") {
      return "conflict";
    }
    throw error;
  }
}

const day = Date.UTC(2026, 0, 31);

describe("a declared field", () => {
  it.each<[FieldType, Json, Json]>([
    ["string", "text", "text"],
    ["string", "", ""],
    ["string", 5, "5"],
    ["string", true, "true"],
    ["string", ["a"], "conflict"],
    ["string", { a: 1 }, "conflict"],
    ["integer", 5, 5],
    ["integer", -5, -5],
    ["integer", "5", 5],
    ["integer", " 5 ", 5],
    ["integer", 5.5, "conflict"],
    ["integer", "5.5", "conflict"],
    ["integer", 2 ** 53, "conflict"],
    ["integer", "", "conflict"],
    ["integer", " ", "conflict"],
    ["integer", "five", "conflict"],
    ["integer", true, "conflict"],
    ["integer", [5], "conflict"],
    ["float", 5.5, 5.5],
    ["float", 5, 5],
    ["float", "5.5", 5.5],
    ["float", "1e3", 1000],
    ["float", "Infinity", "conflict"],
    ["float", "NaN", "conflict"],
    ["float", "x", "conflict"],
    ["float", "", "conflict"],
    ["float", false, "conflict"],
    ["float", {}, "conflict"],
    ["boolean", true, true],
    ["boolean", false, false],
    ["boolean", "true", true],
    ["boolean", "false", false],
    ["boolean", "yes", "conflict"],
    ["boolean", 1, "conflict"],
    ["boolean", 0, "conflict"],
    ["boolean", [true], "conflict"],
    ["timestamp", day, day],
    ["timestamp", 1.5, "conflict"],
    ["timestamp", "2026-01-31", day],
    ["timestamp", " 2026-01-31 ", day],
    ["timestamp", "2026-01-31T00:00Z", day],
    ["timestamp", "2026-01-31T00:00:00Z", day],
    ["timestamp", "2026-01-31T00:00:00.5Z", day + 500],
    ["timestamp", "2026-01-31 00:00:00", day],
    ["timestamp", "2026-01-31T01:00:00+01:00", day],
    ["timestamp", "2026-01-31T01:00:00+0100", day],
    ["timestamp", "2026-01-30T23:00:00-01:00", day],
    ["timestamp", "2026-02-30", "conflict"],
    ["timestamp", "2026-13-01", "conflict"],
    ["timestamp", "2026-01-31T25:00:00Z", "conflict"],
    ["timestamp", "31.01.2026", "conflict"],
    ["timestamp", "January 31, 2026", "conflict"],
    ["timestamp", "2026", "conflict"],
    ["timestamp", "", "conflict"],
    ["timestamp", true, "conflict"],
    ["timestamp", [], "conflict"],
    ["string_list", ["a", "b"], ["a", "b"]],
    ["string_list", [], []],
    ["string_list", "a", ["a"]],
    ["string_list", 5, ["5"]],
    ["string_list", ["a", 5, true], ["a", "5", "true"]],
    ["string_list", [["a"]], "conflict"],
    ["string_list", ["a", null], "conflict"],
    ["string_list", { a: "b" }, "conflict"],
  ])("of type %s takes %j as %j", (type, value, expected) => {
    expect(convert(type, value)).toEqual(expected);
  });

  it.each<FieldType>(["string", "integer", "float", "boolean", "timestamp", "string_list"])(
    "of type %s is left out when it is null or missing",
    (type) => {
      expect(splitMetadata({ field: null }, { field: type })).toEqual({ fields: {}, rest: {} });
      expect(splitMetadata({}, { field: type })).toEqual({ fields: {}, rest: {} });
    },
  );

  it("in conflict is named with its type, and the value is not shown", () => {
    const secret = "the secret value";
    expect(() => splitMetadata({ date: secret }, { date: "timestamp" })).toThrow(
      /`date` is declared as timestamp/,
    );
    try {
      splitMetadata({ date: secret }, { date: "timestamp" });
    } catch (error) {
      expect(String(error)).not.toContain(secret);
    }
  });
});

describe("other metadata", () => {
  it("stays as it is, apart from nulls", () => {
    const metadata = { a: { deep: [1, null] }, b: null, c: "x", date: "2026-01-31" };
    expect(splitMetadata(metadata, { date: "timestamp" })).toEqual({
      fields: { date: day },
      rest: { a: { deep: [1, null] }, c: "x" },
    });
  });

  it("named like something that every object has is metadata and not a type", () => {
    const metadata = JSON.parse('{"constructor":"x","toString":"y","__proto__":{"a":1}}');
    const { fields, rest } = splitMetadata(metadata, {});
    expect(fields).toEqual({});
    expect(Object.keys(rest)).toEqual(["constructor", "toString", "__proto__"]);
    expect(Object.getPrototypeOf(rest)).toBe(Object.prototype);
  });
});
