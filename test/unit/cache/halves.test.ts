import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeVector, encodeVector } from "../../../src/cache/vectors.ts";

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const someVectors = fc
  .array(float32, { minLength: 1, maxLength: 300 })
  .map((numbers) => Float32Array.from(numbers))
  .filter((vector) => vector.some((value) => value !== 0));

/** Vectors as models give them: numbers of like size or 0, of norm 1. */
const unitVectors = fc
  .array(fc.integer({ min: -1000, max: 1000 }), { minLength: 32, maxLength: 1024 })
  .filter((numbers) => numbers.some((value) => value !== 0))
  .map((numbers) => {
    const norm = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
    return Float32Array.from(numbers, (value) => value / norm);
  });

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (const [index, x] of a.entries()) {
    const y = b[index] ?? 0;
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return dot / Math.sqrt(squaresA) / Math.sqrt(squaresB);
}

function through(vector: Float32Array): Float32Array {
  const back = decodeVector(encodeVector(vector, "float16"), vector.length, "float16");
  if (!(back instanceof Float32Array)) throw new Error(`it is ${back}`);
  return back;
}

describe("a vector kept as float16", () => {
  test("comes back in the same direction, whatever it holds: cosine at least 0.99999", () => {
    fc.assert(
      fc.property(someVectors, (vector) => {
        expect(cosine(vector, through(vector))).toBeGreaterThanOrEqual(0.99999);
      }),
    );
  });

  test("takes half the room and a byte, when it is a unit vector", () => {
    fc.assert(
      fc.property(unitVectors, (vector) => {
        expect(encodeVector(vector, "float16").byteLength).toBe(vector.length * 2 + 1);
      }),
    );
  });

  test("can be cut: prefixes of 16 numbers and more point as those of the original", () => {
    fc.assert(
      fc.property(someVectors, fc.integer({ min: 16, max: 300 }), (vector, length) => {
        const prefix = vector.subarray(0, length);
        if (prefix.length < 16 || prefix.every((value) => value === 0)) return;
        expect(cosine(prefix, through(vector).subarray(0, length))).toBeGreaterThanOrEqual(0.99999);
      }),
    );
  });

  test.each([
    ["numbers beyond 65,504", [70_000, 1]],
    ["numbers too small for float16", [1e-9, 2e-9]],
    ["a prefix too small for it", [...Array.from({ length: 40 }, () => 1e-9), 1]],
  ])("stays float32, bit by bit, with %s", (_, numbers) => {
    const vector = Float32Array.from(numbers);
    expect(encodeVector(vector, "float16").byteLength).toBe(vector.length * 4);
    expect(through(vector)).toEqual(vector);
  });

  test("is not given to those who keep float32, and theirs is given to both", () => {
    const vector = Float32Array.from({ length: 64 }, (_, index) => Math.sin(index + 1));
    expect(decodeVector(encodeVector(vector, "float16"), 64, "float32")).toBe("coarser");
    expect(decodeVector(encodeVector(vector, "float32"), 64, "float32")).toEqual(vector);
    expect(decodeVector(encodeVector(vector, "float32"), 64, "float16")).toEqual(vector);
  });

  test("is never taken for a float32 vector of any dimension, nor the other way round", () => {
    fc.assert(
      fc.property(unitVectors, fc.integer({ min: 1, max: 2_048 }), (vector, dimension) => {
        if (dimension === vector.length) return;
        for (const storage of ["float32", "float16"] as const) {
          const bytes = encodeVector(vector, storage);
          expect(decodeVector(bytes, dimension, "float16")).toBe("broken");
        }
      }),
    );
  });

  test("is broken when its last byte was not written as such, or it holds NaN or nothing but zeros", () => {
    const bytes = encodeVector(Float32Array.of(0.5, 0.25), "float16");
    expect(decodeVector(bytes, 2, "float16")).toEqual(Float32Array.of(0.5, 0.25));
    expect(decodeVector(bytes.with(4, 0), 2, "float16")).toBe("broken");
    expect(decodeVector(bytes.with(1, 0x7e), 2, "float16")).toBe("broken");
    expect(decodeVector(Uint8Array.of(0, 0, 0, 0x80, 0x16), 2, "float16")).toBe("broken");
  });
});
