import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeParts, normalized } from "../../../src/embedding/index.ts";

const vector = fc
  .array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
  .map((numbers) => Float32Array.from(numbers));

function norm(numbers: Float32Array): number {
  return Math.hypot(...numbers);
}

describe("mergeParts", () => {
  it("gives a vector of length 1, whatever the lengths of its parts", () => {
    const parts = fc.array(fc.record({ vector, tokens: fc.integer({ min: 1, max: 999 }) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(parts, (all) => {
        const merged = norm(mergeParts(all));
        expect(merged === 0 || Math.abs(merged - 1) < 1e-6).toBe(true);
      }),
    );
  });

  it("weighs parts by their tokens and not by the length of their vectors", () => {
    const parts = [
      { vector: Float32Array.of(10, 0), tokens: 1 },
      { vector: Float32Array.of(0, 0.1), tokens: 3 },
    ];
    const merged = mergeParts(parts);
    expect((merged[1] ?? 0) / (merged[0] ?? 0)).toBeCloseTo(3, 5);
  });

  it("gives zeros where parts cancel each other out", () => {
    const parts = [
      { vector: Float32Array.of(1, 0), tokens: 2 },
      { vector: Float32Array.of(-3, 0), tokens: 2 },
    ];
    expect([...mergeParts(parts)]).toEqual([0, 0]);
    expect([...normalized(Float32Array.of(0, 0))]).toEqual([0, 0]);
  });
});
