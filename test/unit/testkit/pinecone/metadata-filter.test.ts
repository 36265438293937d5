import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFilter } from "../../../../src/testkit/pinecone/metadata-filter.ts";
import type { PineconeMetadata } from "../../../../src/testkit/index.ts";

const items: readonly PineconeMetadata[] = [
  { category: "books", price: 50, tags: ["new", "sale"], stock: true },
  { category: "books", price: 25, tags: [], stock: false },
  { category: "music", price: 0, stock: true },
  { price: 75 },
  {},
];

/** The numbers of the items that a filter finds. */
function found(filter: Parameters<typeof parseFilter>[0]): number[] {
  const test = parseFilter(filter);
  return items.flatMap((item, index) => (test(item) ? [index] : []));
}

describe("a metadata filter", () => {
  it.each([
    [{ category: "books" }, [0, 1]],
    [{ category: { $eq: "books" } }, [0, 1]],
    [{ category: { $ne: "books" } }, [2, 3, 4]],
    [{ price: 0 }, [2]],
    [{ price: { $gt: 25 } }, [0, 3]],
    [{ price: { $gte: 25 } }, [0, 1, 3]],
    [{ price: { $lt: 25 } }, [2]],
    [{ price: { $lte: 25 } }, [1, 2]],
    [{ price: { $gte: 25, $lt: 75 } }, [0, 1]],
    [{ price: "50" }, []],
    [{ stock: true }, [0, 2]],
    [{ stock: { $ne: true } }, [1, 3, 4]],
    [{ tags: "sale" }, [0]],
    [{ tags: { $in: ["sale", "old"] } }, [0]],
    [{ tags: { $nin: ["sale", "old"] } }, [1, 2, 3, 4]],
    [{ category: { $in: ["music", "books"] } }, [0, 1, 2]],
    [{ price: { $in: [0, 75] } }, [2, 3]],
    [{ category: { $in: [] } }, []],
    [{ category: { $nin: [] } }, [0, 1, 2, 3, 4]],
    [{ category: { $exists: true } }, [0, 1, 2]],
    [{ category: { $exists: false } }, [3, 4]],
    [{ toString: { $exists: true } }, []],
    [{ category: "books", stock: true }, [0]],
    [{ $and: [{ category: "books" }, { price: { $lt: 50 } }] }, [1]],
    [{ $or: [{ category: "music" }, { price: { $gt: 50 } }] }, [2, 3]],
    [{ $or: [{ $and: [{ price: 50 }, { stock: true }] }, { price: 0 }] }, [0, 2]],
    [{ category: {} }, [0, 1, 2, 3, 4]],
    [{}, [0, 1, 2, 3, 4]],
  ])("%j finds %j", (filter, wanted) => {
    expect(found(filter)).toEqual(wanted);
  });

  it.each([
    [
      { a: null },
      "the $eq operator must be followed by a string, boolean or a number, got null instead",
    ],
    [
      { a: { $eq: {} } },
      "the $eq operator must be followed by a string, boolean or a number, got {} instead",
    ],
    [
      { a: ["x"] },
      'the $eq operator must be followed by a string, boolean or a number, got ["x"] instead',
    ],
    [{ a: { $gt: "1" } }, 'the $gt operator must be followed by a number, got "1" instead'],
    [{ a: { $lte: true } }, "the $lte operator must be followed by a number, got true instead"],
    [
      { a: { $in: [true] } },
      "the $in operator must be followed by a list of strings or a list of numbers, got [true] instead",
    ],
    [
      { a: { $nin: ["x", 1] } },
      'the $nin operator must be followed by a list of strings or a list of numbers, got ["x",1] instead',
    ],
    [
      { a: { $in: "x" } },
      'the $in operator must be followed by a list of strings or a list of numbers, got "x" instead',
    ],
    [{ a: { $exists: 1 } }, "the $exists operator must be followed by a boolean, got 1 instead"],
    [{ a: { eq: "x" } }, 'illegal condition for field a, got {"eq":"x"}'],
    [{ filter: { page: 1 } }, 'illegal condition for field filter, got {"page":1}'],
    [
      { $and: [] },
      "the $and operator must be followed by a list of filter expressions, got [] instead",
    ],
    [
      { $or: [{}] },
      "the $or operator must be followed by a list of filter expressions, got [{}] instead",
    ],
    [{ $not: { a: 1 } }, "$not is not a valid operator of the metadata filter"],
    [
      { a: { $in: Array.from({ length: 10_001 }, () => 1) } },
      "$in takes at most 10000 values, got 10001",
    ],
  ])("%j is refused", (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(message);
  });

  it("is refused when it is nested without end", () => {
    let filter: Parameters<typeof parseFilter>[0] = { a: 1 };
    for (let depth = 0; depth < 10_000; depth += 1) filter = { $and: [filter] };
    expect(() => parseFilter(filter)).toThrow("nested too deep");
  });

  const value = fc.oneof(
    fc.constantFrom("x", "y"),
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
  );
  const metadata = fc.dictionary(fc.constantFrom("a", "b"), value, { maxKeys: 2 });
  const scalar = fc.oneof(fc.constantFrom("x", "y"), fc.integer({ min: 0, max: 3 }), fc.boolean());

  it("finds with `$ne` what it does not find with `$eq`, and with `$nin` what not with `$in`", () => {
    const law = fc.property(metadata, scalar, (record, given) => {
      expect(parseFilter({ a: { $ne: given } })(record)).toBe(!parseFilter({ a: given })(record));
      const list = typeof given === "boolean" ? [] : [given];
      const isIn = parseFilter({ a: { $in: list } })(record);
      expect(parseFilter({ a: { $nin: list } })(record)).toBe(!isIn);
      if (typeof given !== "boolean") expect(parseFilter({ a: given })(record)).toBe(isIn);
    });
    fc.assert(law);
  });

  it("means by several fields what `$and` means, and by `$or` what sets mean", () => {
    const law = fc.property(metadata, scalar, scalar, (record, one, other) => {
      const [first, second] = [parseFilter({ a: one })(record), parseFilter({ b: other })(record)];
      const both = first && second;
      expect(parseFilter({ a: one, b: other })(record)).toBe(both);
      expect(parseFilter({ $and: [{ a: one }, { b: other }] })(record)).toBe(both);
      expect(parseFilter({ $or: [{ a: one }, { b: other }] })(record)).toBe(first || second);
    });
    fc.assert(law);
  });
});
