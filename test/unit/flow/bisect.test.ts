import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { bisect, type Outcome } from "../../../src/flow/bisect.ts";

const guilty = new Fault("embed.rejected", "A text was refused.");

describe("bisect", () => {
  it("finds exactly the guilty items, in any place and number, and keeps the order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), async (items) => {
        const outcomes = await bisect(items, async (part): Promise<readonly Outcome<number>[]> => {
          if (part.includes(true)) throw guilty;
          return part.map(() => ({ value: 1 }));
        });
        expect(outcomes.map((outcome) => "fault" in outcome)).toEqual(items);
      }),
    );
  });

  it("needs few calls for one guilty item of many", async () => {
    const items = Array.from({ length: 1024 }, (_, index) => index);
    let calls = 0;
    const outcomes = await bisect(items, async (part): Promise<readonly Outcome<number>[]> => {
      calls += 1;
      if (part.includes(700)) throw guilty;
      return part.map((value) => ({ value }));
    });
    expect(outcomes.filter((outcome) => "fault" in outcome)).toHaveLength(1);
    expect(outcomes[700]).toEqual({ fault: guilty });
    expect(calls).toBe(1 + 2 * 10);
  });

  it("halves also what is only too large together", async () => {
    const tooLarge = new Fault("sink.too-large", "Too large.", { scope: "component" });
    const sizes: number[] = [];
    const outcomes = await bisect([1, 2, 3, 4, 5, 6, 7], async (part) => {
      if (part.length > 2) throw tooLarge;
      sizes.push(part.length);
      return part.map((value) => ({ value }));
    });
    expect(outcomes).toEqual([1, 2, 3, 4, 5, 6, 7].map((value) => ({ value })));
    expect(Math.max(...sizes)).toBe(2);
  });

  it.each<[string, unknown]>([
    ["a component fault", new Fault("embed.unreachable", "Down.")],
    ["a fault of unknown outcome", new Fault("sink.rejected", "?", { ambiguous: true })],
    ["a bug", new TypeError("A bug.")],
  ])("passes %s on without another call", async (_what, error) => {
    let calls = 0;
    const bisecting = bisect([1, 2, 3], async () => {
      calls += 1;
      throw error;
    });
    await expect(bisecting).rejects.toBe(error);
    expect(calls).toBe(1);
  });

  it("gives the outcomes of a call that reports single faults as they are", async () => {
    const outcomes = [{ value: 1 }, { fault: guilty }];
    expect(await bisect([1, 2], async () => outcomes)).toEqual(outcomes);
  });

  it("asks nothing for no items but once", async () => {
    expect(await bisect([], async () => [])).toEqual([]);
  });
});
