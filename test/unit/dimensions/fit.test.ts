import { AssertionError } from "node:assert";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fit } from "../../../src/dimensions/index.ts";

function norm(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

describe("fit", () => {
  it("has exactly the dimension, norm 1 and the direction of the prefix, for any vector", () => {
    const values = fc.float32Array({
      minLength: 1,
      maxLength: 64,
      noNaN: true,
      noDefaultInfinity: true,
    });
    fc.assert(
      fc.property(values, fc.nat(), (vector, seed) => {
        const dimension = (seed % vector.length) + 1;
        const prefix = vector.slice(0, dimension);
        fc.pre(prefix.some((value) => value !== 0));
        const before = vector.slice();
        const fitted = fit(vector, dimension);
        expect(fitted.length).toBe(dimension);
        expect(norm(fitted)).toBeCloseTo(1, 5);
        const length = norm(prefix);
        for (const [index, value] of prefix.entries()) {
          expect(fitted[index]).toBeCloseTo(value / length, 5);
        }
        expect(vector).toEqual(before);
      }),
    );
  });

  it("normalises after slicing, so that a short prefix has norm 1 too", () => {
    expect([...fit(Float32Array.of(3, 4, 12), 2)].map((value) => value.toFixed(3))).toEqual([
      "0.600",
      "0.800",
    ]);
  });

  it("sums in float64, so that 4,096 equal numbers keep norm 1 within a millionth", () => {
    expect(Math.abs(norm(fit(new Float32Array(4096).fill(1e-3), 4096)) - 1)).toBeLessThan(1e-6);
    expect(norm(fit(Float32Array.of(1e30, 1e30), 2))).toBeCloseTo(1, 6);
    expect(norm(fit(Float32Array.of(1e-42, 0), 2))).toBeCloseTo(1, 6);
  });

  it("rejects a prefix of zeros, which has no direction", () => {
    expect(() => fit(Float32Array.of(0, 0, 1), 2)).toThrow(
      expect.objectContaining({ code: "embed.zero", retry: "smaller", scope: "document" }),
    );
  });

  it("stops the run on a vector that is too short or not finite, never pads it", () => {
    expect(() => fit(Float32Array.of(1, 2), 3)).toThrow(AssertionError);
    expect(() => fit(Float32Array.of(1, Number.NaN), 2)).toThrow(AssertionError);
    expect(() => fit(Float32Array.of(1, Number.POSITIVE_INFINITY), 2)).toThrow(AssertionError);
    expect(() => fit(Float32Array.of(1), 0)).toThrow(AssertionError);
  });
});
