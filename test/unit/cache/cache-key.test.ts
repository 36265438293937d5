import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cacheKey } from "../../../src/cache/index.ts";

test("a key is 64 hexadecimal digits and stays the same between versions", () => {
  expect(cacheKey("space", "prompt", "text")).toBe(
    "8436b7a29c626841c1d8e16488d5ad4dbc10c92e0aa115550c70cb0190ea51e3",
  );
});

test("different spaces, prompts and texts have different keys, however they are joined", () => {
  const part = fc.string({ unit: fc.constantFrom("a", "1", " ", "é", "😀"), maxLength: 3 });
  const triple = fc.tuple(part, part, part);
  fc.assert(
    fc.property(triple, triple, (left, right) => {
      const same = left.every((text, index) => text === right[index]);
      expect(cacheKey(...left) === cacheKey(...right)).toBe(same);
    }),
    { numRuns: 2_000 },
  );
});
