import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/faults/index.ts";
import { deleteLast } from "../../../src/records/delete-last.ts";

const fault = new Fault("sink.timeout", "Too slow.", { ambiguous: true });
const { signal } = new AbortController();
const fail = (reason: unknown) => () => Promise.reject(reason);

describe("the deletes of a write", () => {
  it("give what was not deleted", async () => {
    const left = new Map([["b", fault]]);
    expect(await deleteLast(["a", "b"], { upserted: false, signal }, async () => left)).toBe(left);
  });

  it("are not asked for when there are none", async () => {
    const call = deleteLast([], { upserted: true, signal }, fail(new Error("asked")));
    expect((await call).size).toBe(0);
  });

  it("fail by id once upserts have taken effect, and as a whole before", async () => {
    const failed = await deleteLast(["a", "b"], { upserted: true, signal }, fail(fault));
    expect([...failed]).toEqual([
      ["a", fault],
      ["b", fault],
    ]);
    const alone = deleteLast(["a"], { upserted: false, signal }, fail(fault));
    await expect(alone).rejects.toBe(fault);
  });

  it("reject for a bug, and after an abort", async () => {
    const bug = new TypeError("ours");
    await expect(deleteLast(["a"], { upserted: true, signal }, fail(bug))).rejects.toBe(bug);
    const over = { upserted: true, signal: AbortSignal.abort() };
    await expect(deleteLast(["a"], over, fail(fault))).rejects.toBe(fault);
  });
});
