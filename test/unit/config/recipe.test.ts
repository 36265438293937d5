import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../../src/config/index.ts";

test("equal values have equal canonical JSON whatever the order of their keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed());
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
    }),
  );
});

test("canonical JSON reads back as the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("properties that are undefined count as left out", () => {
  expect(canonicalJson({ a: undefined, b: [1] })).toBe(canonicalJson({ b: [1] }));
});

test.each([[new Map()], [new Date()], [/x/], [{ a: () => 1 }], [undefined]])(
  "%s is a bug, not a recipe",
  (value) => {
    expect(() => canonicalJson(value)).toThrow("not JSON");
  },
);
