import * as fc from "fast-check";
import { expect, test } from "vitest";
import { placesIn } from "../../../src/config/places.ts";

const texts = fc.string({
  unit: fc.constantFrom("a", "\n", "\r\n", "\uFEFF", "😀"),
  maxLength: 30,
});

test("law: the text before a place has as many line ends as the line says, and the column counts on from the last", () => {
  fc.assert(
    fc.property(texts, fc.nat(40), (text, offset) => {
      const before = text.slice(0, offset).split("\n");
      expect(placesIn(text, "p.yaml")(offset)).toEqual({
        file: "p.yaml",
        line: before.length,
        column: (before.at(-1)?.length ?? 0) + 1,
      });
    }),
    { numRuns: 500 },
  );
});
