import { expect, it } from "vitest";
import { cosineOf, normOf } from "../../../src/embedding/index.ts";

it("a cosine is that of the directions, of all numbers or of the first", () => {
  const [one, other] = [Float32Array.of(3, 4, 0), Float32Array.of(30, 40, 1_000)];
  expect(cosineOf(one, one)).toBeCloseTo(1, 12);
  expect(cosineOf(one, other, 2)).toBeCloseTo(1, 12);
  expect(cosineOf(one, other)).toBeCloseTo(0.05, 2);
  expect(cosineOf(one, Float32Array.of(-3, -4, 0))).toBeCloseTo(-1, 12);
  expect(normOf(one)).toBe(5);
});

it("a cosine is 0 without a direction, and no number where there is none", () => {
  expect(cosineOf(Float32Array.of(0, 0), Float32Array.of(1, 0))).toBe(0);
  expect(cosineOf(Float32Array.of(NaN, 0), Float32Array.of(1, 0))).toBeNaN();
});
