import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Latencies } from "../../../src/flow/latencies.ts";

function recorded(values: readonly number[]): Latencies {
  const latencies = new Latencies();
  for (const value of values) latencies.record(value);
  return latencies;
}

describe("latencies", () => {
  it("are never below the true quantile, and at most 9.1 % above it", () => {
    const times = fc.array(fc.double({ min: 0.02, max: 5e6, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const sorted = Float64Array.from(values).toSorted();
        const index = Math.max(1, Math.ceil(share * values.length)) - 1;
        const exact = sorted[index]!;
        const told = recorded(values).quantile(share);
        expect(told).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
        expect(told).toBeLessThanOrEqual(exact * 1.091);
      }),
    );
  });

  it("grow with the share asked for", () => {
    const latencies = recorded([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    const shares = [0, 0.1, 0.5, 0.9, 0.95, 0.99, 1].map((share) => latencies.quantile(share));
    expect(shares).toEqual(shares.toSorted((left, right) => left - right));
    expect(latencies.quantile(1)).toBe(512);
  });

  it("are 0 before the first call", () => {
    expect(recorded([]).quantile(0.99)).toBe(0);
    expect(recorded([]).count).toBe(0);
  });

  it("hold what is too short or too long for any bucket", () => {
    const latencies = recorded([0, 1e12]);
    expect(latencies.quantile(0.5)).toBeLessThanOrEqual(0.01);
    expect(latencies.quantile(1)).toBe(1e12);
    expect(latencies.count).toBe(2);
  });
});
