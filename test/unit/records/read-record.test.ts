import { describe, expect, it } from "vitest";
import { createLayout, valueOf } from "../../../src/records/layout.ts";
import { type Cell, headerFields, readRecord } from "../../../src/records/read-record.ts";
import { lawFields, makeRecord } from "../../../src/testkit/sink-harness.ts";

const { columns } = createLayout({
  sink: "search",
  declared: lawFields,
  fields: { text: "body" },
  omit: [],
  names: { pattern: /./u, words: "anything" },
});

/** The cells of a row that holds these values, by field. */
function cellsOf(values: Readonly<Record<string, unknown>>): Cell[] {
  return columns.map((column): Cell => [column, values[column.field]]);
}

const bare = {
  id: "",
  document: "",
  source: "",
  fingerprint: "",
  revision: "",
  pipeline: "",
  fields: {},
  metadata: {},
};

describe("a row", () => {
  it("gives the record back that was written", () => {
    const {
      position: _,
      vector,
      ...record
    } = makeRecord(1, 4, {
      title: "A title",
      uri: "https://example.com/",
      page: 3,
      fields: { language: "en", year: 1999, public: false, tags: ["a"] },
      metadata: { nested: { list: [1, null] } },
      position: 7,
    });
    const cells = columns
      .filter(({ type }) => type !== "vector")
      .map((column): Cell => [column, valueOf({ ...record, vector }, column)]);
    expect(readRecord(cells)).toEqual(record);
    expect(readRecord(cells, { vector })).toEqual({ ...record, vector });
  });

  it("takes the id from elsewhere where it is no column", () => {
    expect(readRecord([], { id: "a" }).id).toBe("a");
  });

  it("leaves out what it does not have", () => {
    expect(readRecord([])).toEqual(bare);
    const nothing = columns.map((column): Cell => [column, null]);
    expect(readRecord(nothing)).toEqual(bare);
  });

  it("leaves out what is of another type", () => {
    const cells = cellsOf({
      id: 1,
      document: 2,
      text: 3,
      title: [],
      uri: {},
      page: "4",
      headings: "5",
    });
    expect(readRecord(cells)).toEqual(bare);
  });

  it("may have its metadata as an object, or as the text of one", () => {
    for (const metadata of [{ a: 1 }, '{"a":1}']) {
      expect(readRecord(cellsOf({ metadata })).metadata).toEqual({ a: 1 });
    }
  });

  it.each(["{", "[]", "null", "7", "", 7, true, [[]]])(
    "is somebody else's with the metadata %j",
    (metadata) => {
      expect(() => readRecord(cellsOf({ id: "a", metadata }))).toThrow(
        expect.objectContaining({
          code: "sink.foreign",
          message: expect.stringContaining("the record `a` is not a JSON object"),
        }),
      );
    },
  );
});

describe("the fields of a scan", () => {
  it("are what every record tells besides its texts", () => {
    const { text: _, metadata: __, fields: ___, ...header } = { ...bare, text: "" };
    expect([...headerFields].toSorted()).toEqual(Object.keys(header).toSorted());
  });
});
