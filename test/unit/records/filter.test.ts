import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FieldType, Filter, FilterCondition } from "../../../src/contracts/index.ts";
import { checkFilter, meetsConditions } from "../../../src/records/filter.ts";

const declared: Readonly<Record<string, FieldType>> = {
  language: "string",
  year: "integer",
  rating: "float",
  public: "boolean",
  published: "timestamp",
  tags: "string_list",
};
const record = {
  document: "docs:a.md",
  source: "docs",
  pipeline: "handbook",
  fields: { language: "de", year: 2024, public: true, published: 1_000, tags: ["a", "b"] },
};

function finds(...filter: Filter): boolean {
  return meetsConditions(record, checkFilter(filter, declared));
}

function condition(
  field: string,
  operator: FilterCondition["operator"],
  value: FilterCondition["value"],
): FilterCondition {
  return { field, operator, value };
}

describe("a filter", () => {
  it.each([
    ["year", "=", "2024", true],
    ["year", ">", "2023", true],
    ["year", "<", 2024, false],
    ["public", "=", "true", true],
    ["public", "!=", "true", false],
    ["published", "=", "1970-01-01T00:00:01Z", true],
    ["published", "<=", "1000", true],
    ["tags", "=", "b", true],
    ["tags", "!=", "b", false],
    ["tags", "in", ["x", "a"], true],
    ["tags", "!=", ["x", "y"], true],
    ["language", "in", ["en", "de"], true],
    ["language", "!=", ["en", "de"], false],
    ["source", "=", "docs", true],
  ] as const)("reads `%s %s %j` by the field's type: %s", (field, operator, value, expected) => {
    expect(finds(condition(field, operator, value))).toBe(expected);
  });

  it("finds no record by a field that it lacks, whatever the operator", () => {
    for (const operator of ["=", "!=", "<", ">", "<=", ">=", "in"] as const) {
      expect(finds(condition("rating", operator, 1))).toBe(false);
      expect(finds(condition("title", operator, "x"))).toBe(false);
    }
  });

  it("finds a record with a value either by `=` or by `!=`, never by both", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("de", "en", ""),
        fc.constantFrom("language", "source"),
        (value, field) => {
          expect(finds(condition(field, "=", value))).not.toBe(
            finds(condition(field, "!=", value)),
          );
        },
      ),
    );
  });

  it.each([
    ["langauge", "=", "de", "Did you mean `language`?"],
    ["author", "=", "me", "declare others under `metadata`"],
    ["year", "=", "soon", "compares `year` with `soon`, expected an integer"],
    ["published", ">", "soon", "expected a time"],
    ["public", "=", 1, "expected true or false"],
    ["language", "=", 5, "expected a string"],
    ["public", "<", true, "Use `=`, `!=` or `in`"],
    ["tags", ">", "a", "Use `=`, `!=` or `in`"],
    ["year", "<", [1, 2], "or compare with one value"],
  ] as const)("is refused when it says `%s %s %j`", (field, operator, value, message) => {
    expect(() => finds(condition(field, operator, value))).toThrow(
      expect.objectContaining({
        code: "config.invalid",
        message: expect.stringContaining(message),
      }),
    );
  });
});
