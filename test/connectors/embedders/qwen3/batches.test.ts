import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchLimits, planBatches } from "../../../../connectors/embedders/qwen3/batches.ts";

const limits = fc.record({
  texts: fc.integer({ min: 1, max: 40 }),
  tokens: fc.integer({ min: 1, max: 5_000 }),
});
const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 120 });

function computed(batches: readonly (readonly number[])[], all: readonly number[]): number {
  return batches.reduce((sum, batch) => sum + batch.length * longest(batch, all), 0);
}

function longest(batch: readonly number[], all: readonly number[]): number {
  return Math.max(...batch.map((index) => all[index] ?? 0));
}

/** What one would write without thinking: sorted, and each batch as full as it goes. */
function greedy(all: readonly number[], { texts, tokens }: BatchLimits): number[][] {
  const order = all.map((_, index) => index).toSorted((a, b) => (all[b] ?? 0) - (all[a] ?? 0));
  const batches: number[][] = [];
  for (const index of order) {
    const last = batches.at(-1);
    const fits =
      last !== undefined && last.length < texts && (last.length + 1) * longest(last, all) <= tokens;
    if (fits) last.push(index);
    else batches.push([index]);
  }
  return batches;
}

describe("planBatches", () => {
  it("puts every row into exactly one batch", () => {
    fc.assert(
      fc.property(lengths, limits, (all, limit) => {
        const places = planBatches(all, limit).flat();
        expect(places.toSorted((a, b) => a - b)).toEqual(all.map((_, index) => index));
      }),
    );
  });

  it("keeps both limits, save for a row that is too long for any batch and goes alone", () => {
    fc.assert(
      fc.property(lengths, limits, (all, limit) => {
        for (const batch of planBatches(all, limit)) {
          expect(batch.length).toBeLessThanOrEqual(limit.texts);
          if (batch.length === 1) continue;
          expect(batch.length * longest(batch, all)).toBeLessThanOrEqual(limit.tokens);
        }
      }),
    );
  });

  it("never costs more than full batches of sorted rows, what starting them is worth included", () => {
    fc.assert(
      fc.property(lengths, limits, (all, limit) => {
        const planned = planBatches(all, limit);
        const full = greedy(all, limit);
        const saved = computed(full, all) - computed(planned, all);
        const started = (planned.length - full.length) * limit.tokens;
        expect(saved).toBeGreaterThanOrEqual(started / 128 - 1e-6);
      }),
    );
  });

  it("starts no batch that saves less than one in 128 of a full one, and few where lengths are alike", () => {
    const limit = { texts: 256, tokens: 16_384 };
    const alike = Array.from({ length: 256 }, (_, index) => 500 + (index % 8));
    expect(planBatches(alike, limit).length).toBe(greedy(alike, limit).length);
    expect(planBatches([10, 100, 60], limit).length).toBe(1);
    expect(planBatches([], limit)).toEqual([]);
  });

  it("pads at most 5 % in calls of several batches of chunks, whatever their lengths", () => {
    const chunks = fc.array(fc.integer({ min: 3, max: 512 }), { minLength: 200, maxLength: 400 });
    fc.assert(
      fc.property(chunks, (all) => {
        const real = all.reduce((sum, length) => sum + length, 0);
        const padding = computed(planBatches(all, { texts: 256, tokens: 16_384 }), all) - real;
        expect(padding / (real + padding)).toBeLessThanOrEqual(0.05);
      }),
      { numRuns: 50 },
    );
  });
});
