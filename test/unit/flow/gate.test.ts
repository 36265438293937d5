import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gate } from "../../../src/flow/gate.ts";
import { VirtualClock } from "../engine/rig/virtual-clock.ts";

const signal = new AbortController().signal;

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

describe("a gate", () => {
  it("never lets more through than its capacity, one too heavy aside, and gives all back", async () => {
    const work = fc.record({ weight: fc.nat(15), takes: fc.nat(9), begins: fc.nat(20) });
    await fc.assert(
      fc.asyncProperty(fc.array(work, { maxLength: 30 }), async (works) => {
        const clock = new VirtualClock();
        const gate = new Gate(10);
        let inside = 0;
        await Promise.all(
          works.map(async ({ weight, takes, begins }) => {
            await clock.sleep(begins, signal);
            const leave = await gate.enter(weight, signal);
            inside += Math.min(weight, 10);
            expect(inside).toBeLessThanOrEqual(10);
            // One that was let in a moment ago may not have gone on yet.
            expect(gate.used).toBeGreaterThanOrEqual(inside);
            expect(gate.used).toBeLessThanOrEqual(10);
            await clock.sleep(takes, signal);
            inside -= Math.min(weight, 10);
            leave();
          }),
        );
        expect(gate.used).toBe(0);
      }),
    );
  });

  it("lets in by the order of coming: light ones do not overtake a heavy one", async () => {
    const gate = new Gate(10);
    const order: string[] = [];
    const enter = async (name: string, weight: number): Promise<() => void> => {
      const leave = await gate.enter(weight, signal);
      order.push(name);
      return leave;
    };
    const first = await enter("first", 8);
    const heavy = enter("heavy", 9);
    const light = enter("light", 1);
    await turn();
    expect(order).toEqual(["first"]);
    first();
    await Promise.all([heavy, light]);
    expect(order).toEqual(["first", "heavy", "light"]);
  });

  it("lets one through alone that is heavier than its capacity", async () => {
    const gate = new Gate(10);
    const leave = await gate.enter(1000, signal);
    expect(gate.used).toBe(10);
    let entered = false;
    const next = gate.enter(1, signal).then((free) => {
      entered = true;
      return free;
    });
    await turn();
    expect(entered).toBe(false);
    leave();
    (await next)();
    expect(gate.used).toBe(0);
  });

  it("counts what is given back only once", async () => {
    const gate = new Gate(10);
    const leave = await gate.enter(6, signal);
    const other = await gate.enter(4, signal);
    leave();
    leave();
    expect(gate.used).toBe(4);
    other();
    expect(gate.used).toBe(0);
  });

  it("takes a negative weight for none", async () => {
    const gate = new Gate(10);
    (await gate.enter(-5, signal))();
    expect(gate.used).toBe(0);
  });

  it("refuses entry to an aborted caller, and takes nothing", async () => {
    const gate = new Gate(10);
    const reason = new Error("enough");
    await expect(gate.enter(5, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(gate.used).toBe(0);
  });

  it("lets a waiting caller go at once on abort, and those behind it in", async () => {
    const gate = new Gate(10);
    const controller = new AbortController();
    const reason = new Error("enough");
    const leave = await gate.enter(5, signal);
    const heavy = gate.enter(10, controller.signal);
    const light = gate.enter(5, signal);
    controller.abort(reason);
    await expect(heavy).rejects.toBe(reason);
    (await light)();
    leave();
    expect(gate.used).toBe(0);
  });

  it("loses no capacity to a caller that is let in and aborted in one moment", async () => {
    const gate = new Gate(10);
    const controller = new AbortController();
    const leave = await gate.enter(10, signal);
    const waiting = gate.enter(10, controller.signal);
    leave();
    controller.abort(new Error("enough"));
    const entered = await waiting.then(
      (free) => free,
      () => undefined,
    );
    entered?.();
    expect(gate.used).toBe(0);
    (await gate.enter(10, signal))();
  });
});
