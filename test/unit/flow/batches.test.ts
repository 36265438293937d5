import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batches } from "../../../src/flow/batches.ts";
import { VirtualClock } from "../engine/rig/virtual-clock.ts";

const signal = new AbortController().signal;
const never = (): Promise<never> => new Promise(() => undefined);

async function* upTo(count: number): AsyncGenerator<number> {
  for (let item = 0; item < count; item += 1) yield item;
}

async function* oneThenNothing(): AsyncGenerator<number> {
  yield 1;
  await never();
}

describe("batches", () => {
  it("lose nothing, keep the order and never exceed the size, however the items come", async () => {
    const pauses = fc.array(fc.nat(12), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({ min: 1, max: 9 }), async (waits, size) => {
        const clock = new VirtualClock();
        async function* items(): AsyncGenerator<number> {
          for (const [index, wait] of waits.entries()) {
            if (wait > 0) await clock.sleep(wait, signal);
            yield index;
          }
        }
        const seen: number[] = [];
        for await (const batch of batches(items(), { size, waitMs: 5, clock }, signal)) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(size);
          seen.push(...batch);
        }
        expect(seen).toEqual(waits.map((_, index) => index));
      }),
    );
  });

  it("are full where the items are there", async () => {
    const clock = new VirtualClock();
    const sizes: number[] = [];
    for await (const batch of batches(upTo(10), { size: 4, waitMs: 5, clock }, signal)) {
      sizes.push(batch.length);
    }
    expect(sizes).toEqual([4, 4, 2]);
  });

  it("are given out after the wait, counted from their first item, when the next does not come", async () => {
    const clock = new VirtualClock();
    async function* items(): AsyncGenerator<number> {
      yield 1;
      await clock.sleep(3, signal);
      yield 2;
      await clock.sleep(100, signal);
      yield 3;
    }
    const seen: [number, number[]][] = [];
    for await (const batch of batches(items(), { size: 10, waitMs: 5, clock }, signal)) {
      seen.push([clock.monotonic(), batch]);
    }
    expect(seen).toEqual([
      [5, [1, 2]],
      [103, [3]],
    ]);
  });

  it("give out what came before a failure, and then the failure", async () => {
    const clock = new VirtualClock();
    const failure = new Error("broken off");
    async function* items(): AsyncGenerator<number> {
      yield* [1, 2, 3];
      throw failure;
    }
    const seen: number[][] = [];
    const reading = (async () => {
      for await (const batch of batches(items(), { size: 2, waitMs: 5, clock }, signal)) {
        seen.push(batch);
      }
    })();
    await expect(reading).rejects.toBe(failure);
    expect(seen).toEqual([[1, 2], [3]]);
  });

  it("end at once on an abort, also when the source hangs", async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const seen: number[][] = [];
    const reading = (async () => {
      const options = { size: 10, waitMs: 5, clock };
      for await (const batch of batches(oneThenNothing(), options, controller.signal)) {
        seen.push(batch);
        controller.abort(new Error("enough"));
      }
    })();
    await expect(reading).rejects.toThrow("enough");
    expect(seen).toEqual([[1]]);
  });

  it("close the source when the consumer leaves early, and pull no further", async () => {
    const clock = new VirtualClock();
    let closed = 0;
    let pulled = 0;
    async function* items(): AsyncGenerator<number> {
      try {
        for (;;) {
          pulled += 1;
          yield pulled;
        }
      } finally {
        closed += 1;
      }
    }
    for await (const batch of batches(items(), { size: 3, waitMs: 5, clock }, signal)) {
      expect(batch).toEqual([1, 2, 3]);
      break;
    }
    expect([closed, pulled]).toEqual([1, 3]);
  });

  it("leave no timer behind", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    for await (const batch of batches(upTo(3), { size: 2, waitMs: 1000, clock }, signal)) {
      seen.push(...batch);
    }
    expect(seen).toEqual([0, 1, 2]);
    clock.frozen = true;
    expect(clock.timeline.advance()).toBe(false);
  });
});
