import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Coalescer, type CoalescerOptions } from "../../../src/flow/coalescer.ts";
import { Gauge } from "../engine/rig/gauge.ts";
import { VirtualClock } from "../engine/rig/virtual-clock.ts";

const signal = new AbortController().signal;

function coalescer(
  options: Partial<CoalescerOptions<number, number>> & { readonly clock: VirtualClock },
): { readonly coalescer: Coalescer<number, number>; readonly calls: number[][] } {
  const calls: number[][] = [];
  const made = new Coalescer<number, number>({
    limits: () => ({ items: 4, weight: 100, concurrent: 2 }),
    weigh: (item) => item,
    call: async (items) => {
      calls.push([...items]);
      return items.map((item) => ({ value: -item }));
    },
    maxWaitMs: 20,
    ...options,
  });
  return { coalescer: made, calls };
}

/** A coalescer whose calls wait until they are answered. */
function busy(clock: VirtualClock) {
  const answered: PromiseWithResolvers<void>[] = [];
  const calls: number[][] = [];
  const { coalescer: coalescing } = coalescer({
    clock,
    busyWaitMs: 100,
    call: async (items) => {
      calls.push([...items]);
      const answer = Promise.withResolvers<void>();
      answered.push(answer);
      await answer.promise;
      return items.map((value) => ({ value }));
    },
  });
  return { coalescing, calls, answer: (index: number) => answered[index]?.resolve() };
}

