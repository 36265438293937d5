import { describe, expect, it } from "vitest";
import type { VectorRecord } from "../../../src/contracts/index.ts";
import { largestInt32, recordProblem } from "../../../src/records/check-record.ts";
import { lawFields, makeRecord } from "../../../src/testkit/sink-harness.ts";

function problemOf(changes: Partial<VectorRecord>, largest?: number): string | undefined {
  return recordProblem(makeRecord(1, 4, changes), lawFields, largest);
}

describe("a record", () => {
  it("can be stored with everything that it may have", () => {
    const fields = {
      language: "",
      year: -(2 ** 53 - 1),
      rating: 0.1,
      public: false,
      published: -8.64e15,
      tags: ["a", ""],
    };
    expect(problemOf({ fields, page: 0, position: largestInt32 }, largestInt32)).toBeUndefined();
    expect(problemOf({ page: Number.MAX_SAFE_INTEGER })).toBeUndefined();
  });

  it.each([
    [1, NaN, 0, 0],
    [1, Infinity, 0, 0],
    [Infinity, 0, -Infinity, 0],
  ])("is refused with the vector %d, %d, %d, %d", (...numbers) => {
    expect(problemOf({ vector: Float32Array.from(numbers) })).toMatch(/not finite/);
  });

  it("may have the largest numbers there are", () => {
    const vector = new Float32Array(4).fill(3.4028234663852886e38);
    expect(problemOf({ vector })).toBeUndefined();
  });

  it.each([-1, 1.5, NaN, Infinity, 2 ** 31])("is refused with the page or position %d", (value) => {
    expect(problemOf({ page: value }, largestInt32)).toBe(
      `\`page\` is ${value}, expected a whole number from 0 to 2147483647`,
    );
    expect(problemOf({ position: value }, largestInt32)).toMatch(/^`position` is/);
  });

  it("is refused with a page that loses its last digits as a number", () => {
    expect(problemOf({ page: 2 ** 53 })).toMatch(/from 0 to 9007199254740991$/);
  });

  it.each([
    { language: 1 },
    { year: 2 ** 53 },
    { year: 0.5 },
    { year: "1999" },
    { rating: null },
    { rating: "1" },
    { public: 1 },
    { published: 8.64e15 + 1 },
    { published: "2026-01-31" },
    { tags: "a" },
    { tags: ["a", 1] },
  ])("is refused with a field of another type, as in %j", (fields) => {
    const [name] = Object.keys(fields);
    expect(problemOf({ fields })).toMatch(
      new RegExp(`^the value of \`${name}\` is not of type ${lawFields[name ?? ""]}$`),
    );
  });

  it.each(["colour", "constructor", "toString"])("is refused with the field %s", (name) => {
    const problem = `\`${name}\` is not declared under \`metadata\``;
    expect(problemOf({ fields: { [name]: "red" } })).toBe(problem);
  });
});
