import { describe, expect, it } from "vitest";
import type { RunRow } from "../../../src/contracts/index.ts";
import { status } from "../../../src/engine/inspect.ts";
import { memoryStateStore, type MemoryStateStore } from "../../../src/state/memory-store.ts";
import { Rig } from "./rig/rig.ts";

function statuses(rig: Rig): Promise<string[]> {
  return status(rig.pipeline).then(({ runs }) => runs.map((run) => run.status));
}

function rigWith(state: MemoryStateStore): Rig {
  const rig = new Rig();
  rig.state = state;
  rig.source.put("a", "one");
  return rig;
}

/** Runs until the first document is opened, and dies there. */
async function die(rig: Rig, state: MemoryStateStore): Promise<void> {
  const reached = Promise.withResolvers<void>();
  rig.source.beforeOpen = () => {
    reached.resolve();
    return new Promise(() => {});
  };
  void rig.run();
  await reached.promise;
  rig.source.beforeOpen = async () => {};
  state.crash();
}

describe("a run in the history", () => {
  it("is running while it holds the lease", async () => {
    const rig = rigWith(memoryStateStore());
    const seen: string[][] = [];
    rig.source.beforeOpen = async () => void seen.push(await statuses(rig));
    await rig.run();
    expect(seen).toEqual([["running"]]);
    expect(await statuses(rig)).toEqual(["succeeded"]);
  });

  it("has died when its process did, also below newer ones and beside one that runs", async () => {
    const state = memoryStateStore();
    const rig = rigWith(state);
    await die(rig, state);
    expect(await statuses(rig)).toEqual(["died"]);
    rig.source.put("b", "two");
    const seen: string[][] = [];
    rig.source.beforeOpen = async () => void seen.push(await statuses(rig));
    await rig.run();
    expect(seen[0]).toEqual(["running", "died"]);
    expect(await statuses(rig)).toEqual(["succeeded", "died"]);
  });

  it("has not died when it ends while it is looked at", async () => {
    const rig = rigWith(memoryStateStore());
    const { pipeline } = rig;
    const { state } = pipeline;
    const began: RunRow = {
      id: "r",
      startedAt: 0,
      endedAt: undefined,
      status: "running",
      summary: undefined,
    };
    const writer = await state.open(
      { pipeline: "rig", mode: "write" },
      new AbortController().signal,
    );
    await writer.commit([{ kind: "run", row: began }]);
    const ending = {
      ...state,
      isHeld: async () => {
        await writer.commit([{ kind: "run", row: { ...began, endedAt: 5, status: "succeeded" } }]);
        await writer.close();
        return state.isHeld();
      },
    };
    const { runs } = await status({ ...pipeline, state: ending });
    expect(runs.map((run) => run.status)).toEqual(["succeeded"]);
  });
});
