import { describe, expect, it } from "vitest";
import { compileFilter } from "../../../../connectors/sinks/weaviate/filter.ts";
import type { LiveColumn } from "../../../../connectors/sinks/weaviate/live-schema.ts";
import type { FieldType, Filter } from "../../../../src/contracts/index.ts";
import { checkFilter } from "../../../../src/records/filter.ts";
import { lawFields } from "../../../../src/testkit/index.ts";

const types: Readonly<Record<FieldType, string>> = {
  string: "text",
  integer: "int",
  float: "number",
  boolean: "boolean",
  timestamp: "date",
  string_list: "text[]",
};

function column(field: string, type: FieldType, changes: object = {}): LiveColumn {
  const name = `p_${field}`;
  return {
    column: { field, name, type, required: false, declared: true },
    property: { name, dataType: [types[type]], tokenization: "field", indexFilterable: true },
    type: types[type],
    ...changes,
  };
}

const columns = [
  column("document", "string"),
  ...Object.entries(lawFields).map(([field, type]) => column(field, type)),
];

function compile(...filter: Filter) {
  return compileFilter(checkFilter(filter, lawFields), columns);
}

describe("a filter", () => {
  it("lets everything through when it has no conditions", () => {
    expect(compile()).toBe("everything");
  });

  it("compares in the type of the property", () => {
    const { text, integer, number, boolean } = {
      text: compile({ field: "document", operator: "=", value: `it's "odd"\\\n` }),
      integer: compile({ field: "year", operator: ">=", value: 2020 }),
      number: compile({ field: "rating", operator: "<", value: 1 }),
      boolean: compile({ field: "public", operator: "=", value: "true" }),
    };
    const odd = `it's "odd"\\\n`;
    expect(text).toEqual({
      operator: "equal",
      property: "p_document",
      value: { kind: "text", value: odd },
    });
    expect(integer).toEqual({
      operator: "greater-or-equal",
      property: "p_year",
      value: { kind: "integer", value: 2020 },
    });
    expect(number).toMatchObject({ operator: "less", value: { kind: "number", value: 1 } });
    expect(boolean).toMatchObject({ operator: "equal", value: { kind: "boolean", value: true } });
  });

  it("joins conditions with `and`, and any of several values with `or`", () => {
    expect(
      compile(
        { field: "year", operator: "in", value: [2020, 2021] },
        { field: "language", operator: "=", value: "de" },
      ),
    ).toMatchObject({
      operator: "and",
      operands: [
        { operator: "or", operands: [{ operator: "equal" }, { operator: "equal" }] },
        { operator: "equal", property: "p_language" },
      ],
    });
  });

  it("asks with `!=` also whether there is a value", () => {
    const smallest = { language: "", year: Number.MIN_SAFE_INTEGER, rating: -Number.MAX_VALUE };
    for (const [field, value] of Object.entries(smallest)) {
      const filter = compile({ field, operator: "!=", value: field === "language" ? "de" : 1 });
      expect(filter).toMatchObject({
        operator: "and",
        operands: [{ operator: "greater-or-equal", value: { value } }, { operator: "not-equal" }],
      });
    }
  });

  it("finds nothing by a value that nothing can equal, and needs no question for that", () => {
    expect(compile({ field: "year", operator: "=", value: 1.5 })).toBe("nothing");
    expect(compile({ field: "year", operator: "in", value: [] })).toBe("nothing");
    expect(compile({ field: "published", operator: "=", value: "9999-01-01" })).toBe("nothing");
    expect(compile({ field: "published", operator: ">", value: "9999-01-01" })).toBe("nothing");
    expect(compile({ field: "published", operator: "<", value: "1066-10-14" })).toBe("nothing");
    expect(compile({ field: "year", operator: ">", value: 1e300 })).toBe("nothing");
  });

  it("finds all that have a value by a comparison beyond every value", () => {
    const all = { operator: "greater-or-equal" };
    expect(compile({ field: "published", operator: "<", value: "9999-01-01" })).toMatchObject(all);
    expect(compile({ field: "published", operator: ">=", value: "1066-10-14" })).toMatchObject(all);
    expect(compile({ field: "year", operator: "<", value: 1e300 })).toMatchObject({
      ...all,
      value: { value: Number.MIN_SAFE_INTEGER },
    });
  });

  it("compares integers with fractions as if they could have some", () => {
    const cases = [
      ["<", "less-or-equal", 1],
      ["<=", "less-or-equal", 1],
      [">", "greater-or-equal", 2],
      [">=", "greater-or-equal", 2],
    ] as const;
    for (const [operator, expected, value] of cases) {
      expect(compile({ field: "year", operator, value: 1.5 })).toMatchObject({
        operator: expected,
        value: { kind: "integer", value },
      });
    }
  });

  it("finds nothing by a field that the collection does not have", () => {
    const conditions = checkFilter([{ field: "language", operator: "=", value: "de" }], lawFields);
    expect(compileFilter(conditions, [])).toBe("nothing");
  });

  it("is refused where the property cannot be compared as a whole", () => {
    const conditions = checkFilter([{ field: "language", operator: "=", value: "de" }], lawFields);
    const base = { name: "p_language", dataType: ["text"] };
    for (const property of [
      { ...base, tokenization: "word", indexFilterable: true },
      { ...base, tokenization: "lowercase", indexFilterable: true },
      { ...base, tokenization: "field", indexFilterable: false, indexSearchable: false },
    ]) {
      const live = [column("language", "string", { property })];
      expect(() => compileFilter(conditions, live)).toThrow(/`p_language` cannot be compared/);
    }
  });

  it("sends times as dates, or as numbers where a number keeps them", () => {
    const conditions = checkFilter(
      [{ field: "published", operator: ">", value: 1_700_000_000_123 }],
      lawFields,
    );
    expect(compileFilter(conditions, columns)).toMatchObject({
      value: { kind: "text", value: "2023-11-14T22:13:20.123Z" },
    });
    const number = column("published", "timestamp", {
      property: { name: "p_published", dataType: ["int"], indexFilterable: true },
      type: "int",
    });
    expect(compileFilter(conditions, [number])).toMatchObject({
      value: { kind: "integer", value: 1_700_000_000_123 },
    });
  });
});
