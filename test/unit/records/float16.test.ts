import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromFloat16, toFloat16 } from "../../../src/records/float16.ts";

describe("float16", () => {
  it("gives every one of its 65,536 values back", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = fromFloat16(bits);
      if (Number.isNaN(value)) expect(fromFloat16(toFloat16(value))).toBeNaN();
      else expect(toFloat16(value)).toBe(bits);
    }
  });

  it("rounds every number to one of its two neighbours, the nearer, ties to even", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7bfe }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bits, share) => {
          const [low, high] = [fromFloat16(bits), fromFloat16(bits + 1)];
          const value = Math.fround(low + (high - low) * share);
          const expected =
            value - low === high - value
              ? bits + (bits & 1)
              : value - low < high - value
                ? bits
                : bits + 1;
          expect(toFloat16(value)).toBe(expected);
          expect(toFloat16(-value)).toBe(expected | 0x8000);
        },
      ),
    );
  });

  it.each([
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [2 ** -26, 0],
    [65_504, 65_504],
    [65_520, Infinity],
    [-70_000, -Infinity],
    [NaN, NaN],
  ])("keeps %d as %d", (number, expected) => {
    expect(fromFloat16(toFloat16(number))).toBe(expected);
  });
});