describe("a coalescer", () => {
  it("never exceeds its limits, loses nothing, doubles nothing and answers each with its own", async () => {
    const item = fc.record({ weight: fc.integer({ min: 0, max: 30 }), pause: fc.nat(30) });
    const limits = fc.record({
      items: fc.integer({ min: 1, max: 6 }),
      weight: fc.integer({ min: 1, max: 40 }),
      concurrent: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 40 }), limits, async (items, bounds) => {
        const clock = new VirtualClock();
        const calling = new Gauge();
        const sent: number[] = [];
        const coalescing = new Coalescer<number, string>({
          limits: () => bounds,
          weigh: (index) => items[index]?.weight ?? 0,
          call: async (batch) => {
            const weight = batch.reduce((sum, index) => sum + (items[index]?.weight ?? 0), 0);
            expect(batch.length).toBeGreaterThan(0);
            expect(batch.length).toBeLessThanOrEqual(bounds.items);
            if (batch.length > 1) expect(weight).toBeLessThanOrEqual(bounds.weight);
            sent.push(...batch);
            const leave = calling.enter();
            await clock.sleep(batch.length, signal);
            leave();
            return batch.map((index) => ({ value: `answer ${index}` }));
          },
          maxWaitMs: 20,
          clock,
        });
        const answers = items.map(async ({ pause }, index) => {
          await clock.sleep(pause, signal);
          return coalescing.submit(index);
        });
        const outcomes = await Promise.all(answers);
        expect(outcomes).toEqual(items.map((_, index) => ({ value: `answer ${index}` })));
        expect(sent.toSorted((a, b) => a - b)).toEqual(items.map((_, index) => index));
        expect(calling.most).toBeLessThanOrEqual(bounds.concurrent);
        expect(coalescing.size).toBe(0);
      }),
    );
  });

  it("keeps the order of those who came one after the other", async () => {
    const clock = new VirtualClock();
    const { coalescer: coalescing, calls } = coalescer({ clock });
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((item) => coalescing.submit(item)));
    expect(calls.flat()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it("sends a full batch at once, by number and by weight", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { coalescer: coalescing, calls } = coalescer({ clock });
    await Promise.all([1, 2, 3, 4].map((item) => coalescing.submit(item)));
    await Promise.all([60, 40].map((item) => coalescing.submit(item)));
    expect(calls).toEqual([
      [1, 2, 3, 4],
      [60, 40],
    ]);
  });

  it("sends an item alone that is heavier than a whole batch", async () => {
    const clock = new VirtualClock();
    const { coalescer: coalescing, calls } = coalescer({ clock });
    await Promise.all([1, 500, 2].map((item) => coalescing.submit(item)));
    expect(calls).toContainEqual([500]);
  });

  it("sends what is there after its wait, and not before", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { coalescer: coalescing, calls } = coalescer({ clock });
    const answer = coalescing.submit(1);
    await clock.pass(19);
    const other = coalescing.submit(2);
    expect(calls).toEqual([]);
    await clock.pass(1);
    expect(calls).toEqual([[1, 2]]);
    expect(await Promise.all([answer, other])).toEqual([{ value: -1 }, { value: -2 }]);
  });

  it("begins a new wait for what comes after a flush by time", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { coalescer: coalescing, calls } = coalescer({ clock });
    void coalescing.submit(1);
    await clock.pass(20);
    void coalescing.submit(2);
    await clock.pass(19);
    expect(calls).toEqual([[1]]);
    await clock.pass(1);
    expect(calls).toEqual([[1], [2]]);
  });

  describe("that waits longer while a call is under way", () => {
    it("waits the short time when nothing is under way", async () => {
      const clock = new VirtualClock();
      clock.frozen = true;
      const { coalescing, calls } = busy(clock);
      void coalescing.submit(1);
      await clock.pass(19);
      expect(calls).toEqual([]);
      await clock.pass(1);
      expect(calls).toEqual([[1]]);
    });

    it("gathers until the call returns", async () => {
      const clock = new VirtualClock();
      clock.frozen = true;
      const { coalescing, calls, answer } = busy(clock);
      void coalescing.submit(1);
      await clock.pass(20);
      void coalescing.submit(2);
      await clock.pass(50);
      void coalescing.submit(3);
      expect(calls).toEqual([[1]]);
      answer(0);
      await clock.pass(0);
      expect(calls).toEqual([[1], [2, 3]]);
    });

    it("gathers no longer than the long time, and a full batch not at all", async () => {
      const clock = new VirtualClock();
      clock.frozen = true;
      const { coalescing, calls } = busy(clock);
      for (const item of [1, 2, 3, 4, 5]) void coalescing.submit(item);
      expect(calls).toEqual([[1, 2, 3, 4]]);
      await clock.pass(20);
      await clock.pass(79);
      expect(calls).toHaveLength(1);
      await clock.pass(1);
      expect(calls).toEqual([[1, 2, 3, 4], [5]]);
    });
  });

  it("sends what waited for a free call as soon as one is free", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const free = Promise.withResolvers<void>();
    const calls: number[][] = [];
    const { coalescer: coalescing } = coalescer({
      clock,
      limits: () => ({ items: 4, weight: 100, concurrent: 1 }),
      call: async (items) => {
        calls.push([...items]);
        if (calls.length === 1) await free.promise;
        return items.map((value) => ({ value }));
      },
    });
    for (const item of [1, 2, 3, 4]) void coalescing.submit(item);
    void coalescing.submit(5);
    await clock.pass(100);
    void coalescing.submit(6);
    expect(calls).toEqual([[1, 2, 3, 4]]);
    free.resolve();
    await clock.pass(0);
    expect(calls).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it("fails the items of a call that rejects, and no others, and goes on", async () => {
    const clock = new VirtualClock();
    const { coalescer: coalescing } = coalescer({
      clock,
      call: async (items) => {
        if (items.includes(2)) throw new Error("broken");
        return items.map((value) => ({ value }));
      },
    });
    const answers = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((item) => coalescing.submit(item)),
    );
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 4 }, () => "rejected"),
      "fulfilled",
    ]);
    expect(await coalescing.submit(6)).toEqual({ value: 6 });
  });

  it("rejects an item whose outcome is missing instead of leaving it waiting", async () => {
    const clock = new VirtualClock();
    const { coalescer: coalescing } = coalescer({ clock, call: async () => [{ value: 1 }] });
    const answers = await Promise.allSettled([coalescing.submit(1), coalescing.submit(2)]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  it("reads its limits before every batch", async () => {
    const clock = new VirtualClock();
    let items = 1;
    const { coalescer: coalescing, calls } = coalescer({
      clock,
      limits: () => ({ items, weight: 100, concurrent: 1 }),
    });
    await coalescing.submit(1);
    items = 3;
    await Promise.all([2, 3, 4].map((item) => coalescing.submit(item)));
    expect(calls).toEqual([[1], [2, 3, 4]]);
  });

  it("leaves no timer behind when it is idle", async () => {
    const clock = new VirtualClock();
    clock.frozen = true;
    const { coalescer: coalescing } = coalescer({ clock });
    const answer = coalescing.submit(1);
    await clock.pass(20);
    await answer;
    expect(clock.timeline.advance()).toBe(false);
  });
});
