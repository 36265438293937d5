import { describe, expect, it } from "vitest";
import type { Place } from "../../../../../connectors/embedders/qwen3/runtime/place.ts";
import {
  checkSpeed,
  differenceOf,
} from "../../../../../connectors/embedders/qwen3/runtime/self-test.ts";

const vector = Float32Array.of(3, -4, 12, 0.5);

describe("two vectors of one text", () => {
  it("are equal up to a cosine of 0.999 and a hundredth of the length", () => {
    expect(differenceOf(vector, vector)).toBeUndefined();
    expect(
      differenceOf(
        vector.map((value) => value * 1.009),
        vector,
      ),
    ).toBeUndefined();
    expect(differenceOf(Float32Array.of(3, -4, 12, 0.9), vector)).toBeUndefined();
  });

  it("differ in direction, in length alone, and where one is no number or nothing", () => {
    expect(differenceOf(Float32Array.of(3, -4, 12, 2), vector)).toMatch(/^cosine 0\.99/);
    expect(
      differenceOf(
        vector.map((value) => value * 1.02),
        vector,
      ),
    ).toMatch(/^1\.02.* times/);
    expect(differenceOf(Float32Array.of(3, Number.NaN, 12, 0.5), vector)).toBe("cosine NaN");
    expect(differenceOf(new Float32Array(4), vector)).toBe("cosine NaN");
  });
});

it("a device may take three times as long as the CPU, and not more", () => {
  const place = { name: "webgpu" } as Place;
  expect(checkSpeed(place, 29, 10)).toBeUndefined();
  expect(() => checkSpeed(place, 31, 10)).toThrow(/`webgpu` takes 31 ms .* in 10 ms/);
});
