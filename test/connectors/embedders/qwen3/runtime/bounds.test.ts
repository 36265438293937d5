import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bounds, cutRuns } from "../../../../../connectors/embedders/qwen3/runtime/bounds.ts";
import { tinyModel } from "./tiny-model.ts";

/** The published 0.6B model. */
const model = { ...tinyModel(), hidden: 1024, layers: 28, heads: 16, kvHeads: 8, headDim: 128 };

function boundsOf(kind: "cpu" | "cuda", rows?: number): Bounds {
  return new Bounds(model, kind, rows === undefined ? { pooled: false } : { pooled: false, rows });
}

const lengths = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 80 });

describe("the runs of a call", () => {
  it("hold each row once, and none more than the bounds allow", () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom("cpu", "cuda"), (all, kind) => {
        const bounds = boundsOf(kind);
        const runs = cutRuns(
          all.map((length) => new Int32Array(length)),
          bounds,
        );
        expect(runs.flat().toSorted((left, right) => left - right)).toEqual([...all.keys()]);
        for (const run of runs) {
          const columns = Math.max(...run.map((index) => all[index]!));
          expect(bounds.allow(run.length, columns)).toBe(true);
          if (run.length === 1) continue;
          // 256 MiB of float32 states, and 512 MiB (or 2 GiB) of one layer's attention.
          expect(run.length * columns * 1024 * 4).toBeLessThanOrEqual(2 ** 28);
          const attention = run.length * 16 * columns * columns * 4;
          expect(attention).toBeLessThanOrEqual(kind === "cpu" ? 2 ** 29 : 2 ** 31);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("leave a batch whole that fits, in its order", () => {
    const rows = [30, 10, 20].map((length) => new Int32Array(length));
    expect(cutRuns(rows, boundsOf("cpu"))).toEqual([[0, 1, 2]]);
  });

  it("are single rows where the graph takes one at a time", () => {
    const rows = [30, 10, 20].map((length) => new Int32Array(length));
    expect(cutRuns(rows, boundsOf("cpu", 1))).toEqual([[1], [2], [0]]);
  });
});

describe("what was learnt of the memory", () => {
  it("halves batches at once, and lets them grow again slowly, never beyond the first bound", () => {
    const bounds = boundsOf("cuda");
    expect(bounds.allow(64, 512)).toBe(true);
    bounds.shrink(64 * 512);
    expect(bounds.allow(64, 512)).toBe(false);
    expect(bounds.allow(32, 512)).toBe(true);
    for (let batch = 0; batch < 11; batch += 1) bounds.grow();
    expect(bounds.allow(64, 512)).toBe(false);
    for (let batch = 0; batch < 100; batch += 1) bounds.grow();
    expect(bounds.allow(64, 512)).toBe(true);
    expect(bounds.allow(2, bounds.cells)).toBe(false);
  });

  it("lets a row alone through, whatever was learnt", () => {
    const bounds = boundsOf("cpu");
    bounds.shrink(1);
    expect(bounds.allow(1, 32_768)).toBe(true);
  });
});
